"""The agent's state as it is kept with records: mostly the difference to a whole one before it."""

import zstandard

WHOLE_EVERY = 64
MAX_STATE_BYTES = 1024 * 1024
SHORTEST_DICTIONARY = 8
"""In bytes; zstd takes none that is shorter."""


class StateWriter:
    """Makes the state bytes of the entries of one segment."""

    def __init__(self) -> None:
        self._plain = zstandard.ZstdCompressor(level=1, write_checksum=True)
        self._against: zstandard.ZstdCompressor | None = None
        self._since_whole = 0

    def whole(self, state: bytes) -> bytes:
        """A state that can be read by itself, and that the following ones are compressed against."""
        self._against = None
        if len(state) >= SHORTEST_DICTIONARY:
            self._against = zstandard.ZstdCompressor(level=1, write_checksum=True, dict_data=_dictionary(state))
        self._since_whole = 0
        return self._plain.compress(state)

    def next(self, state: bytes) -> tuple[bytes, bool]:
        """The bytes, and whether they are a whole state."""
        self._since_whole += 1
        if self._against is None or self._since_whole >= WHOLE_EVERY:
            return self.whole(state), True
        return self._against.compress(state), False


class StateReader:
    """Reads the state bytes of the entries of one segment, in their order."""

    def __init__(self) -> None:
        self._against: zstandard.ZstdDecompressor | None = None

    def whole(self, data: bytes) -> bytes | None:
        """A whole state; None when it cannot be read."""
        state = _decompress(zstandard.ZstdDecompressor(), data)
        self._against = None
        if state is not None and len(state) >= SHORTEST_DICTIONARY:
            self._against = zstandard.ZstdDecompressor(dict_data=_dictionary(state))
        return state

    def next(self, data: bytes) -> bytes | None:
        """A state that was compressed against the last whole one; None when that one is missing or another."""
        return None if self._against is None else _decompress(self._against, data)


def _dictionary(state: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(state, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _decompress(decompressor: zstandard.ZstdDecompressor, data: bytes) -> bytes | None:
    try:
        if not 0 <= zstandard.frame_content_size(data) <= MAX_STATE_BYTES:
            return None
        return decompressor.decompress(data)
    except zstandard.ZstdError:
        return None
