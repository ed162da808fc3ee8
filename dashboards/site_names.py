"""Which points and meters of a site a dashboard speaks of: InfluxDB knows their names, but not what they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SupplyMeter:
    """A meter of the site's supply: of a main, of own generation, of storage.

    Its present power in W is `power_quantity` times `factor`, which is negative for storage: what charges it is not
    used yet.
    """

    device: str
    power_quantity: str = "active_power_total"
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class SiteNames:
    """Ids of a site's points by what they measure; a panel is left out where a site has nothing to show in it.

    `supply_points` are main and generation, `storage_points` what is subtracted from them: together the site's use.
    `display_names` are for people, by point. `time_zone` is an IANA name, or `browser` for that of whoever looks.
    """

    site: str
    name: str
    time_zone: str = "browser"
    supply_meters: tuple[SupplyMeter, ...] = ()
    main_points: tuple[str, ...] = ()
    supply_points: tuple[str, ...] = ()
    storage_points: tuple[str, ...] = ()
    electricity_points: tuple[str, ...] = ()
    water_points: tuple[str, ...] = ()
    product_points: tuple[str, ...] = ()
    display_names: Mapping[str, str] = field(default_factory=dict)


WORKSHOP = SiteNames(
    site="workshop",
    name="Workshop",
    supply_meters=(SupplyMeter("main-meter"), SupplyMeter("pv-inverter")),
    main_points=("main",),
    supply_points=("main", "pv"),
    electricity_points=("main", "oven", "mixer", "cold-room", "packing", "pv", "main.unmetered"),
    water_points=("water",),
    product_points=("product",),
    display_names={
        "main": "Main supply",
        "oven": "Oven",
        "mixer": "Mixer",
        "cold-room": "Cold room",
        "packing": "Packing",
        "pv": "Solar",
        "main.unmetered": "Main supply, not metered further",
        "water": "Water",
        "product": "Product",
    },
)
"""The site of `leanmeter demo`."""
