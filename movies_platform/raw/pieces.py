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
from typing import TYPE_CHECKING, TypeVar

from movies_platform.errors import DeliveryRejected
from movies_platform.raw.reader import Piece, RecordReader
from movies_platform.raw.scan import scan

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LINE = re.compile(rb"(?<=\n)[^\n]+\n")
_SEARCHED, _LINES = 2**20, 100  # bytes and lines in which a place to cut is looked for


P = TypeVar("P")


def starts_of(whole: RecordReader, piece_bytes: int) -> tuple[int, ...]:
    """Where pieces of about so many bytes may start, ascending, the first where the records do.

    Only a file that lies on this machine as it is can be read from its middle, and only one in which a line that is a
    record by itself is no part of another one.
    """
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
) -> Iterator[tuple[RecordReader, P]]:
    """The reader of each piece, which has read it, and what `task` made of it, in the order of the file.

    A task is given the piece's reader and number.

    `cores` pieces are read at a time; with one core, the file is one piece. Raises what a task raised, a
    DeliveryRejected with the record's number in the file; no piece is read on then.
    """
    starts = starts_of(whole, piece_bytes) if cores > 1 else (whole.offset,)
    wanted = {*range(len(starts))}
    readers: dict[int, RecordReader] = {}

    def read(number: int) -> P:
        reader = readers[number] = _reader(whole, starts, number)
        if number not in wanted:
            reader.stop()
        return task(reader, number)

    def drop(*numbers: int) -> None:
        wanted.difference_update(numbers)
        for reader in [readers[number] for number in numbers if number in readers]:
            reader.stop()  # else whoever waits for its thread would wait for the rest of its piece

    records, end = 0, starts[0]
    with ThreadPoolExecutor(max_workers=cores) as pool:
        try:
            reading = [pool.submit(read, number) for number in range(len(starts))]
            for number, start in enumerate(starts):
                if start == end:
                    part = reading[number].result()
                    yield readers[number], part
                    records, end = records + readers[number].records, readers[number].offset
                else:
                    drop(number)
        except DeliveryRejected as problem:
            problem.record = problem.record and problem.record + records
            raise
        finally:
            drop(*wanted)
            pool.shutdown(wait=False, cancel_futures=True)


def _reader(whole: RecordReader, starts: tuple[int, ...], number: int) -> RecordReader:
    if len(starts) == 1:
        return whole
    stream = io.BufferedReader(_FileFrom(whole.stream.fileno(), starts[number]))
    piece = Piece(whole.header, starts[number], starts[number + 1 :])
    return RecordReader(stream, whole.file, whole.source, block_bytes=whole.block_bytes, piece=piece)


class _FileFrom(io.RawIOBase):
    """An open file from a byte on. Others may read it at the same time: its position is not used."""

    def __init__(self, file: int, position: int):
        self._file, self._position = file, position

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        content = os.pread(self._file, len(memoryview(buffer)), self._position)
        memoryview(buffer)[: len(content)] = content
        self._position += len(content)
        return len(content)
