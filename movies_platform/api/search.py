"""Names that have a text in them: all names of a table, folded, are one text, in which Python finds it.

That costs a few hundred microseconds for half a megabyte of names, where a full-text index of SQLite took milliseconds.
"""

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator

_SEARCHES = 64  # results of searches that are kept: the next page is of the same search
_SHORT = 3  # letters from which on a part of a name is looked for
INLINE_PLACES, INLINE_BYTES = 300, 1_500_000  # of a search; what is larger takes milliseconds
_LINE, _SPACE = b"\n "


class TooSlow(Exception):
    """The time for a question is over."""


class Names:
    """The folded names of a table's rows, one a line: searched as one text."""

    def __init__(self, text: bytes, starts: bytes, numbers: bytes):
        self._text, self._starts, self._numbers = text, array("Q"), array("Q")
        self._starts.frombytes(starts)
        self._numbers.frombytes(numbers)
        self._found_before: OrderedDict[bytes, list[int]] = OrderedDict()

    def exactly(self, name: str) -> list[int]:
        """Numbers of the rows with that name."""
        return sorted({self._number(place + 1) for place in self._places(b"\n%b\n" % name.encode())})

    def with_part(self, part: str, most: int | None = None) -> list[int]:
        """Numbers of the rows with the part in a name (one of less than three letters: at its beginning).

        The same name comes first, then names that begin with it, then words, then others. Raises TooSlow for more than
        `most` places.
        """
        wanted = part.encode()
        if (known := self._found_before.get(wanted)) is not None:
            return known
        if most is not None and len(self._text) > INLINE_BYTES:
            raise TooSlow
        best: dict[int, int] = {}
        text, size, short = self._text, len(wanted), len(part) < _SHORT
        for place in self._places(b"\n" + wanted if short else wanted):
            begin = place + short
            if most is not None and len(best) > most:
                raise TooSlow
            number, before = self._number(begin), text[begin - 1]
            rank = (text[begin + size] != _LINE) if before == _LINE else 2 if before == _SPACE else 3
            if rank < best.get(number, 4):
                best[number] = rank
        found = sorted(best, key=lambda number: (best[number], number))
        self._found_before[wanted] = found
        if len(self._found_before) > _SEARCHES:
            self._found_before.pop(next(iter(self._found_before)), None)
        return found

    def _number(self, place: int) -> int:
        return self._numbers[bisect_right(self._starts, place) - 1]

    def _places(self, wanted: bytes) -> Iterator[int]:
        """Where it is found, once in each line."""
        text, place = self._text, self._text.find(wanted)
        while place >= 0:
            yield place
            place = text.find(wanted, text.find(b"\n", place + 1))
