"""A file -> readers of its pieces, which side by side find what one reader of the whole finds.

Where a piece may start is a guess: before a line that is a record by itself. Whether the guess was right shows when the
piece before it is read: its reader ends only where a reader of the whole would begin a new block with nothing in hand,
and a piece counts only if the one before it ended where it starts. So stray and never-closed quotes cost time, and
nothing else: the piece that has them is read on, and those that started within its texts are dropped.
"""

import io
import itertools
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from movies_platform.contracts.sources import Source
from movies_platform.engines.places import ReadAt
from movies_platform.errors import DeliveryRejected
from movies_platform.raw.reader import Header, Piece, RecordReader
from movies_platform.raw.scan import scan

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LINE = re.compile(rb"(?<=\n)[^\n]+\n")
_SEARCHED, _LINES = 2**20, 100  # bytes and lines in which a place to cut is looked for


class PieceTooLong(Exception):
    """A piece goes on farther than whoever reads it is allowed to go."""


class Part(Protocol):
    """What was made of a piece: it has so many records, and the next one starts at byte `end`."""

    records: int
    end: int


P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class Cut:
    """A file and where its pieces start: all that a reader of one of them has to know, on whatever machine."""

    path: str
    size: int
    file: str
    source: Source
    header: Header
    starts: tuple[int, ...]
    block_bytes: int

    def reader(self, read: ReadAt, number: int, *, until: int | None = None) -> RecordReader:
        """The reader of a piece, which gets bytes by `read`; one with `until` raises PieceTooLong beyond that byte."""
        stream = io.BufferedReader(_FileFrom(read, self.starts[number], until))
        piece = Piece(self.header, self.starts[number], self.starts[number + 1 :])
        return RecordReader(stream, self.file, self.source, block_bytes=self.block_bytes, piece=piece)


def cut(whole: RecordReader, piece_bytes: int) -> Cut | None:
    """The file in pieces of about so many bytes, each but the first starting with a line that is a record by itself.

    None for a file that is one piece: a small one, one that does not lie on this machine as it is, and one in which a
    line that is a record by itself may be a part of another one.
    """
    starts = starts_of(whole, piece_bytes)
    if len(starts) == 1:
        return None
    path, size = whole.stream.name, os.fstat(whole.stream.fileno()).st_size
    return Cut(path, size, whole.file, whole.source, whole.header, starts, whole.block_bytes)


def starts_of(whole: RecordReader, piece_bytes: int) -> tuple[int, ...]:
    """Where the pieces may start, ascending, the first where the records do."""
    starts = [whole.offset]
    if isinstance(whole.stream, io.BufferedReader) and whole.stream.seekable() and whole.tells_lines_apart:
        file = whole.stream.fileno()
        for wanted in range(whole.offset + piece_bytes, os.fstat(file).st_size, piece_bytes):
            begin = max(wanted, starts[-1] + 1)
            for line in itertools.islice(_LINE.finditer(os.pread(file, _SEARCHED, begin)), _LINES):
                found = scan(line[0], final=True)
                if found.irregular is None and found.columns.tolist() == [whole.width]:
                    starts.append(begin + line.start())
                    break
    return tuple(starts)


def read_side_by_side(
    whole: RecordReader, task: Callable[[RecordReader, int], P], *, cores: int, piece_bytes: int
) -> Iterator[P]:
    """What `task` makes of each piece, in the order of the file; it is given the piece's reader and number.

    `cores` pieces are read at a time; with one core, the file is one piece. Raises what a task raised, a
    DeliveryRejected with the record's number in the file; no piece is read on then.
    """
    pieces = cut(whole, piece_bytes) if cores > 1 else None
    if not pieces:
        yield task(whole, 0)
        return
    wanted, read_at = {*range(len(pieces.starts))}, partial(os.pread, whole.stream.fileno())
    readers: dict[int, RecordReader] = {}

    def read(number: int) -> P:
        reader = readers[number] = pieces.reader(read_at, number)
        if number not in wanted:
            reader.stop()
        return task(reader, number)

    def drop(*numbers: int) -> None:
        wanted.difference_update(numbers)
        for reader in [readers[number] for number in numbers if number in readers]:
            reader.stop()  # else whoever waits for its thread would wait for the rest of its piece

    with ThreadPoolExecutor(max_workers=cores) as pool:
        try:
            reading = [pool.submit(read, number) for number in sorted(wanted)]
            yield from in_order(pieces, lambda number: reading[number].result(), drop)
        finally:
            drop(*wanted)
            pool.shutdown(wait=False, cancel_futures=True)


def in_order(pieces: Cut, part: Callable[[int], P], drop: Callable[[int], object] = lambda number: None) -> Iterator[P]:
    """The parts that follow one another; `drop` is told the numbers of those that started within another one.

    A DeliveryRejected that `part` raises is raised with the record's number in the file. Raises OSError where the parts
    do not reach the end of the file.
    """
    records, end = 0, pieces.starts[0]
    try:
        for number, start in enumerate(pieces.starts):
            if start == end:
                found = part(number)
                yield found
                records, end = records + found.records, found.end
            else:
                drop(number)
    except DeliveryRejected as problem:
        problem.record = problem.record and problem.record + records
        raise
    if end != pieces.size:
        raise OSError(f"{pieces.file} was read to byte {end:,} of {pieces.size:,} only")


class _FileFrom(io.RawIOBase):
    """An open file from a byte on. Others may read it at the same time: its position is not used."""

    def __init__(self, read: ReadAt, position: int, until: int | None = None):
        self._read, self._position, self._until = read, position, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if self._until and self._position > self._until + io.DEFAULT_BUFFER_SIZE:
            raise PieceTooLong
        content = self._read(len(memoryview(buffer)), self._position)
        memoryview(buffer)[: len(content)] = content
        self._position += len(content)
        return len(content)
