"""A record that stray line breaks broke into pieces -> one record again.

Only breaks inside an unquoted `overview` are repaired: the first piece must end in that column and the last
bring exactly the columns that are missing. Between them may be lines of the overview: empty, or without a comma.
"""

from movies_platform.raw import exact
from movies_platform.raw.exact import Record
from movies_platform.raw.header import Header

# What stands for a line break while a joined record is parsed.
_STAND_INS = {"\r\n": "\ue000\ue003\ue000", "\r": "\ue000\ue002\ue000", "\n": "\ue000\ue001\ue000"}


def join(records: list[Record], first: int, header: Header) -> tuple[tuple[str, ...], int] | None:
    """Columns of the record whose first piece is `records[first]`, and how many pieces it has.

    None where the pieces do not make a record.
    """
    if len(records[first].columns) != header.overview + 1:
        return None
    last = first + 1
    while last < len(records) and len(records[last].columns) <= 1:
        last += 1
    if last == len(records) or len(records[last].columns) != header.width - header.overview:
        return None
    pieces = records[first : last + 1]
    columns = _as_one_line(pieces)
    if len(columns) != header.width:  # a piece begins with a quote that holds a comma
        columns = _as_read(pieces)
    return columns, len(pieces)


def _as_one_line(pieces: list[Record]) -> tuple[str, ...]:
    text = "".join(piece.text + _STAND_INS[piece.ending] for piece in pieces[:-1]) + pieces[-1].text
    columns = exact.parse(text)
    for ending, stand_in in _STAND_INS.items():
        columns = tuple(column.replace(stand_in, ending) for column in columns)
    return columns


def _as_read(pieces: list[Record]) -> tuple[str, ...]:
    first, *between, last = pieces
    overview = first.columns[-1] + first.ending
    overview += "".join("".join(piece.columns) + piece.ending for piece in between) + last.columns[0]
    return (*first.columns[:-1], overview, *last.columns[1:])
