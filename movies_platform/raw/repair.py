"""A record that stray line breaks broke into pieces -> one record again.

Only breaks inside one unquoted column are repaired, `Source.breaks_in`: the first piece must end in that column and the
last bring exactly the columns that are missing. Between them may be lines of that text: empty, or without a comma.
"""

import re
from collections.abc import Sequence

from movies_platform.raw.scan import Record, parse

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
# What stands for a line break while a joined record is parsed.
_STAND_INS = {"\r\n": "\ue000\ue003\ue000", "\r": "\ue000\ue002\ue000", "\n": "\ue000\ue001\ue000"}


def text_ends(records: Sequence[Record]) -> list[int]:
    """For each record, the index of the next one behind it with more than one column: before it, all may be text."""
    ends, behind = [0] * len(records), len(records)
    for index in range(len(records) - 1, -1, -1):
        ends[index] = behind
        if len(records[index].columns) > 1:
            behind = index
    return ends


def join(
    records: Sequence[Record], first: int, text_end: int, *, width: int, place: int | None
) -> tuple[tuple[str, ...], int] | None:
    """Columns of the record whose first piece is `records[first]`, and how many pieces it has.

    `text_end` is that of `first` in `text_ends`, `width` how many columns a whole record has, `place` the index of the
    one that may be broken, if any. None where the pieces do not make a record. (Where that column is the last, the
    first piece looks like a whole record, and where it is the first, the last piece does: then it is broken where a
    line without a comma stands next to it.)
    """
    if place is None or len(records[first].columns) != place + 1:
        return None
    last = text_end
    if place == width - 1:
        last -= 1
        while not records[last].columns:  # empty lines behind it are none of its text
            last -= 1
        if last == first:
            return None
    elif last == len(records) or len(records[last].columns) != width - place:
        return None
    pieces = records[first : last + 1]
    columns = _as_one_line(pieces)
    if len(columns) != width:  # a piece begins with a quote that holds a comma
        columns = _as_read(pieces)
    return columns, len(pieces)


def _as_one_line(pieces: Sequence[Record]) -> tuple[str, ...]:
    text = "".join(
        piece.text + _LINE_BREAK.sub(lambda line_break: _STAND_INS[line_break[0]], piece.ending)
        for piece in pieces[:-1]
    )
    columns = parse(text + pieces[-1].text)
    for ending, stand_in in _STAND_INS.items():
        columns = tuple(column.replace(stand_in, ending) for column in columns)
    return columns


def _as_read(pieces: Sequence[Record]) -> tuple[str, ...]:
    first, *between, last = pieces
    text = first.columns[-1] + first.ending
    text += "".join("".join(piece.columns) + piece.ending for piece in between) + last.columns[0]
    return (*first.columns[:-1], text, *last.columns[1:])
