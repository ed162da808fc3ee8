"""The messages whose bytes stand in docs/wire-format.md."""

from wire_format.batch import Acknowledgement, Batch, BatchId, Column, DeviceRows, RefusedRow
from wire_format.events import Event
from wire_format.quality import Quality

GOOD, ESTIMATED, OUT_OF_RANGE, LINK_ERROR = (
    Quality.GOOD,
    Quality.ESTIMATED,
    Quality.OUT_OF_RANGE,
    Quality.LINK_ERROR,
)

FIRST_ID = BatchId("0102030405060708", 1)

ONE_ROW = Batch(
    FIRST_ID,
    (
        DeviceRows(
            "oven-meter",
            (1_764_000_000_000,),
            (
                Column("voltage_l1_n", "V", -2, (23_012,)),
                Column("active_energy_import_total", "kWh", -3, (123_456_789,)),
            ),
        ),
    ),
    "ntp",
)

SHARED_LAYOUT = Batch(
    BatchId("00000000000000ff", 258),
    (
        DeviceRows(
            "a",
            (1000, 2000, 3001),
            (
                Column("active_power_total", "W", -1, (100, None, 90), (GOOD, LINK_ERROR, GOOD)),
                Column("alarms", "bitfield", 0, (-(2**63), 2**63 - 1, 0)),
            ),
        ),
        DeviceRows(
            "b-2",
            (1040, 2040, 3040),
            (
                Column("active_power_total", "W", -1, (5, 5, 5), (ESTIMATED, ESTIMATED, OUT_OF_RANGE)),
                Column("alarms", "bitfield", 0, (0, 0, 0)),
            ),
        ),
        DeviceRows("a", (500,), (Column("weight_net", "kg", -4, (12_345,)),)),
    ),
    "none",
)

THINNED = Batch(
    BatchId("0102030405060708", 2),
    (
        DeviceRows(
            "oven-meter",
            (1_764_000_000_000, 1_764_000_900_000),
            (Column("active_energy_import_total", "kWh", -3, (123_456_789, 123_457_039)),),
            thinned=True,
        ),
        DeviceRows(
            "oven-meter", (1_764_000_317_000,), (Column("active_power_total", "W", -1, (31_415,)),), thinned=True
        ),
    ),
    "ntp",
)

EVENTS = Batch(
    BatchId("0102030405060708", 3),
    (),
    "ntp",
    (
        Event(
            "oven-meter",
            "counter_reset",
            1_764_000_000_000,
            "active_energy_import_total",
            "was set to 0",
            {"before": 123_456.789, "after": 0.0, "offset": 123_456.789},
        ),
        Event("agent-edge-1", "outage", 1_764_000_000_000, text="no mains"),
    ),
)

BATCHES = {
    "one-row": ONE_ROW,
    "shared-layout": SHARED_LAYOUT,
    "thinned": THINNED,
    "events": EVENTS,
    "unknown-elements": ONE_ROW,
}

ACKNOWLEDGEMENTS = {
    "stored": Acknowledgement(FIRST_ID, stored=True, collector_time_ms=1_764_000_001_000),
    "refused-row": Acknowledgement(
        FIRST_ID,
        stored=True,
        collector_time_ms=1_764_000_001_000,
        refused=(RefusedRow("oven-meter", 1_764_000_000_000, "a string where the store has numbers"),),
    ),
    "rejected": Acknowledgement(FIRST_ID, stored=False, collector_time_ms=1_764_000_001_000, reason="version 9"),
}
