"""The bytes in docs/wire-format.md are read as the document says."""

import re
from pathlib import Path

import msgspec
import pytest
import zstandard

from tests.wire_format.golden import ACKNOWLEDGEMENTS, BATCHES
from wire_format import limits
from wire_format.codec import decode_acknowledgement, decode_batch, encode_acknowledgement, encode_batch
from wire_format.quality import Quality

DOCUMENT = (Path(__file__).parents[2] / "docs" / "wire-format.md").read_text(encoding="utf-8")
MESSAGES = {
    (kind, name): bytes.fromhex(digits)
    for kind, name, digits in re.findall(r"```(batch|acknowledgement) (\S+)\n([0-9a-f\s]+)```", DOCUMENT)
}


def unpacked(message: bytes) -> object:
    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(message[17:]))


def test_document_has_every_message() -> None:
    assert set(MESSAGES) == {
        *(("batch", name) for name in BATCHES),
        *(("acknowledgement", name) for name in ACKNOWLEDGEMENTS),
    }


@pytest.mark.parametrize("name", BATCHES)
def test_batch(name: str) -> None:
    message = MESSAGES["batch", name]
    assert decode_batch(message) == BATCHES[name]
    if name != "unknown-elements":
        ours = encode_batch(BATCHES[name])
        assert (ours[:17], unpacked(ours)) == (message[:17], unpacked(message))


@pytest.mark.parametrize("name", ACKNOWLEDGEMENTS)
def test_acknowledgement(name: str) -> None:
    message = MESSAGES["acknowledgement", name]
    assert decode_acknowledgement(message) == ACKNOWLEDGEMENTS[name]
    ours = encode_acknowledgement(ACKNOWLEDGEMENTS[name])
    assert (ours[:17], unpacked(ours)) == (message[:17], unpacked(message))


def test_unpacked_bytes_worked_out_by_hand() -> None:
    assert unpacked(MESSAGES["batch", "shared-layout"]) == [
        "none",
        [[["active_power_total", "W", -1], ["alarms", "bitfield", 0]], [["weight_net", "kg", -4]]],
        [
            # 100, then 90 - 100; the smallest integer, then -1 to the largest (modulo 2**64), then back to 0.
            ["a", 0, 1000, [1000, 1001], [100, None, -10, -(2**63), -1, -(2**63) + 1], [[0, 0, 1, 4, 1, 0, 1]]],
            ["b-2", 0, 1040, [1000, 1000], [5, 0, 0, 0, 0, 0], [[0, 1, 2, 2, 1]]],
            ["a", 1, 500, [], [12345], []],
        ],
    ]


def test_bounds_are_those_of_the_code() -> None:
    table = DOCUMENT.partition("## Bounds")[2].partition("## ")[0]
    numbers = [int(number.replace(" ", "")) for number in re.findall(r"\| ([\d ]+\d)(?: bytes)? \|", table)]
    assert numbers == [
        limits.MAX_MESSAGE_BYTES,
        limits.MAX_UNPACKED_BYTES,
        limits.MAX_DEVICES,
        limits.MAX_COLUMNS,
        limits.MAX_ROWS,
        limits.MAX_CELLS,
        limits.MAX_EVENTS,
    ]


def test_qualities_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (\d) \| (.+?)(?::.*)? \| (yes|no) \|$", DOCUMENT, re.MULTILINE)
    assert [(int(code), name.replace(" ", "_").upper(), value == "yes") for code, name, value in rows] == [
        (quality.value, quality.name, quality.has_value) for quality in Quality
    ]
