"""The bytes of a delivered CSV file -> its records, none lost.

One reader for every file; what is particular to a file is declared (`contracts.sources.Source`). Oddities of the data
set: three records of movies_metadata are broken in two by a stray line break inside an unquoted overview (readers see
one record with too few columns, and a next one that starts with the rest of the text): they are joined again. 252
records have line breaks inside quotes, which is no fault. Records are numbered as an ordinary CSV reader counts them:
a broken one counts as two, an empty line as none.
"""

import codecs
import csv
import io
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import BinaryIO, NamedTuple

import numpy as np

from movies_platform.contracts.sources import Source
from movies_platform.contracts.text import read_positive_integer
from movies_platform.errors import DeliveryRejected
from movies_platform.raw.repair import join, text_ends
from movies_platform.raw.scan import Mask, Positions, Record, Scan, parse, parse_regular, scan, split

BLOCK_BYTES = 8 * 2**20
ROW_GROUP = 122_880  # records that DuckDB compresses together
# DuckDB's CSV reader takes lines up to 2 MiB; longer ones go to the database as values.
LONGEST_LINE = 2**20
LONGEST_RECORD = 2**31
VALUE_LENGTH = 500
LARGEST_BATCH = 2**28  # bytes of lines; a row group of movies has some 95 million
SMALLEST_BATCH = 2**25  # a row group of ratings has 3 million, and each batch costs the database some milliseconds
MANY_ISSUES = 10_000
_EXACT_STRETCH = 2**20  # how much is read exactly after an irregular quote before scanning is tried again
_FARTHEST = 2**26  # how much is read exactly at most: csv takes four bytes a character and more
_FAULTS_AT_ONCE = 2**20  # faults wait for what follows, but not for ever
_LONGEST_HEADER = 2**18

_LINE_BREAK = re.compile(rb"[\r\n]+")
_FIRST_LINE = re.compile(rb"[^\r\n][\r\n]")  # behind empty lines


class Issue(NamedTuple):
    """A row of data_issues, without month and file."""

    record_number: int
    movie_id: int | None
    column_name: str | None
    issue: str
    action: str
    value: str


@dataclass
class Batch:
    """Consecutive records of a file: a row group, or several of them where records are short.

    `lines` is a file of CSV, of records that each end with LF, and `numbers` the numbers of these `count` records.
    `long` are (number, columns) of records that are too long for a line. `size` is that of the texts together.
    """

    lines: BinaryIO
    numbers: list[range] = field(default_factory=list)
    long: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    count: int = 0
    size: int = 0

    @property
    def is_full(self) -> bool:
        """Whether it is to be stored before more is read."""
        is_large = self.size >= SMALLEST_BATCH and self.count > 0 and self.count % ROW_GROUP == 0
        return is_large or self.size >= LARGEST_BATCH or len(self.issues) >= MANY_ISSUES

    def record_numbers(self) -> Positions:
        """Numbers of the records in `lines`, in their order."""
        return np.concatenate([np.arange(each.start, each.stop) for each in self.numbers])


@dataclass(frozen=True)
class Header:
    """Names of a file's columns, in the order of the file; `extra` are those that nobody declared."""

    names: tuple[str, ...]
    extra: tuple[str, ...]


@dataclass(frozen=True)
class Piece:
    """A part of a file from byte `start` on; it ends with the file or at one of `ends`, where other pieces start."""

    header: Header
    start: int
    ends: tuple[int, ...]


class RecordReader:
    """Reads the records of one file, or of a piece of it, batch by batch.

    `records` is how many records an ordinary CSV reader has seen so far, `joined` how many of them were the rest of a
    broken one, `offset` the byte where the next one starts. Raises DeliveryRejected for what is no such file.
    """

    def __init__(
        self, stream: BinaryIO, file: str, source: Source, *, block_bytes: int = BLOCK_BYTES, piece: Piece | None = None
    ):
        self.stream, self.file, self.source, self.block_bytes = stream, file, source, block_bytes
        # The bytes that are looked at, beginning at byte `offset` of the file; behind them comes what was read already
        # (`_pending`), then the rest of the stream.
        self.offset, self._data, self._pending, self._is_final = (
            piece.start if piece else 0,
            b"",
            memoryview(b""),
            False,
        )
        self._ends = piece.ends if piece else ()
        self.records = self.joined = 0
        self._is_stopped = False
        self._full: list[Batch] = []
        self._fill(max(block_bytes, len(codecs.BOM_UTF8)))
        if not piece and self._data.startswith(codecs.BOM_UTF8):
            self._skip(len(codecs.BOM_UTF8))
        self.header = piece.header if piece else self._read_header()
        names = self.header.names
        self.width = len(names)
        self._place = names.index(source.breaks_in) if source.breaks_in else None
        self._id_place = names.index(source.movie_id) if source.movie_id else None

    def batches(self, new_file: Callable[[], BinaryIO] = io.BytesIO) -> Iterator[Batch]:
        """Every record, in order; the lines of each batch are written to a new file.

        A piece ends at one of its `ends` if nothing waits for what follows: where a block of the whole file might end.
        """
        self._new_file, self._batch = new_file, Batch(new_file())
        wanted = self.block_bytes
        while (self._data or not self._is_final) and not self._is_stopped:
            found = scan(self._data, final=self._is_final)
            doubtful = self._first_doubtful(found)
            length = self._read_regular(found, doubtful)
            if not length and doubtful is not None:
                length = self._read_exactly(doubtful)
            if length:
                self._skip(length)
                wanted = self.block_bytes
            else:
                wanted = min(max(wanted, 2 * len(self._data)), LONGEST_RECORD + 1)
            self._begin_batch_if_full()
            yield from self._full
            self._full.clear()
            if not self._data and self.offset in self._ends:
                break
            if len(self._data) > LONGEST_RECORD:
                raise DeliveryRejected(
                    f"is longer than {LONGEST_RECORD:,} bytes, or a quote is never closed",
                    file=self.file, record=self.records + 1, remedy="Deliver the file again, whole.",
                )  # fmt: skip
            self._fill(wanted)
        yield self._batch

    @property
    def tells_lines_apart(self) -> bool:
        """Whether a line that is a record by itself is no part of a broken one: records break within."""
        return self._place not in (0, self.width - 1)

    def stop(self) -> None:
        """End `batches` after the block that is read now, in whichever thread that is: nobody needs the rest."""
        self._is_stopped = True

    def _fill(self, wanted: int) -> None:
        """Read on until there are so many bytes, or no more, or a piece may end there."""
        parts = [self._data]
        behind = bisect_right(self._ends, self.offset + len(self._data))
        if behind < len(self._ends):
            wanted = min(wanted, self._ends[behind] - self.offset)
        missing = wanted - len(self._data)
        while missing > 0 and not self._is_final:
            part = bytes(self._pending[:missing]) or self.stream.read(missing)
            self._pending = self._pending[len(part) :]
            self._is_final = not part
            parts.append(part)
            missing -= len(part)
        self._data = b"".join(parts)

    def _skip(self, length: int) -> None:
        """Leave so many bytes behind. What grew beyond a block is looked at again, block by block."""
        self.offset += length
        rest = memoryview(self._data)[length:]
        if len(rest) > self.block_bytes and not self._pending:
            self._data, self._pending, self._is_final = b"", rest, False
        else:
            self._data = bytes(rest)

    def _decode(self, part: bytes, *, header: bool = False) -> str:
        try:
            return part.decode("utf-8")
        except UnicodeDecodeError as problem:
            at = self.offset + problem.start
            hint = " (it looks like UTF-16)" if not self.offset and part[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
            raise DeliveryRejected(
                f"is not UTF-8: byte 0x{part[problem.start]:02x} at offset {at:,}{hint}",
                file=self.file, record=None if header else self._number_at(part[: problem.start]),
                remedy="Deliver it encoded as UTF-8.",
            ) from problem  # fmt: skip

    def _number_at(self, before: bytes) -> int:
        """Number of the record that goes on behind the bytes `before`."""
        text = before.decode("utf-8") + "?"
        records = split(text, width=self.width, final=True, until=len(text))
        return self.records + sum(bool(record.columns) for record in records)

    def _read_header(self) -> Header:
        """The names in the first line that is not empty.

        Whatever follows is not judged: what is looked at may even end within a character.
        """
        while not self._is_final and len(self._data) < _LONGEST_HEADER and not _FIRST_LINE.search(self._data):
            self._fill(2 * len(self._data) + 1)
        text = self._data[:_LONGEST_HEADER].decode("utf-8", errors="surrogateescape")
        before = ""
        for record in split(text, width=0, final=True, until=len(text)):
            before += record.text + record.ending
            if record.columns:
                break
        else:
            raise self._wrong_header("is empty")
        length = len(before.encode("utf-8", errors="surrogateescape"))
        self._decode(self._data[:length], header=True)
        self._skip(length)
        names, required = tuple(name.strip() for name in record.columns), self.source.columns
        if missing := [name for name in required if name not in names]:
            raise self._wrong_header(f"lacks the required columns {', '.join(missing)}")
        if twice := [name for name in required if names.count(name) > 1]:
            raise self._wrong_header(f"has columns twice: {', '.join(twice)}")
        extra = (name or f"column {place}" for place, name in enumerate(names, start=1) if name not in required)
        return Header(names, tuple(extra))

    def _wrong_header(self, problem: str) -> DeliveryRejected:
        remedy = f"Its first line must name the columns of the data set: {', '.join(self.source.columns)}."
        return DeliveryRejected(problem, file=self.file, remedy=remedy)

    def _first_doubtful(self, found: Scan) -> int | None:
        """Offset from which on the scan is not to be trusted; None where it is.

        That is a quote in an odd place, or a record of the wrong width with line breaks in its quotes: one of
        them may belong to another record.
        """
        faults = np.flatnonzero((found.columns != self.width) & (found.columns > 0))
        for start, end in zip(found.starts[faults].tolist(), found.ends[faults].tolist(), strict=True):
            if any(line_break in self._data[start:end] for line_break in (b"\n", b"\r")):
                return int(start)
        return found.irregular

    def _read_regular(self, found: Scan, doubtful: int | None) -> int:
        """Take the records that the scan is sure of; how many bytes they are."""
        is_good = found.columns == self.width
        if doubtful is not None:
            is_good = is_good[: np.searchsorted(found.starts, doubtful)]
        count = len(is_good)
        if not self._is_final or doubtful is not None:
            may_wait = doubtful is not None or found.consumed < _FAULTS_AT_ONCE
            count = self._known(is_good, may_wait=may_wait)
        if not count:
            return 0
        length = int(found.nexts[count - 1])
        self._decode(self._data[:length])
        # Empty lines are a fault where they may be text of a broken record, which is next to another fault.
        around = np.concatenate([[True], is_good[:count], [True]])
        is_fault = ~is_good[:count] & ~((found.columns[:count] == 0) & around[:-2] & around[2:])
        if self._place == 0:  # what looks like a whole record may be the end of a broken one
            is_fault[1:] |= is_fault[:-1]
        if self._place == self.width - 1:  # or the beginning
            is_fault[:-1] |= is_fault[1:]
        for first, last in pairwise([0, *(np.flatnonzero(np.diff(is_fault)) + 1).tolist(), count]):
            if is_fault[first]:
                self._judge([self._record(found, index) for index in range(first, last)])
            else:
                self._accept_lines(found, first, last)
        return length

    def _read_exactly(self, doubtful: int) -> int:
        """Take a stretch that counting quotes cannot judge; how many bytes it is, 0 before enough of it is there.

        An open quote may be closed by what follows. One that is open farther than is read exactly ends with a line, and
        of a longer line only the beginning is looked at.
        """
        data, farthest = self._data, doubtful + _FARTHEST
        if not self._is_final and len(data) < doubtful + _EXACT_STRETCH:
            return 0
        end = len(data) if self._is_final else max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        is_far = end > farthest
        if is_far:
            line_break = _LINE_BREAK.search(data, farthest)
            end = line_break.end() if line_break else len(data)
        text = self._decode(data[:end])
        if end > farthest + _FARTHEST:  # which may cut a character in two
            text = data[: farthest + _FARTHEST].decode("utf-8", errors="ignore")
        until = len(data[:doubtful].decode("utf-8", errors="ignore")) + _EXACT_STRETCH
        records = split(text, width=self.width, final=self._is_final or is_far, until=until)
        length = sum(record.length for record in records)
        if length < len(text) or not (self._is_final or is_far):
            may_wait = not self._is_final and not is_far and length < _FAULTS_AT_ONCE
            is_good = np.array([len(record.columns) == self.width for record in records], bool)
            records = records[: self._known(is_good, may_wait=may_wait)]
            length = sum(record.length for record in records)
        self._judge(records)
        return end if length == len(text) else len(text[:length].encode())

    def _known(self, is_good: Mask, *, may_wait: bool) -> int:
        """How many records can be judged before more is read.

        Faults at the end wait for what follows: they may be the first half of a broken record. So does a good record
        that would break in its last column. (Not for ever: the buffer would grow.)
        """
        good = np.flatnonzero(is_good)
        known = int(good[-1]) + (self._place != self.width - 1) if len(good) else 0
        return known if known or may_wait else len(is_good)

    def _record(self, found: Scan, index: int) -> Record:
        start, end, following = found.starts[index], found.ends[index], found.nexts[index]
        text, ending = self._data[start:end].decode("utf-8"), self._data[end:following].decode("utf-8")
        return Record(text, ending, parse(text) if text else ())

    def _accept_lines(self, found: Scan, first: int, last: int) -> None:
        """Take records of the right width and with quotes in order: their bytes are good as they are."""
        is_record = found.columns[first:last] > 0  # others are empty lines
        starts, ends, nexts = (each[first:last][is_record] for each in (found.starts, found.ends, found.nexts))
        while len(starts):
            count = min(len(starts), ROW_GROUP - self._batch.count % ROW_GROUP)
            lengths = ends[:count] - starts[:count]
            if lengths.max() > LONGEST_LINE:
                for start, end in zip(starts[:count], ends[:count], strict=True):
                    self._accept(parse_regular(self._data[start:end]))
            else:
                piece = self._data[starts[0] : nexts[count - 1]]
                is_as_it_is = len(piece) == (lengths + 1).sum() and piece.endswith(b"\n") and b"\r" not in piece
                if not is_as_it_is:  # not each of them ends with LF alone
                    piece = self._ending_with_lf(piece, starts[:count], ends[:count], nexts[:count])
                self._add_lines(piece, count)
            starts, ends, nexts = starts[count:], ends[count:], nexts[count:]

    def _ending_with_lf(self, piece: bytes, starts: Positions, ends: Positions, nexts: Positions) -> bytes:
        """The records of `piece`, each with LF behind it, and no empty lines."""
        if (nexts - ends == 2).all() and len(piece) == (nexts - starts).sum() and piece.count(b"\r\n") == len(starts):
            return piece.replace(b"\r\n", b"\n")  # none is within a record
        return b"".join(self._data[start:end] + b"\n" for start, end in zip(starts, ends, strict=True))

    def _judge(self, records: list[Record]) -> None:
        """Accept, join or reject each of the records."""
        position, ends = 0, text_ends(records)
        while position < len(records):
            record, pieces = records[position], 1
            if joined := join(records, position, ends[position], width=self.width, place=self._place):
                columns, pieces = joined
                self._accept(columns)
                self._note(columns, "broken_record", "repaired", columns[self._place or 0])
                rest = sum(bool(piece.columns) for piece in records[position + 1 : position + pieces])
                self.records += rest
                self.joined += rest
            elif len(record.columns) == self.width:
                self._accept(record.columns)
                if record.is_unclosed:
                    self._note(record.columns, "broken_record", "repaired", record.columns[-1])
            elif record.columns:
                self.records += 1
                self._note(record.columns, "column_count", "rejected", record.text)
            position += pieces

    def _accept(self, columns: tuple[str, ...]) -> None:
        size = sum(map(len, columns))
        if size > LONGEST_LINE // 4:
            self.records += 1
            self._batch.long.append((self.records, columns))
            self._batch.size += size
            self._begin_batch_if_full()
        else:
            line = io.StringIO(newline="")
            csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(columns)
            self._add_lines(line.getvalue().encode(), 1)

    def _add_lines(self, piece: bytes, count: int) -> None:
        batch = self._batch
        batch.lines.write(piece)
        batch.numbers.append(range(self.records + 1, self.records + 1 + count))
        batch.count += count
        batch.size += len(piece)
        self.records += count
        self._begin_batch_if_full()

    def _note(self, columns: tuple[str, ...], issue: str, action: str, value: str) -> None:
        place = self._id_place
        movie_id = read_positive_integer(columns[place]) if place is not None and place < len(columns) else None
        self._batch.issues.append(Issue(self.records, movie_id, None, issue, action, value[:VALUE_LENGTH]))

    def _begin_batch_if_full(self) -> None:
        if self._batch.is_full:
            self._full.append(self._batch)
            self._batch = Batch(self._new_file())
