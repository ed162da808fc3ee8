"""Where a simulated device's registers come from: literal words, or values of a profile that change with time."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from simulators.encoding import Value
from simulators.errors import SimulatorError
from simulators.register_image import ReadAlone, RegisterImage, gap_addresses

FUNCTION_CODES = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
"""The tables of a register file, and the function code that reads each."""

MEASURING_CYCLE_S = 0.2
"""How often most meters renew what their registers show."""

Values = Callable[[], Mapping[str, Value]]
"""What the device measures now, by quantity."""


class RegisterSource(Protocol):
    """What a unit answers from."""

    def has_function(self, function_code: int) -> bool:
        """Whether the device knows this function code."""
        ...

    def words(self, function_code: int, address: int, count: int) -> Sequence[int] | None:
        """The words (or bits) of a range, None when an address in it is illegal."""
        ...


class LiteralRegisters:
    """Registers that stay as they are. An address that is not there is illegal."""

    def __init__(self, image: RegisterImage) -> None:
        self._image = image

    def has_function(self, function_code: int) -> bool:
        """Whether there is a table for it."""
        return function_code in self._image

    def words(self, function_code: int, address: int, count: int) -> Sequence[int] | None:
        """The words of a range, None when one is missing."""
        table = self._image.get(function_code, {})
        try:
            return [table[at] for at in range(address, address + count)]
        except KeyError:
            return None


class ChangingRegisters:
    """Registers of a device that measures.

    All requests within `refresh_interval_s` are answered from one set of values, as a meter's own measuring cycle does.

    Args:
        values: what it measures now.
        encode: from values to registers.
        clock: seconds, monotonic.
        refresh_interval_s: the measuring cycle.
        gap_max: so many unlisted registers between two listed ones belong to the device and read 0; an address in a
            wider gap is illegal. Real devices differ: a document lists what is meant to be read, not what can be.
        read_alone: registers that answer only when they are read by themselves.
    """

    def __init__(
        self,
        values: Values,
        encode: Callable[[Mapping[str, Value]], RegisterImage],
        clock: Callable[[], float],
        refresh_interval_s: float = MEASURING_CYCLE_S,
        gap_max: int = 32,
        read_alone: Sequence[ReadAlone] = (),
    ) -> None:
        self._values = values
        self._encode = encode
        self._clock = clock
        self._refresh_interval_s = refresh_interval_s
        self._read_alone = {(entry.function_code, entry.address, len(entry.words)): entry.words for entry in read_alone}
        self._image = encode(values())
        self._read_at_s = clock()
        self._gaps = {code: gap_addresses(table, gap_max) for code, table in self._image.items()}

    def has_function(self, function_code: int) -> bool:
        """Whether the profile has registers behind it."""
        return function_code in self._image

    def words(self, function_code: int, address: int, count: int) -> Sequence[int] | None:
        """The words of a range, None when an address in it is illegal."""
        alone = self._read_alone.get((function_code, address, count))
        if alone is not None:
            return alone
        now_s = self._clock()
        if now_s - self._read_at_s >= self._refresh_interval_s:
            self._image = self._encode(self._values())
            self._read_at_s = now_s
        table = self._image.get(function_code, {})
        gaps = self._gaps.get(function_code, frozenset())
        found = []
        for at in range(address, address + count):
            word = table.get(at)
            if word is None:
                if at not in gaps:
                    return None
                word = 0
            found.append(word)
        return found


def read_register_file(path: Path) -> RegisterImage:
    """Read `{"input": {"0": [17279, ...]}, "holding": {...}}`: 0-based start address -> 16-bit words.

    Raises:
        SimulatorError: the file cannot be read, or a table, an address or a word in it is none.
    """
    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise SimulatorError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SimulatorError(f"{path}: is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise SimulatorError(f'{path}: expected {{"input": {{"0": [1, 2]}}}}, found {type(document).__name__}')
    image: RegisterImage = {}
    for name, blocks in document.items():
        if name not in FUNCTION_CODES:
            raise SimulatorError(f"{path}: {name}: is none of {', '.join(FUNCTION_CODES)}")
        if not isinstance(blocks, dict):
            raise SimulatorError(f"{path}: {name}: expected start addresses with lists of words")
        table = image.setdefault(FUNCTION_CODES[name], {})
        for start, words in blocks.items():
            table.update(_block(path, name, start, words))
    return image


def _block(path: Path, name: str, start: str, words: Any) -> dict[int, int]:
    highest = 1 if name in {"coil", "discrete"} else 0xFFFF
    if not (start.isascii() and start.isdigit()) or not isinstance(words, list):
        raise SimulatorError(f"{path}: {name}: {start}: expected a 0-based address with a list of words")
    if int(start) + len(words) > 0x10000:
        raise SimulatorError(f"{path}: {name}: {start}: reaches beyond address 65535")
    for index, word in enumerate(words):
        if not isinstance(word, int) or isinstance(word, bool) or not 0 <= word <= highest:
            raise SimulatorError(f"{path}: {name}: {start}: word {index} is {word!r}, expected 0 to {highest}")
    return dict(enumerate(words, int(start)))
