"""A stream of bytes, of which a reader looks at as much as it needs."""

from typing import BinaryIO


class Window:
    """The bytes that are looked at.

    `data` begins at byte `offset` of the stream; `is_final` when nothing follows it.
    """

    def __init__(self, stream: BinaryIO, usual_bytes: int):
        self.data, self.offset, self.is_final = b"", 0, False
        self._stream, self._usual_bytes = stream, usual_bytes
        self._surplus = memoryview(b"")  # was read already, and comes before the rest of the stream

    def fill(self, wanted: int) -> None:
        """Read on until there are so many bytes, or no more."""
        parts = [self.data]
        missing = wanted - len(self.data)
        while missing > 0 and not self.is_final:
            part = self._take(missing)
            self.is_final = not part
            parts.append(part)
            missing -= len(part)
        self.data = b"".join(parts)

    def skip(self, done: int) -> None:
        """Leave so many bytes behind. What grew beyond the usual is looked at anew, piece by piece."""
        self.offset += done
        rest = memoryview(self.data)[done:]
        if len(rest) > self._usual_bytes and not self._surplus:
            self.data, self._surplus, self.is_final = b"", rest, False
        else:
            self.data = bytes(rest)

    def _take(self, wanted: int) -> bytes:
        if not self._surplus:
            return self._stream.read(wanted)
        part, self._surplus = bytes(self._surplus[:wanted]), self._surplus[wanted:]
        return part
