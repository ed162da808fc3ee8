"""Names in the store that writers, queries and dashboards share.

`reading` has a field per quantity, in the quantity's unit; a missing value is a missing field. `quality` has the code
of a value (`wire_format.quality.Quality`) under the same time and field, only where it is not good. `event` has what
happened, once each. `consumption` holds 15-minute intervals and `consumption_day` site-local days, by point. Every
numeric field is a float.
"""

READING = "reading"
QUALITY = "quality"
CONSUMPTION = "consumption"
CONSUMPTION_DAY = "consumption_day"

EVENT = "event"

SERVER_SITE = "leanmeter-server"
"""The site of the readings that collector and evaluation make of themselves and of every edge."""

TAG_SITE = "site"
TAG_DEVICE = "device"
TAG_POINT = "point"
TAG_RESOURCE = "resource"
"""Of `consumption` and `consumption_day`: what the point measures; of the series of whole sites also `energy`."""
TAG_KIND = "kind"
TAG_SUBJECT = "subject"
"""Of `event` only; no tag where an event is about nothing more than its device."""
TAG_MONTH = "month"
"""Of `consumption_day` only: the site-local month, such as 2026-11; InfluxQL groups by tags alone."""

FIELD_TEXT = "text"
"""Of `event`: a sentence; its numbers are fields of their own names."""
FIELD_UNTIL_MS = "until_ms"
"""Of `event`: when it ended, where it lasted."""
FIELD_AMOUNT = "amount"
FIELD_DEMAND = "demand"
FIELD_COVERAGE = "coverage"
FIELD_QUALITY = "quality"
FIELD_PEAK_MS = "peak_ms"
FIELD_MINIMUM = "minimum"
FIELD_COST = "cost"
FIELD_CO2E = "co2e"
FIELD_EXPECTED = "expected"
FIELD_GOAL = "goal"
FIELD_LOWER = "lower"
FIELD_UPPER = "upper"
FIELD_AVOIDED_CO2E = "avoided_co2e"
FIELD_CO2E_MARKET = "co2e_market"

NUMERIC_FIELDS = (
    FIELD_AMOUNT,
    FIELD_DEMAND,
    FIELD_COVERAGE,
    FIELD_PEAK_MS,
    FIELD_MINIMUM,
    FIELD_COST,
    FIELD_CO2E,
    FIELD_EXPECTED,
    FIELD_GOAL,
    FIELD_LOWER,
    FIELD_UPPER,
    FIELD_AVOIDED_CO2E,
    FIELD_CO2E_MARKET,
)
"""Of `consumption` and `consumption_day`, named as in `store.protocol.IntervalRow`."""

SITE_SERIES = "site."
"""Before a resource: the point under which a site's use of it stands (`site.water`); a dot is in no point's id."""
REFRIGERANT = "refrigerant"
"""The resource of what was topped up, in kg."""
BILL_SERIES = "bill."
"""Before the name of a line of the electricity bill: the point under which stands what each day adds to it."""
BILL = "bill"
"""The resource of these series; their `month` is the billing period."""
WEEKS, MONTHS = ".week", ".month"
"""After a series: its weeks and months, as `site.energy.week`, each at its last day."""
PREPAID = "prepaid"
"""The resource of the next two, which are states and have no sum."""
PREPAID_LEFT = "prepaid.left"
"""Days of the kWh left on a prepaid meter."""
PREPAID_DAYS_LEFT = "prepaid.days_left"
"""Days of how many days they last."""
ENERGY = "energy"
"""The resource of `site.energy`: electricity, fuels and heat together, in kWh."""
MATERIALS_WASTED = "materials_wasted"
"""The resource of what came in and did not become product, in kg: never to be added to waste, which overlaps it."""
WASTE_REUSED = "waste_reused"
WASTE_RECYCLED = "waste_recycled"
WASTE_RECOVERED = "waste_recovered"
WASTE_DISPOSED = "waste_disposed"
WASTE_DESTINATIONS = (WASTE_REUSED, WASTE_RECYCLED, WASTE_RECOVERED, WASTE_DISPOSED)
"""Resources of where a site's waste went, in kg; together they are its waste."""
SELF_CONSUMED = "self_consumed"
"""The resource of own electricity that the site used at once, in kWh."""
EXPORTED = "exported"
"""The resource of what was fed into the grid, in kWh."""
RESOURCES_OF_DAYS = (MATERIALS_WASTED, *WASTE_DESTINATIONS, SELF_CONSUMED, EXPORTED)
"""Of series of a site that have days and no intervals."""

INTERVAL_MS = 15 * 60 * 1000

EARLIEST_MS = 946_684_800_000
"""2000-01-01 UTC: no reading is older."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01 UTC: every reading is before."""
