"""The bytes of movies_metadata.csv -> its records, none lost.

Oddities of this data set: three records are broken in two by a stray line break inside an
unquoted overview (readers see one record with too few columns, and a next one that starts with the
rest of the text): they are joined again. 252 records have line breaks inside quotes, which is no
fault. Records are numbered as an ordinary CSV reader counts them: a broken one counts as two, an empty line
as none.
"""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from movies_platform.errors import DeliveryRejected
from movies_platform.raw import exact
from movies_platform.raw.blocks import LONGEST_LINE, ROW_GROUP, Block
from movies_platform.raw.exact import Record
from movies_platform.raw.header import Header, first_line, judged
from movies_platform.raw.ledger import Ledger
from movies_platform.raw.scan import Scan, runs, scan
from movies_platform.raw.window import Window

BLOCK_BYTES = 8 * 2**20
LONGEST_RECORD = 2**31
_EXACT_STRETCH = 2**20  # how much is read exactly after an odd quote before scanning is tried again
_FARTHEST = 2**26  # how much is read exactly at most: csv takes four bytes a character and more
_FAULTS_AT_ONCE = 2**20  # faults wait for what follows, but not for ever
_LONGEST_HEADER = 2**18

_LINE_BREAK = re.compile(rb"[\r\n]+")
_FIRST_LINE = re.compile(rb"[^\r\n][\r\n]")  # behind empty lines


class RecordReader:
    """Reads the records of one file, block by block.

    Raises DeliveryRejected for what is no such file. A piece of lines ends after every `cut` lines.
    """

    def __init__(self, stream: BinaryIO, file: str, *, block_bytes: int = BLOCK_BYTES, cut: int = ROW_GROUP):
        self._file, self._block_bytes, self.cut = file, block_bytes, cut
        self._window = Window(stream, block_bytes)
        self._window.fill(max(block_bytes, len(codecs.BOM_UTF8)))
        if self._window.data.startswith(codecs.BOM_UTF8):
            self._window.skip(len(codecs.BOM_UTF8))
        self.header = self._read_header()
        self._ledger = Ledger(self.header)

    @property
    def records(self) -> int:
        """How many an ordinary CSV reader has seen so far."""
        return self._ledger.records

    @property
    def joined(self) -> int:
        """How many of them were the rest of a broken one."""
        return self._ledger.joined

    def blocks(self) -> Iterator[Block]:
        """Every record of the file, in order."""
        wanted = self._block_bytes
        while self._window.data or not self._window.is_final:
            found = scan(self._window.data, final=self._window.is_final)
            doubt = self._doubt(found)
            stop = self._regular(found, doubt)
            if not stop and doubt is not None:
                stop = self._odd(doubt)
            if stop:
                self._window.skip(stop)
                wanted = self._block_bytes
                yield self._ledger.taken()
            else:
                wanted = max(wanted, 2 * len(self._window.data))
            if len(self._window.data) > LONGEST_RECORD:
                raise DeliveryRejected(
                    f"is longer than {LONGEST_RECORD:,} bytes, or a quote is never closed",
                    file=self._file, record=self.records + 1, remedy="Deliver the file again, whole.",
                )  # fmt: skip
            self._window.fill(wanted)

    def _decode(self, part: bytes, *, header: bool = False) -> str:
        try:
            return part.decode("utf-8")
        except UnicodeDecodeError as problem:
            at = self._window.offset + problem.start
            hint = " (it looks like UTF-16)" if part[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ""
            raise DeliveryRejected(
                f"is not UTF-8: byte 0x{part[problem.start]:02x} at offset {at:,}{hint}",
                file=self._file, record=None if header else self._number_at(part[: problem.start]),
                remedy="Deliver it encoded as UTF-8.",
            ) from problem  # fmt: skip

    def _number_at(self, before: bytes) -> int:
        """Number of the record that goes on behind the bytes `before`."""
        text = before.decode("utf-8") + "?"
        records = exact.split(text, width=self.header.width, final=True, until=len(text))
        return self.records + sum(bool(record.columns) for record in records)

    def _read_header(self) -> Header:
        while (
            not self._window.is_final
            and len(self._window.data) < _LONGEST_HEADER
            and not _FIRST_LINE.search(self._window.data)
        ):
            self._window.fill(2 * len(self._window.data) + 1)
        names, length = first_line(self._window.data[:_LONGEST_HEADER], self._file)
        self._decode(self._window.data[:length], header=True)
        self._window.skip(length)
        return judged(names, self._file)

    def _doubt(self, found: Scan) -> int | None:
        """Offset from which on the scan is not to be trusted; None where it is.

        That is a quote in an odd place, or a record of the wrong width with line breaks in its quotes: one of
        them may belong to another record.
        """
        faults = np.flatnonzero((found.columns != self.header.width) & (found.columns > 0))
        for start, end in zip(found.starts[faults].tolist(), found.ends[faults].tolist(), strict=True):
            if any(line_break in self._window.data[start:end] for line_break in (b"\n", b"\r")):
                return int(start)
        return found.irregular

    def _regular(self, found: Scan, doubt: int | None) -> int:
        """Enter the records that the scan is sure of; bytes done."""
        good = found.columns == self.header.width
        if doubt is not None:
            good = good[: np.searchsorted(found.starts, doubt)]
        count = len(good)
        if not self._window.is_final or doubt is not None:
            # Faults at the end wait for what follows: they may be the first half of a broken record.
            # (A megabyte of faults does not: the buffer would grow for ever.)
            count = int(np.flatnonzero(good)[-1]) + 1 if good.any() else 0
            if not count and doubt is None and found.consumed >= _FAULTS_AT_ONCE:
                count = len(good)
        if not count:
            return 0
        stop = int(found.nexts[count - 1])
        self._decode(self._window.data[:stop])
        done = 0
        for first, last in runs(np.flatnonzero(~good[:count])):
            self._well_formed(found, done, first)
            faults = [self._record(found.starts[i], found.ends[i], found.nexts[i]) for i in range(first, last)]
            self._ledger.resolve(faults)
            done = last
        self._well_formed(found, done, count)
        return stop

    def _record(self, start: int, end: int, following: int) -> Record:
        text = self._window.data[start:end].decode("utf-8")
        ending = self._window.data[end:following].decode("utf-8")
        return Record(text, ending, exact.parse(text) if text else ())

    def _well_formed(self, found: Scan, first: int, last: int) -> None:
        """Enter records of the right width and with quotes in order: their bytes are good as they are."""
        while first < last:
            behind = min(last, first + self.cut - self._ledger.lines % self.cut)
            self._unchanged(found, first, behind)
            first = behind

    def _unchanged(self, found: Scan, first: int, last: int) -> None:
        buffer = self._window.data
        starts, ends = found.starts[first:last], found.ends[first:last]
        if (ends - starts).max() > LONGEST_LINE:
            for start, end in zip(starts, ends, strict=True):
                self._ledger.accept(exact.parse_regular(buffer[start:end]))
            return
        piece = buffer[starts[0] : found.nexts[last - 1]]
        if b"\r" in piece or not piece.endswith(b"\n"):  # some may not end with LF
            piece = b"".join(buffer[start:end] + b"\n" for start, end in zip(starts, ends, strict=True))
        self._ledger.accept_lines(piece, last - first)

    def _odd(self, doubt: int) -> int:
        """Enter a stretch that counting quotes cannot judge; bytes done, none before enough of it is there.

        An open quote may be closed by what follows; a megabyte behind it, it counts as a stray one.
        """
        if not self._window.is_final and len(self._window.data) < doubt + _EXACT_STRETCH:
            return 0
        end = len(self._window.data)
        if not self._window.is_final:
            end = max(self._window.data.rfind(b"\n"), self._window.data.rfind(b"\r")) + 1
        if end > doubt + _FARTHEST:
            return self._far(doubt)
        text = self._decode(self._window.data[:end])
        records = self._exactly(text, doubt, final=self._window.is_final)
        length = sum(len(r.text) + len(r.ending) for r in records)
        if not (self._window.is_final and length == len(text)):
            keep = len(records)
            while keep and len(records[keep - 1].columns) != self.header.width:
                keep -= 1
            waits = not keep and not self._window.is_final and length < _FAULTS_AT_ONCE
            records = [] if waits else records[: keep or len(records)]
        self._ledger.resolve(records)
        return len("".join(r.text + r.ending for r in records).encode())

    def _far(self, doubt: int) -> int:
        """Enter a stretch with a quote that is open farther than is read exactly: it ends with a line.

        Of a longer line only the beginning is looked at.
        """
        data = self._window.data
        line_break = _LINE_BREAK.search(data, doubt + _FARTHEST)
        end = line_break.end() if line_break else len(data)
        self._decode(data[:end])
        # What is ignored is a character that the end cuts in two.
        beginning = data[: min(end, doubt + 2 * _FARTHEST)].decode("utf-8", errors="ignore")
        records = self._exactly(beginning, doubt, final=True)
        self._ledger.resolve(records)
        text = "".join(r.text + r.ending for r in records)
        return end if text == beginning else len(text.encode())

    def _exactly(self, text: str, doubt: int, *, final: bool) -> list[Record]:
        until = len(self._window.data[:doubt].decode("utf-8", errors="ignore")) + _EXACT_STRETCH
        return exact.split(text, width=self.header.width, final=final, until=until)
