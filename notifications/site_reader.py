"""Reads of a site what the rules judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time as day_time
from datetime import timedelta

from notifications.alarm import Verdict
from notifications.day_spans import last_span, local_day, moment_ms
from notifications.rules.excess import EXPECTED_RESOURCES, NEWEST_DAYS, judge_expected
from notifications.rules.integrity import judge_quarantine, judge_reconciliation
from notifications.rules.night_flow import judge_night_flow
from notifications.rules.outbox import judge_outboxes
from notifications.rules.peak import judge_peak, usual_peak_kw
from notifications.rules.silence import judge_devices, judge_edges
from notifications.site_names import SiteNames
from notifications.week import DAYS, Week, week_of
from site_config.notification_settings import AlarmSettings
from site_config.points import Point, Resource, Role
from store.edge_ledger import EdgeLedger
from store.entities import Entities, SiteEntry
from store.protocol import IntervalRow, Latest, ReadingStore
from store.schema import ENERGY, MONTHS, SERVER_SITE, SITE_SERIES, WEEKS
from wire_format.topics import EdgeAddress

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
# Readings of a slow device or of a delayed batch are still the newest ones; older ones are remembered here.
_FIRST_LOOK_MS = 7 * _DAY_MS
_LATER_LOOK_MS = 2 * _HOUR_MS
_USUAL_DAYS = 92
_COMPARED_DAYS = 7
# The collector tells of its quarantine every ten seconds.
_HEALTH_MS = 10 * 60_000
_QUARANTINE = "quarantine_entries"
_OUTBOX = "outbox_use_percent"
_ELECTRICITY = SITE_SERIES + "electricity"


@dataclass(frozen=True, slots=True)
class _Edges:
    """Of one site: when each edge's last batch was stored, and which devices came from it."""

    stored_ms: Mapping[str, int]
    devices: Mapping[str, frozenset[str]]

    def devices_of(self, edge: str) -> frozenset[str]:
        """Those that have ever come from an edge."""
        return self.devices.get(edge, frozenset())


class SiteReader:
    """Asks the stores; what the answers mean is for the rules. Remembers only what would be costly to ask each time."""

    def __init__(self, readings: ReadingStore, entities: Entities, edges: EdgeLedger) -> None:
        self._readings = readings
        self._entities = entities
        self._edges = edges
        self._looked: set[str] = set()
        self._newest_ms: dict[tuple[str, str], int] = {}
        self._usual: dict[str, tuple[int, float | None]] = {}

    async def names(self, entry: SiteEntry) -> SiteNames:
        """What people call the things of a site."""
        points = {point.id: point.name for point in await self._entities.points(entry.site)}
        measured: dict[str, list[str]] = {}
        for assignment in await self._entities.assignments(entry.site):
            name = points.get(assignment.point)
            if assignment.to_ms is None and name is not None:
                measured.setdefault(assignment.device, []).append(name)
        return SiteNames(
            entry.site,
            entry.name or entry.site,
            entry.time_zone,
            points,
            {device: tuple(names) for device, names in measured.items()},
        )

    async def verdicts(self, entry: SiteEntry, limits: AlarmSettings, now_ms: int) -> list[Verdict]:
        """What is right and wrong at a site now; raises StoreError when that cannot be asked."""
        edges = await self._of_site(entry.site)
        latest = await self._latest(entry.site, now_ms)
        use_percent = {
            edge: found
            for edge in edges.stored_ms
            if (found := latest.get((EdgeAddress(entry.site, edge).device, _OUTBOX))) is not None
        }
        return [
            *await self._silence(entry.site, edges, limits, now_ms),
            *judge_outboxes(sorted(edges.stored_ms), use_percent, now_ms, 100 * limits.outbox_full_share),
            await self._peak(entry, limits, now_ms),
            *await self._excess(entry, now_ms),
            *await self._night_flow(entry, limits, now_ms),
            *await self._integrity(entry.site, sorted(edges.stored_ms), now_ms),
        ]

    async def last_week(self, entry: SiteEntry, now_ms: int) -> Week:
        """The last week that is over."""
        today = local_day(now_ms, entry.time_zone)
        first = today - timedelta(days=today.weekday() + DAYS)
        start_ms = moment_ms(first - timedelta(days=DAYS), day_time(), entry.time_zone)
        end_ms = moment_ms(first + timedelta(days=DAYS), day_time(), entry.time_zone)
        rows: list[IntervalRow] = []
        for series in (SITE_SERIES + ENERGY, _ELECTRICITY, SITE_SERIES + ENERGY + WEEKS, _ELECTRICITY + WEEKS):
            rows += await self._readings.days(entry.site, start_ms, end_ms, series)
        counted = [point.id for point in await self._entities.points(entry.site) if point.resource is Resource.PRODUCT]
        made = [row for point in counted for row in await self._readings.days(entry.site, start_ms, end_ms, point)]
        return week_of(rows, first, entry.time_zone, made or None)

    async def _of_site(self, site: str) -> _Edges:
        stored_ms = {
            edge.edge: last.stored_ms for edge, last in (await self._edges.last_batches()).items() if edge.site == site
        }
        series = await self._edges.series()
        devices = {edge.edge: frozenset(found) for edge, found in series.items() if edge.site == site}
        return _Edges(stored_ms, devices)

    async def _silence(self, site: str, edges: _Edges, limits: AlarmSettings, now_ms: int) -> list[Verdict]:
        devices = [entry.device for entry in await self._entities.devices(site)]
        newest_ms = {device: self._newest_ms.get((site, device)) for device in devices}
        stored_ms = dict(edges.stored_ms)
        known = [time_ms for time_ms in newest_ms.values() if time_ms is not None]
        if not stored_ms and known:
            # Readings that no collector has brought, such as a history: the site stands for its edge.
            stored_ms[""] = max(known)
        verdicts = judge_edges(stored_ms, now_ms, round(limits.no_data_after_s * 1000))
        silent = {verdict.subject for verdict in verdicts if verdict.raised}
        # Where every edge is silent, so are devices that none is known to have.
        behind = set(devices) if len(silent) == len(stored_ms) else set().union(*map(edges.devices_of, silent))
        return verdicts + judge_devices(newest_ms, frozenset(behind), now_ms, round(limits.silent_after_s * 1000))

    async def _latest(self, site: str, now_ms: int) -> dict[tuple[str, str], Latest]:
        """The newest values; the newest time of each device is remembered however old it becomes."""
        look_ms = _LATER_LOOK_MS if site in self._looked else _FIRST_LOOK_MS
        latest = await self._readings.latest(site, now_ms - look_ms)
        self._looked.add(site)
        for (device, _), value in latest.items():
            key = (site, device)
            self._newest_ms[key] = max(value.time_ms, self._newest_ms.get(key, 0))
        return latest

    async def _peak(self, entry: SiteEntry, limits: AlarmSettings, now_ms: int) -> Verdict:
        series = await self._readings.intervals(entry.site, now_ms - 3 * _HOUR_MS, now_ms + 1, _ELECTRICITY)
        usual_kw = None if limits.agreed_demand_kw is not None else await self._usual_kw(entry, now_ms)
        return judge_peak(series, limits.agreed_demand_kw, usual_kw)

    async def _usual_kw(self, entry: SiteEntry, now_ms: int) -> float | None:
        today_ms = self._midnight_ms(entry, now_ms)
        remembered = self._usual.get(entry.site)
        if remembered is None or remembered[0] != today_ms:
            days = await self._readings.days(entry.site, today_ms - _USUAL_DAYS * _DAY_MS, today_ms, _ELECTRICITY)
            remembered = self._usual[entry.site] = (today_ms, usual_peak_kw(days))
        return remembered[1]

    async def _excess(self, entry: SiteEntry, now_ms: int) -> list[Verdict]:
        today_ms = self._midnight_ms(entry, now_ms)
        first_ms = today_ms - (NEWEST_DAYS + 1) * _DAY_MS
        verdicts = []
        for resource in EXPECTED_RESOURCES:
            # A site is judged by days, weeks or months of a resource, as its plan says.
            for rows in ("", WEEKS, MONTHS):
                series = SITE_SERIES + resource + rows
                verdict = judge_expected(
                    resource, await self._readings.days(entry.site, first_ms, today_ms, series), rows
                )
                if verdict.raised is not None:
                    break
            verdicts.append(verdict)
        # Where all energy is judged, electricity is a part of it and would be told a second time.
        energy = verdicts[EXPECTED_RESOURCES.index(ENERGY)]
        return [one for one in verdicts if one.subject != "electricity" or energy.raised is None]

    async def _night_flow(self, entry: SiteEntry, limits: AlarmSettings, now_ms: int) -> list[Verdict]:
        night = last_span(limits.night, entry.time_zone, now_ms)
        return [
            judge_night_flow(
                point.id,
                await self._readings.intervals(entry.site, *night, point.id),
                night,
                limits.night_flow_l_per_h,
            )
            for point in await self._entities.points(entry.site)
            if _enters_the_site(point)
        ]

    async def _integrity(self, site: str, edges: Sequence[str], now_ms: int) -> list[Verdict]:
        compared = await self._edges.reconciliations(now_ms - (_COMPARED_DAYS + 1) * _DAY_MS, site)
        health = await self._readings.latest(SERVER_SITE, now_ms - _HEALTH_MS)
        entries = {
            edge: round(found.value)
            for edge in edges
            if (found := health.get((f"{site}.{edge}", _QUARANTINE))) is not None
        }
        return [*judge_reconciliation(edges, compared), *judge_quarantine(edges, entries)]

    @staticmethod
    def _midnight_ms(entry: SiteEntry, now_ms: int) -> int:
        return moment_ms(local_day(now_ms, entry.time_zone), day_time(), entry.time_zone)


def _enters_the_site(point: Point) -> bool:
    return point.resource is Resource.WATER and point.role is Role.MAIN
