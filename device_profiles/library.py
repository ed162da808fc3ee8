"""The profiles that come with the package, and those in a user's own folders: `<maker>/<model>.yaml`."""

import re
from collections.abc import Hashable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from device_profiles.conversion import build_profile
from device_profiles.errors import ProfileError, RuleError, UnknownProfileError
from device_profiles.profile import Profile
from device_profiles.schema import ProfileText

LIBRARY = Path(__file__).parent / "library"
FILE_LIMIT_BYTES = 1 << 20

_PROFILE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9-]{0,62}")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeyLoader(_Loader):  # type: ignore[misc]  # the C loader exists only where libyaml does
    """Refuses a key that stands twice: YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", key_node.start_mark)
            seen.add(key)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def profile_ids(extra_directories: Sequence[Path] = ()) -> tuple[str, ...]:
    """Every id that `load_profile` knows, sorted; no file is read."""
    found = {
        f"{path.parent.name}/{path.stem}"
        for directory in (*extra_directories, LIBRARY)
        for path in Path(directory).glob("*/*.yaml")
    }
    return tuple(sorted(name for name in found if _PROFILE_ID.fullmatch(name)))


def load_profile(profile_id: str, extra_directories: Sequence[Path] = ()) -> Profile:
    """Load one profile; a user's folders are searched before the package's.

    Raises UnknownProfileError when no folder has it, ProfileError when its file cannot be used.
    """
    return _load_cached(profile_id, tuple(Path(directory) for directory in extra_directories))


def load_profile_file(path: Path, profile_id: str | None = None, extra_directories: Sequence[Path] = ()) -> Profile:
    """Load a file; its id is its folder's name and its own, unless given.

    What it is based on is looked for in `extra_directories`, then in the package. Raises ProfileError.
    """
    path = Path(path)
    profile_id = profile_id or f"{path.parent.name}/{path.stem}"
    if not _PROFILE_ID.fullmatch(profile_id):
        raise ProfileError(f"{path}: name: a file is <maker>/<model>.yaml, in small letters, digits and hyphens")
    try:
        return build_profile(profile_id, ProfileText.model_validate(_read_with_base(path, tuple(extra_directories))))
    except ValidationError as problem:
        raise ProfileError(f"{path}: {_first_error(problem)}") from problem
    except RuleError as problem:
        raise ProfileError(f"{path}: {problem}") from problem


@lru_cache(maxsize=512)
def _load_cached(profile_id: str, extra_directories: tuple[Path, ...]) -> Profile:
    path = _find(profile_id, extra_directories)
    if path is not None:
        return load_profile_file(path, profile_id, extra_directories)
    raise UnknownProfileError(f"profile: there is no {profile_id!r}{_suggestion(profile_id, extra_directories)}")


def _suggestion(profile_id: str, extra_directories: tuple[Path, ...]) -> str:
    known = profile_ids(extra_directories)
    wanted = profile_id.lower().replace("_", "-").replace(" ", "-")
    model = wanted.rsplit("/", 1)[-1]
    close = [name for name in known if name.endswith(f"/{model}")]
    close += [name for name in get_close_matches(wanted, known, n=3, cutoff=0.6) if name not in close]
    models = {name.split("/")[1]: name for name in known}
    close += [models[name] for name in get_close_matches(model, models, n=3, cutoff=0.6) if models[name] not in close]
    if close:
        return f"; did you mean {' or '.join(close[:3])}?"
    return "; 'leanmeter profiles list' names them all"


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > FILE_LIMIT_BYTES:
            raise ProfileError(f"{path}: file: larger than {FILE_LIMIT_BYTES} bytes")
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506  # a safe loader
    except OSError as problem:
        raise ProfileError(f"{path}: file: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise ProfileError(f"{path}: file: not UTF-8 text") from problem
    except (yaml.YAMLError, RecursionError) as problem:
        raise ProfileError(f"{path}: {_yaml_problem(problem)}") from problem
    if not isinstance(content, dict):
        raise ProfileError(f"{path}: file: a profile is a mapping of keys (maker, models, ...)")
    return content


def _read_with_base(path: Path, extra_directories: tuple[Path, ...]) -> dict[str, Any]:
    """A file's keys over those of the profiles that it is based on."""
    own = _read(path)
    layers, base, seen = [own], own.get("based_on"), {path}
    while base is not None:
        base_path = _find(base, extra_directories) if isinstance(base, str) else None
        if base_path is None or base_path in seen:
            raise ProfileError(f"{path}: based_on: {base!r} is no other profile")
        seen.add(base_path)
        layers.append(_read(base_path))
        base = layers[-1].get("based_on")
    merged: dict[str, Any] = {}
    for layer in reversed(layers):
        for key, value in layer.items():
            inherited = merged.get(key)
            if isinstance(value, dict) and isinstance(inherited, dict):
                merged[key] = {name: entry for name, entry in {**inherited, **value}.items() if entry is not None}
            else:
                merged[key] = value
    return {key: value for key, value in merged.items() if value is not None}


def _find(profile_id: str, extra_directories: tuple[Path, ...]) -> Path | None:
    if not _PROFILE_ID.fullmatch(profile_id):
        return None
    paths = (Path(directory) / f"{profile_id}.yaml" for directory in (*extra_directories, LIBRARY))
    return next((path for path in paths if path.is_file()), None)


def _yaml_problem(problem: Exception) -> str:
    mark = getattr(problem, "problem_mark", None)
    text = getattr(problem, "problem", None) or "no valid YAML"
    return f"line {mark.line + 1}: {text}" if mark is not None else f"file: {text}"


def _first_error(problem: ValidationError) -> str:
    errors = problem.errors(include_url=False)
    first = errors[0]
    key = ".".join(str(part) for part in first["loc"]) or "file"
    rule = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        rule = "there is no such key"
    elif first["type"] == "missing":
        rule = "is missing"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{key}: {rule}{more}"
