"""Finds plants: the ready ones by their id, others by their path."""

from importlib import resources
from pathlib import Path

from simulators.factory.schema import PlantFile, PlantFileError
from site_config.yaml_file import load_model


def ready_plants() -> list[str]:
    """The ids of the plants that come with Leanmeter."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def load_plant(name: str) -> PlantFile:
    """A ready plant by its id, or a plant file by its path; raises PlantFileError in one line."""
    if name in ready_plants():
        return load_model(_folder() / f"{name}.yaml", PlantFile, PlantFileError)
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"}:
        raise PlantFileError(f"no plant {name!r}; there are {', '.join(ready_plants())}, or name a .yaml file")
    return load_model(path, PlantFile, PlantFileError)


def _folder() -> Path:
    return Path(str(resources.files("simulators"))) / "plants"
