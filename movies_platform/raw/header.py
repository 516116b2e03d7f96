"""The first line of a file: which columns it has, and whether it is the file it should be."""

from dataclasses import dataclass

from movies_platform.contracts.raw import MOVIE_COLUMNS
from movies_platform.errors import DeliveryRejected
from movies_platform.raw import exact


@dataclass(frozen=True)
class Header:
    """Names of the columns, in the order of the file."""

    names: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many columns a good record has."""
        return len(self.names)

    @property
    def overview(self) -> int:
        """Place of the column in which records break."""
        return self.names.index("overview")

    @property
    def extra(self) -> tuple[str, ...]:
        """Columns that nobody declared."""
        return tuple(name for name in self.names if name not in MOVIE_COLUMNS)


def first_line(head: bytes, file: str) -> tuple[tuple[str, ...], int]:
    """The names in the first line of `head`, and how many bytes it takes with empty lines before it.

    Whatever follows is not judged: `head` may even end within a character.
    """
    text = head.decode("utf-8", errors="surrogateescape")
    position = 0
    for record in exact.split(text, width=0, final=True, until=len(text)):
        position += len(record.text) + len(record.ending)
        if record.columns:
            length = len(text[:position].encode("utf-8", errors="surrogateescape"))
            return tuple(name.strip() for name in record.columns), length
    raise _refusal("is empty", file)


def judged(names: tuple[str, ...], file: str) -> Header:
    """The header of these names.

    Raises DeliveryRejected where a column of the data set is missing or stands twice.
    """
    missing = [name for name in MOVIE_COLUMNS if name not in names]
    twice = [name for name in MOVIE_COLUMNS if names.count(name) > 1]
    if missing:
        raise _refusal(f"lacks the required columns {', '.join(missing)}", file)
    if twice:
        raise _refusal(f"has columns twice: {', '.join(twice)}", file)
    return Header(names)


def _refusal(problem: str, file: str) -> DeliveryRejected:
    names = ", ".join(MOVIE_COLUMNS)
    return DeliveryRejected(
        problem, file=file, remedy=f"Its first line must name the columns of the data set: {names}."
    )
