"""Writes every dashboard as the JSON that Grafana loads, and its alert rules: the same bytes each time."""

import json
from collections.abc import Callable
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard as DashboardModel
from grafana_foundation_sdk.models.dashboard import Panel

from dashboards.alerts import notifications, rules
from dashboards.energy import energy
from dashboards.fleet import fleet
from dashboards.generation import generation
from dashboards.layout import place
from dashboards.materials import materials
from dashboards.overview import overview
from dashboards.power import power
from dashboards.programme import programme
from dashboards.site_names import SiteNames
from dashboards.water import water

GENERATED = Path(__file__).parent / "generated"
DASHBOARDS: dict[str, Callable[[SiteNames], Dashboard]] = {
    "overview": overview,
    "energy": energy,
    "materials": materials,
    "water": water,
    "power": power,
    "generation": generation,
    "programme": programme,
    "fleet": fleet,
}
"""File name without its ending, and what builds it."""


ALERTING = "alerting"
"""Folder of the files for Grafana's `provisioning/alerting`."""


def render(names: SiteNames) -> dict[str, str]:
    """The text of each file, by its path in the folder."""
    built = {name: _built(build(names)) for name, build in DASHBOARDS.items()}
    panel_ids = {
        (name, str(panel.title)): panel.id_val or 0
        for name, board in built.items()
        for panel in board.panels or []
        if isinstance(panel, Panel)
    }
    return {f"{name}.json": _text(board) for name, board in built.items()} | {
        f"{ALERTING}/rules.yaml": rules(names, panel_ids),
        f"{ALERTING}/notifications.yaml": notifications(),
    }


def write(folder: Path, names: SiteNames) -> list[Path]:
    """Write every file into a folder, which is made when it is missing; raises OSError when it cannot."""
    written = []
    for name, text in render(names).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def differing(folder: Path, names: SiteNames) -> list[Path]:
    """Files of a folder that are not what `write` would write: missing, other, or left over."""
    wanted = render(names)
    stale = [folder / name for name, text in wanted.items() if _read(folder / name) != text]
    found = (*folder.glob("*.json"), *folder.glob(f"{ALERTING}/*.yaml"))
    return stale + sorted(path for path in found if path.relative_to(folder).as_posix() not in wanted)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _built(board: Dashboard) -> DashboardModel:
    built = board.build()
    place(built.panels or [])
    return built


def _text(board: DashboardModel) -> str:
    return json.dumps(board, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
