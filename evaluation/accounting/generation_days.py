"""What became of a site's own generation on a day: used at once, or fed into the grid. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from baselines.generation import Generated, use_of_generation
from evaluation.metering.site_series import site_series
from site_config.points import Point, Resource, Role
from store.protocol import IntervalRow
from store.schema import EXPORTED, SELF_CONSUMED

_SITE = site_series(Resource.ELECTRICITY.value)


class GenerationDays:
    """Own generation of one site.

    Args:
        points: the site's.
    """

    def __init__(self, points: Sequence[Point]) -> None:
        electric = [point for point in points if point.resource is Resource.ELECTRICITY]
        self._sources = tuple(point.id for point in electric if point.role is Role.GENERATION)
        self._mains = tuple(point.id for point in electric if point.role is Role.MAIN)
        self.points = frozenset({*self._sources, *self._mains}) if self._sources else frozenset[str]()

    def rows(
        self,
        by_start: Mapping[int, Mapping[str, IntervalRow]],
        site_day: IntervalRow | None,
        avoided_kg_a_kwh: Mapping[str, float],
    ) -> list[IntervalRow]:
        """The rows of a day out of its intervals (by start and point).

        Netted within each interval, as the site's use is; those without it count for nothing, and the rows are as well
        known as `site_day`, the day of the site's electricity.
        """
        if not self._sources or site_day is None:
            return []
        # Where the site's use is known, a source without a row generates nothing (metering/silent_generation.py).
        known = [rows for rows in by_start.values() if _SITE in rows]
        found = use_of_generation(
            (
                Generated(
                    {name: max(rows[name].amount, 0.0) for name in self._sources if name in rows},
                    sum(max(-rows[name].amount, 0.0) for name in self._mains if name in rows),
                )
                for rows in known
            ),
            avoided_kg_a_kwh,
        )
        described = (
            (SELF_CONSUMED, found.self_consumed_kwh, found.avoided_by_use_kg),
            (EXPORTED, found.exported_kwh, found.avoided_by_export_kg),
        )
        day = IntervalRow(
            site_day.site, _SITE, site_day.start_ms, 0.0, None, site_day.coverage, site_day.quality, "",
            month=site_day.month,
        )  # fmt: skip
        return [
            replace(day, point=site_series(resource), resource=resource, amount=amount, avoided_co2e=avoided)
            for resource, amount, avoided in described
        ]
