"""Which records were accepted, joined or refused, and how an ordinary CSV reader counts them."""

import re

from movies_platform.raw.blocks import Block, Issue
from movies_platform.raw.exact import Record
from movies_platform.raw.header import Header
from movies_platform.raw.repair import join

VALUE_LENGTH = 500


class Ledger:
    """Enters record after record into the present block.

    `records` is how many an ordinary CSV reader has seen, `joined` how many of them were the rest of a broken one,
    `lines` how many were handed on as lines.
    """

    def __init__(self, header: Header):
        self._header, self._block = header, Block()
        self.records = self.joined = self.lines = 0

    def taken(self) -> Block:
        """The block so far; another one begins."""
        block, self._block = self._block, Block()
        return block

    def accept_lines(self, piece: bytes, records: int) -> None:
        """Enter good records as the bytes that they are."""
        first, self.records = self.records + 1, self.records + records
        self._block.add_lines(piece, range(first, self.records + 1))
        self.lines += records

    def accept(self, columns: tuple[str, ...]) -> None:
        """Enter a good record."""
        self.records += 1
        self.lines += self._block.add(self.records, columns)

    def resolve(self, records: list[Record]) -> None:
        """Accept, join or refuse each of the records."""
        position = 0
        while position < len(records):
            record = records[position]
            if not record.columns:
                position += 1
            elif len(record.columns) == self._header.width:
                self.accept(record.columns)
                if record.is_unclosed:
                    self._note(record.columns, "broken_record", "repaired", record.columns[-1])
                position += 1
            elif joined := join(records, position, self._header):
                columns, pieces = joined
                self.accept(columns)
                self._note(columns, "broken_record", "repaired", columns[self._header.overview])
                rest = sum(bool(r.columns) for r in records[position : position + pieces]) - 1
                self.records += rest
                self.joined += rest
                position += pieces
            else:
                self.records += 1
                self._note(record.columns, "column_count", "rejected", record.text)
                position += 1

    def _note(self, columns: tuple[str, ...], issue: str, action: str, value: str) -> None:
        place = self._header.names.index("id")
        known = columns[place].strip() if place < len(columns) else ""
        movie_id = int(known) if re.fullmatch(r"[0-9]{1,18}", known) and int(known) > 0 else None
        self._block.issues.append(Issue(self.records, movie_id, None, issue, action, value[:VALUE_LENGTH]))
