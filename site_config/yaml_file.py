"""Reading a user's YAML file into a pydantic model, with errors that name file, key and rule in one line."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from site_config.errors import ConfigurationError

MAXIMUM_BYTES = 4 * 1024 * 1024

# The C loader is several times faster; PyYAML builds without libyaml have only the other.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class StrictModel(BaseModel):
    """A part of a user's file: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ModelT = TypeVar("ModelT", bound=BaseModel)


def read_yaml(path: Path, error: type[ConfigurationError] = ConfigurationError) -> Any:
    """Parse a YAML file; raises `error` with one line when it cannot be read or is no YAML."""
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise error(f"{path}: larger than {MAXIMUM_BYTES} bytes; is this the right file?")
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise error(f"{path}: cannot be read: {problem.strerror or problem}") from problem
    except UnicodeDecodeError as problem:
        raise error(f"{path}: is not UTF-8 text (byte {problem.start}); save it as UTF-8") from problem
    try:
        # _Loader is a safe loader in both cases.
        return yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        what = getattr(problem, "problem", None) or "not valid YAML"
        raise error(f"{path}:{where} {what}; check indentation, colons and quotes there") from problem


def load_model(path: Path, model: type[ModelT], error: type[ConfigurationError] = ConfigurationError) -> ModelT:
    """Read a YAML file into `model`; raises `error` with one line that names the file, the key and the rule."""
    data = read_yaml(path, error)
    if not isinstance(data, dict):
        raise error(f"{path}: must hold keys and values at the top, such as 'site: my-site'")
    try:
        return model.model_validate(data)
    except ValidationError as problem:
        raise error(f"{path}: {explain(problem)}") from problem


def explain(problem: ValidationError) -> str:
    """The first mistakes of a validation, in words, at most three."""
    lines = [_sentence(dict(entry)) for entry in problem.errors(include_url=False)]
    more = f" (and {len(lines) - 3} more)" if len(lines) > 3 else ""
    return "; ".join(lines[:3]) + more


def _sentence(entry: dict[str, Any]) -> str:
    key = ""
    for part in entry["loc"]:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    kind = entry["type"]
    if kind == "extra_forbidden":
        return f"{key}: unknown key; check its spelling"
    if kind == "missing":
        return f"{key}: is missing"
    if kind == "string_pattern_mismatch":
        return f"{key}: {entry.get('input')!r} must be lower-case letters, digits and hyphens, such as 'oven-meter'"
    message = str(entry["msg"]).removeprefix("Value error, ")
    shown = entry.get("input")
    given = f" (given: {shown!r})" if isinstance(shown, str | int | float | bool) else ""
    return f"{key}: {message}{given}" if key else message
