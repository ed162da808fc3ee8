"""A file that is only ever appended to."""

import os


class AppendFile:
    """Writes go to the end of the last whole entry: `size` is where that is, and nothing beyond it counts."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.descriptor = descriptor
        self.size = size
        self._rest_beyond_size = False

    def append(self, data: bytes) -> int:
        """Write at the end and return where it begins; raises OSError and leaves nothing of it."""
        start = self.size
        if self._rest_beyond_size:
            self.cut_off_rest()
        view = memoryview(data)
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self.descriptor, view[written:], start + written)
        except OSError:
            self._rest_beyond_size = True
            if written:
                self.cut_off_rest()
            raise
        self.size = start + len(data)
        return start

    def cut_off_rest(self) -> None:
        """Shorten the file to its whole entries; raises OSError."""
        if os.fstat(self.descriptor).st_size > self.size:
            os.ftruncate(self.descriptor, self.size)
        self._rest_beyond_size = False

    def clear(self) -> None:
        """Make it empty; raises OSError, and then the file still counts as it is."""
        os.ftruncate(self.descriptor, 0)
        self.size = 0
        self._rest_beyond_size = False

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.descriptor)
