"""Reading a user's YAML file into a pydantic model, with errors that name file, key and rule in one line."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from yaml.constructor import ConstructorError

from site_config.errors import ConfigurationError

UNNAMED = ""
"""A pydantic tag that stands in no message: of a choice that the file does not name."""
MAXIMUM_BYTES = 4 * 1024 * 1024

# The C loader is several times faster; PyYAML builds without libyaml have only the other.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]  # either of two classes
    """PyYAML takes the last of two equal keys without a word, and ends with a ValueError at a 31 June."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise ConstructorError(None, None, f"the key {key.value!r} stands there a second time", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError as problem:
            raise ConstructorError(None, None, f"{node.value}: {problem}", node.start_mark) from problem


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_timestamp)


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
        hint = "" if isinstance(problem, ConstructorError) else "; check indentation, colons and quotes there"
        raise error(f"{path}:{where} {what}{hint}") from problem


# Where pydantic speaks to programmers.
_RULES = {
    "tuple_type": "must be a list, each entry behind '- '",
    "list_type": "must be a list, each entry behind '- '",
    "model_type": "must hold keys and values",
    "dict_type": "must hold keys and values",
    "float_parsing": "must be a number with a point before decimals, such as 1.5",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "decimal_parsing": "must be a number with a point before decimals, such as 1200.5, and nothing else",
    "decimal_type": "must be a number with a point before decimals, such as 1200.5, and nothing else",
    "finite_number": "must be a number",
    "date_from_datetime_parsing": "is no date, such as 2026-11-30",
    "date_parsing": "is no date, such as 2026-11-30",
    "date_type": "is no date, such as 2026-11-30",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_type": "must be text; put it between quotes",
    "too_short": "has too few entries, at least {min_length} must be there",
    "too_long": "has too many entries, more than {max_length}",
    "invalid_key": "is no key; a comma ends a value, decimals stand behind a point",
}

# By what only such a pattern has.
_PATTERNS = {
    "0-9-]{0,62}": "must be lower-case letters, digits and hyphens, such as 'oven-meter'",
    "0-9_]{0,62}": "must be lower-case letters, digits and underscores, such as 'bread_out'",
    "^https?": "is no address, such as https://example.org",
    "@[^@": "is no e-mail address, such as ana@example.org",
    "[A-Z]{3}": "must be three capital letters, such as EUR",
    "[0-5]\\d": "is no time of day, such as 07:30",
}


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
    found = problem.errors(include_url=False)
    locations = [entry["loc"] for entry in found]
    # A list whose entries are wrong is told to be too short as well.
    lines = [
        _sentence(dict(entry))
        for entry in found
        if entry["type"] != "too_short"
        or not any(place[: len(entry["loc"])] == entry["loc"] != place for place in locations)
    ]
    more = f" (and {len(lines) - 3} more)" if len(lines) > 3 else ""
    return "; ".join(lines[:3]) + more


def _sentence(entry: dict[str, Any]) -> str:
    key = ""
    for part in (part for part in entry["loc"] if part != UNNAMED):
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    kind = entry["type"]
    if kind == "extra_forbidden":
        return f"{key}: unknown key; check its spelling"
    if kind == "missing":
        return f"{key}: is missing"
    if kind == "string_pattern_mismatch":
        pattern = entry["ctx"]["pattern"]
        rule = next((rule for mark, rule in _PATTERNS.items() if mark in pattern), f"does not match {pattern}")
        return f"{key}: {entry.get('input')!r} {rule}"
    message = str(entry["msg"]).removeprefix("Value error, ")
    if kind in {"too_short", "string_too_short"} and isinstance(entry.get("input"), str):
        least = entry["ctx"]["min_length"]
        message = "must not be empty" if least == 1 else f"must have at least {least} characters"
    elif kind in _RULES:
        message = _RULES[kind].format(**{name: _plain(value) for name, value in entry.get("ctx", {}).items()})
    shown = entry.get("input")
    given = f" (given: {shown!r})" if isinstance(shown, str | int | float | bool) else ""
    return f"{key}: {message}{given}" if key else message


def _plain(value: object) -> object:
    """A bound as people write it: 27, not 27.0."""
    return f"{value:g}" if isinstance(value, float) else value
