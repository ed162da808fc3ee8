"""What people are told of a YAML file that cannot be used."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from site_config.errors import ConfigurationError
from site_config.schema import Slug
from site_config.yaml_file import StrictModel, load_model, read_yaml


class _File(StrictModel):
    rate: float = 1.0
    count: int = 1
    names: tuple[str, ...] = ()
    inner: "_Inner | None" = None
    id: Slug = "x"
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] = "a@example.org"
    code: Annotated[str, Field(pattern="^(a|b)$")] = "a"


class _Inner(StrictModel):
    port: int = 1


_MISTAKES = {
    "a key twice": ("rate: 2\ncount: 1\nrate: 3\n", "line 3, column 1: the key 'rate' stands there a second time"),
    "a key twice, within": (
        "inner: {port: 1, port: 2}\n",
        "line 1, column 18: the key 'port' stands there a second time",
    ),
    "no such day": ("rate: 2026-06-31\n", "line 1, column 7: 2026-06-31: day is out of range for month"),
    "a tab": (
        "inner:\n\tport: 1\n",
        "line 2, column 1: found character that cannot start any token; check indentation",
    ),
    "a decimal comma": (
        "rate: 1,5\n",
        "rate: must be a number with a point before decimals, such as 1.5 (given: '1,5')",
    ),
    "a comma in a number": ("inner: {port: 1,883}\n", "inner[883]: is no key; a comma ends a value"),
    "a word": ("count: two\n", "count: must be a whole number (given: 'two')"),
    "an empty list": ("names:\n", "names: must be a list, each entry behind '- '"),
    "a name with a space": ("id: My oven\n", "id: 'My oven' must be lower-case letters, digits and hyphens"),
    "no e-mail address": ("email: ana\n", "email: 'ana' is no e-mail address, such as ana@example.org"),
    "another pattern": ("code: c\n", "code: 'c' does not match ^(a|b)$"),
    "a value for keys": ("inner: 5\n", "inner: must hold keys and values (given: 5)"),
}


@pytest.mark.parametrize("mistake", _MISTAKES)
def test_mistake_is_one_line_that_names_file_and_place(mistake: str, tmp_path: Path) -> None:
    text, said = _MISTAKES[mistake]
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_model(path, _File)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)


def test_merged_keys_may_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("common: &common {port: 1}\ninner: {<<: *common, port: 2}\n", encoding="utf-8")
    assert read_yaml(path)["inner"] == {"port": 2}
