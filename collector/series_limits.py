"""How many devices and quantities an edge may have: what goes beyond is refused, what was there before goes on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from store.edge_ledger import EdgeLedger
from store.server_file import LimitsSection
from wire_format.batch import DeviceRows, RefusedRow
from wire_format.events import Event
from wire_format.topics import EdgeAddress


@dataclass(frozen=True, slots=True)
class Admitted:
    """What may be stored, and what is beyond the bounds with its reasons."""

    accepted: Sequence[DeviceRows]
    beyond: Sequence[DeviceRows] = ()
    refused: tuple[RefusedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class AdmittedEvents:
    """The same of events."""

    accepted: Sequence[Event]
    refused: tuple[RefusedRow, ...] = ()


class SeriesLimits:
    """Decides which columns of a batch may be stored. A series that was admitted once stays so.

    Args:
        limits: the bounds.
        ledger: keeps what was admitted over restarts.
        known: what the ledger held at the start, by edge and device.
    """

    def __init__(
        self, limits: LimitsSection, ledger: EdgeLedger, known: dict[EdgeAddress, dict[str, set[str]]]
    ) -> None:
        self._limits = limits
        self._ledger = ledger
        self._known = known
        self._counts = {edge: sum(map(len, devices.values())) for edge, devices in known.items()}
        self._unrecorded: dict[EdgeAddress, set[tuple[str, str]]] = {}

    async def admit(self, edge: EdgeAddress, devices: Sequence[DeviceRows]) -> Admitted:
        """Split into what is within the bounds and what is not; raises StoreError when new series cannot be kept."""
        mine = self._known.setdefault(edge, {})
        if all(mine.get(rows.device, frozenset()).issuperset(_quantities(rows)) for rows in devices):
            admitted = Admitted(devices)
        else:
            admitted = self._sift(edge, devices)
        await self._record(edge)
        return admitted

    async def admit_events(self, edge: EdgeAddress, events: Sequence[Event]) -> AdmittedEvents:
        """The same for events, each kind and subject of a device being a series too; raises as `admit` does."""
        self._known.setdefault(edge, {})
        reasons = [self._reason(edge, event.device, f"event {event.kind} {event.subject}".rstrip()) for event in events]
        await self._record(edge)
        return AdmittedEvents(
            [event for event, reason in zip(events, reasons, strict=True) if not reason],
            tuple(
                RefusedRow(event.device, event.time_ms, reason)
                for event, reason in zip(events, reasons, strict=True)
                if reason
            ),
        )

    async def _record(self, edge: EdgeAddress) -> None:
        if new := self._unrecorded.get(edge):
            given = set(new)
            await self._ledger.add_series(edge, given)
            new -= given

    def _sift(self, edge: EdgeAddress, devices: Sequence[DeviceRows]) -> Admitted:
        accepted: list[DeviceRows] = []
        beyond: list[DeviceRows] = []
        refused: dict[tuple[str, int], RefusedRow] = {}
        for rows in devices:
            reasons = [self._reason(edge, rows.device, column.quantity) for column in rows.columns]
            for into, wanted in ((accepted, False), (beyond, True)):
                pairs = zip(rows.columns, reasons, strict=True)
                if columns := tuple([column for column, reason in pairs if bool(reason) is wanted]):
                    into.append(replace(rows, columns=columns))
            if reason := next(filter(None, reasons), ""):
                for time_ms in rows.times_ms:
                    refused.setdefault((rows.device, time_ms), RefusedRow(rows.device, time_ms, reason))
        return Admitted(accepted, beyond, tuple(refused.values()))

    def _reason(self, edge: EdgeAddress, device: str, quantity: str) -> str:
        """Why a series is not taken; an empty text when it is, and it is admitted then."""
        devices, limits = self._known[edge], self._limits
        mine = devices.get(device)
        if mine is not None and quantity in mine:
            return ""
        if mine is None and len(devices) >= limits.devices_per_edge:
            return f"the edge has {len(devices)} other devices already (collector.limits.devices_per_edge)"
        if mine is not None and len(mine) >= limits.quantities_per_device:
            return (
                f"{quantity}: the device has {len(mine)} other quantities already "
                "(collector.limits.quantities_per_device)"
            )
        if self._counts.get(edge, 0) >= limits.series_per_edge:
            return f"the edge has {self._counts[edge]} other series already (collector.limits.series_per_edge)"
        devices.setdefault(device, set()).add(quantity)
        self._counts[edge] = self._counts.get(edge, 0) + 1
        self._unrecorded.setdefault(edge, set()).add((device, quantity))
        return ""


def _quantities(rows: DeviceRows) -> list[str]:
    return [column.quantity for column in rows.columns]
