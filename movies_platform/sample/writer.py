"""Write one file of a sample's month, block by block, with the defects that were planned for it."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from movies_platform.sample.defects import ISSUES, KINDS, broken, plan_defects, with_defects

CHUNK = 1000  # records whose text is held at once


@dataclass(frozen=True)
class SampleFile:
    """What one written file holds, counted while it was written.

    path: the file; records: as an ordinary CSV reader counts, without the header, a broken record counts as two;
    accepted: records that are neither rejected nor the rest of a broken one; issues: how many of each kind of defect
    it holds, by issue code.
    """

    path: Path
    records: int
    accepted: int
    issues: dict[str, int]


class FileWriter:
    """A file while it is written: `<folder>/<name>.csv.part`, and `<name>.csv` once it is closed."""

    def __init__(
        self, folder: Path, name: str, columns: Sequence[str], size: int, *,
        rng: np.random.Generator, month: int, files: ExitStack, line_end: str = "\n",
    ):  # fmt: skip
        """Begin a file of `size` good records in the `month`-th month (from 0); `rng` places its defects.

        Lines end with `line_end`. `files` closes what is open.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.size = size
        self._path, self._columns, self._line_end = folder / f"{name}.csv", tuple(columns), line_end
        self._part = self._path.with_suffix(".csv.part")
        self._defects = plan_defects(rng, KINDS[name], size, month)
        self._planned = 0  # defects that are in what was written
        self._good = self._records = 0
        self._file = files.enter_context(self._part.open("w", encoding="utf-8", newline=""))
        self._file.write(",".join(columns) + line_end)

    def write(self, rows: Sequence[Sequence[object]]) -> None:
        """Write the next good records, as far as the file has room for them."""
        rows = rows[: self.size - self._good]
        start, end = self._planned, self._planned
        while end < len(self._defects) and self._defects[end].record < self._good + len(rows):
            end += 1
        records = with_defects(rows, self._columns, self._good, self._defects[start:end])
        self._planned = end
        self._good += len(rows)
        while chunk := list(islice(records, CHUNK)):
            text = io.StringIO(newline="")
            csv.writer(text, lineterminator=self._line_end).writerows(chunk)
            self._file.write(broken(text.getvalue()))
            self._records += len(chunk)

    def close(self) -> SampleFile:
        """Give the file its name. Call it once all files are written and closed."""
        self._part.replace(self._path)
        found = Counter(defect.kind.issue for defect in self._defects)
        return SampleFile(
            path=self._path,
            records=self._records + found["broken_record"],
            accepted=self._good,
            issues={code: found[code] for code in ISSUES if found[code]},
        )
