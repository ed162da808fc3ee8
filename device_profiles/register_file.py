"""Literal registers in a JSON file: `{"input": {"0": [17279, ...]}}`, 0-based start address -> 16-bit values.

Tables are `holding`, `input`, and of single bits (0 or 1) `coil` and `discrete`.
"""

import json
from pathlib import Path
from typing import Any

from device_profiles.encodings import BIT_CODES
from device_profiles.errors import ProfileError
from device_profiles.profile import FunctionCode

FILE_LIMIT_BYTES = 4 << 20
TABLES: dict[str, FunctionCode] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}

Registers = dict[int, dict[int, int]]
"""Function code -> address -> 16-bit value."""


def read_register_file(path: Path) -> Registers:
    """Read a file; raises ProfileError that names the file, the key and what is wrong."""
    try:
        if path.stat().st_size > FILE_LIMIT_BYTES:
            raise ProfileError(f"{path}: file: larger than {FILE_LIMIT_BYTES} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ProfileError(f"{path}: file: {problem.strerror}") from problem
    except (UnicodeDecodeError, RecursionError) as problem:
        raise ProfileError(f"{path}: file: no JSON text") from problem
    except json.JSONDecodeError as problem:
        raise ProfileError(f"{path}: line {problem.lineno}: no valid JSON ({problem.msg})") from problem
    try:
        return parse_registers(content)
    except ProfileError as problem:
        raise ProfileError(f"{path}: {problem}") from problem


def parse_registers(content: Any) -> Registers:
    """Check what a file holds; raises ProfileError with key and rule."""
    if not isinstance(content, dict):
        raise ProfileError('file: registers are {"input": {"0": [...]}, "holding": {...}}')
    found: Registers = {}
    for table, blocks in content.items():
        if table not in TABLES:
            raise ProfileError(f"{table}: there is no such table, only {', '.join(TABLES)}")
        if not isinstance(blocks, dict):
            raise ProfileError(f'{table}: must be {{"start address": [values]}}')
        words = found.setdefault(TABLES[table], {})
        for start, values in blocks.items():
            _add_block(words, f"{table}.{start}", start, values, 1 if TABLES[table] in BIT_CODES else 65535)
    return found


def _add_block(words: dict[int, int], key: str, start: str, values: Any, highest: int) -> None:
    if not (start.isascii() and start.isdecimal()) or int(start) > 65535:
        raise ProfileError(f"{key}: a start address is a number from 0 to 65535")
    if not isinstance(values, list):
        raise ProfileError(f"{key}: must be a list of 16-bit values")
    for address, value in enumerate(values, int(start)):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= highest:
            raise ProfileError(f"{key}: {value!r} at address {address} is no number from 0 to {highest}")
        if address > 65535:
            raise ProfileError(f"{key}: {len(values)} values reach beyond address 65535")
        if words.get(address, value) != value:
            raise ProfileError(f"{key}: address {address} is given twice with different values")
        words[address] = value
