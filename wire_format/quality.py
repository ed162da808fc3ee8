"""Quality of a single value, as it goes to every screen and export."""

from enum import IntEnum


class Quality(IntEnum):
    """Why a value may or may not be believed; the number is what stands on the wire."""

    GOOD = 0
    ESTIMATED = 1
    """Computed by the edge where the device has no such value, for example an integrated total."""
    OUT_OF_RANGE = 2
    """Read, but not plausible. Outside the profile's range the value is kept; what no device can measure has none."""
    DEVICE_ERROR = 3
    """The device answered that it has no value: an exception, a sentinel, NaN, an error telegram."""
    LINK_ERROR = 4
    """No usable answer: a timeout, a damaged frame, a lost connection."""
    OVERFLOW = 5
    """The device reports an overload or a value beyond its display."""

    @property
    def has_value(self) -> bool:
        """Whether a value of this quality may carry a number."""
        return self in {Quality.GOOD, Quality.ESTIMATED, Quality.OUT_OF_RANGE}
