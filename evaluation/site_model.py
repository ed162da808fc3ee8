"""What the evaluation knows of a site."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from evaluation.plan.accounts import SiteAccounts, load_accounts
from site_config.points import Assignment, Point
from store.entities import Entities, SiteEntry


@dataclass(frozen=True, slots=True)
class SiteModel:
    """A site's clock, its points, and which device measured them when; with a plan also its `accounts`."""

    site: str
    time_zone: ZoneInfo
    points: tuple[Point, ...]
    assignments: tuple[Assignment, ...]
    accounts: SiteAccounts | None = None


async def load_model(entities: Entities, entry: SiteEntry) -> SiteModel:
    """The model of a site as it is declared and planned now."""
    points = await entities.points(entry.site)
    return SiteModel(
        entry.site,
        entry.time_zone,
        points,
        await entities.assignments(entry.site),
        await load_accounts(entities.plans, entry.site, points),
    )
