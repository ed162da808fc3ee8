"""Writes every dashboard as the JSON that Grafana loads, the same bytes each time."""

import json
from collections.abc import Callable
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

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


def render(names: SiteNames) -> dict[str, str]:
    """The JSON text of each dashboard, by file name."""
    return {f"{name}.json": _text(build(names)) for name, build in DASHBOARDS.items()}


def write(folder: Path, names: SiteNames) -> list[Path]:
    """Write every dashboard into a folder, which is made when it is missing; raises OSError when it cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in render(names).items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def differing(folder: Path, names: SiteNames) -> list[Path]:
    """Files of a folder that are not what `write` would write: missing, other, or left over."""
    wanted = render(names)
    stale = [folder / name for name, text in wanted.items() if _read(folder / name) != text]
    return stale + sorted(path for path in folder.glob("*.json") if path.name not in wanted)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _text(board: Dashboard) -> str:
    built = board.build()
    place(built.panels or [])
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
