"""InfluxDB's line protocol from columns: one template a device, no object a value.

A value is written as its integer and exponent (`12345e-1`), which InfluxDB reads as the double nearest to the decimal,
and always as a float: without an `i` behind it a number is one.
"""

from collections.abc import Sequence

from store.protocol import IntervalRow
from store.schema import (
    CONSUMPTION_DAY,
    EVENT,
    FIELD_QUALITY,
    FIELD_TEXT,
    NUMERIC_FIELDS,
    QUALITY,
    READING,
    TAG_DEVICE,
    TAG_KIND,
    TAG_MONTH,
    TAG_POINT,
    TAG_RESOURCE,
    TAG_SITE,
    TAG_SUBJECT,
)
from wire_format.batch import Column, DeviceRows
from wire_format.events import Event

_KEY = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ ", "\n": r"\ "})
_TEXT = str.maketrans({'"': r"\"", "\\": r"\\"})


def key(text: str) -> str:
    """Escape a tag key, tag value or field key."""
    return text.translate(_KEY)


def reading_lines(site: str, rows: DeviceRows) -> list[str | None]:
    """A line a row, None for a row without any value."""
    head = _head(READING, site, rows.device)
    if not rows.columns:
        return [None] * len(rows.times_ms)
    if any(None in column.integers for column in rows.columns):
        return _sparse_lines(head, rows)
    fields = ",".join(_field(column) for column in rows.columns)
    template = f"{head} {fields} %d"
    return [
        template % cells for cells in zip(*[column.integers for column in rows.columns], rows.times_ms, strict=True)
    ]


def quality_lines(site: str, rows: DeviceRows) -> list[tuple[int, str]]:
    """A line for each row in which a value is not good, with the row's index; good values are not named."""
    marked = [(key(column.quantity), column.quality) for column in rows.columns if any(column.quality)]
    if not marked:
        return []
    head = _head(QUALITY, site, rows.device) % ()
    lines = []
    for index, time_ms in enumerate(rows.times_ms):
        fields = ",".join(f"{name}={int(quality[index])}" for name, quality in marked if quality[index])
        if fields:
            lines.append((index, f"{head} {fields} {time_ms}"))
    return lines


def event_line(site: str, event: Event) -> str:
    """The line of an event."""
    tags = f"{TAG_DEVICE}={key(event.device)},{TAG_KIND}={key(event.kind)},{TAG_SITE}={key(site)}"
    if event.subject:
        tags += f",{TAG_SUBJECT}={key(event.subject)}"
    fields = [f"{key(name)}={float(number)!r}" for name, number in event.numbers.items()]
    fields.append(f'{FIELD_TEXT}="{event.text.translate(_TEXT)}"')
    return f"{EVENT},{tags} {','.join(fields)} {event.time_ms}"


def consumption_line(measurement: str, row: IntervalRow) -> str:
    """The line of an interval or a day; fields that are None are left out."""
    # Tags in the order of their keys; one without a value is not there.
    resource = f"{TAG_RESOURCE}={key(row.resource)}," if row.resource else ""
    tags = f"{TAG_POINT}={key(row.point)},{resource}{TAG_SITE}={key(row.site)}"
    if measurement == CONSUMPTION_DAY and row.month is not None:
        tags = f"{TAG_MONTH}={key(row.month)},{tags}"
    values = [(name, getattr(row, name)) for name in NUMERIC_FIELDS]
    fields = [f"{name}={float(value)!r}" for name, value in values if value is not None]
    fields.append(f'{FIELD_QUALITY}="{row.quality.translate(_TEXT)}"')
    return f"{measurement},{tags} {','.join(fields)} {row.start_ms}"


def _head(measurement: str, site: str, device: str) -> str:
    # Tags in the order of their keys, as InfluxDB sorts them.
    return f"{measurement},{TAG_DEVICE}={key(device)},{TAG_SITE}={key(site)}".replace("%", "%%")


def _field(column: Column) -> str:
    name = key(column.quantity).replace("%", "%%")
    return f"{name}=%de{column.exponent}" if column.exponent else f"{name}=%d"


def _sparse_lines(head: str, rows: DeviceRows) -> list[str | None]:
    head %= ()
    fields: list[list[str | None]] = []
    for column in rows.columns:
        template = _field(column)
        fields.append([None if integer is None else template % integer for integer in column.integers])
    return [
        _join(head, cells, time_ms) for cells, time_ms in zip(zip(*fields, strict=True), rows.times_ms, strict=True)
    ]


def _join(head: str, cells: Sequence[str | None], time_ms: int) -> str | None:
    present = [cell for cell in cells if cell is not None]
    return f"{head} {','.join(present)} {time_ms}" if present else None
