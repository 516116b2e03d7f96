"""What a reader hands on: good records as lines of CSV, and what was wrong with others."""

import csv
import io
from dataclasses import dataclass, field
from typing import NamedTuple

# DuckDB's CSV reader takes lines up to 2 MiB; longer ones go to the database as parameters.
LONGEST_LINE = 2**20
ROW_GROUP = 122_880  # records that DuckDB compresses together


class Issue(NamedTuple):
    """A row of data_issues, without month and file."""

    record_number: int
    movie_id: int | None
    column_name: str | None
    issue: str
    action: str
    value: str


@dataclass
class Block:
    """Records of one stretch of the file.

    `lines` are pieces of CSV, of one or more records that each end with LF, and `numbers` the numbers of
    these records; `loose` are (number, columns) of records that are too long for that.
    """

    lines: list[bytes] = field(default_factory=list)
    numbers: list[range] = field(default_factory=list)
    loose: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def add_lines(self, piece: bytes, numbers: range) -> None:
        """Add records that are good as they are."""
        self.lines.append(piece)
        self.numbers.append(numbers)

    def add(self, number: int, columns: tuple[str, ...]) -> bool:
        """Add a record that was read; whether it became a line."""
        if sum(map(len, columns)) > LONGEST_LINE // 4:
            self.loose.append((number, columns))
            return False
        line = io.StringIO(newline="")
        csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(columns)
        self.add_lines(line.getvalue().encode(), range(number, number + 1))
        return True
