"""What a delivery is, and what every landing zone can do with one.

The layout is the same everywhere:

    incoming/2026-11/movies_metadata.csv       what was delivered for November 2026
    processed/2026-11/0001-<id>/...            delivered and refreshed, delivery.json beside it
    failed/2026-11/0002-<id>/...               refused, error.json beside it

A delivery's id is a digest of its month and the names and contents of its files. The number
before it counts the deliveries of the month, so that the newest is known without a clock.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from movies_platform.errors import DeliveryRejected

MOVIES = "movies_metadata"
ARCHIVE = "the-movies-dataset.zip"
TABLES = (MOVIES, "credits", "keywords", "links", "links_small", "ratings", "ratings_small")
MARKERS = ("_SUCCESS", "manifest.json")  # written last by providers who say so when a delivery is whole
FILE_NAME = re.compile(rf"(?:{'|'.join(TABLES)})\.csv(?:\.gz)?|{re.escape(ARCHIVE)}")

Outcome = Literal["processed", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("processed", "failed")
NOTES: dict[Outcome, str] = {"processed": "delivery.json", "failed": "error.json"}


@dataclass(frozen=True)
class DeliveredFile:
    """A file of a delivery; `version` changes whenever the stored object does."""

    name: str
    size: int
    digest: str
    version: str = field(compare=False)


@dataclass(frozen=True)
class Delivery:
    """What one month was delivered as. `place` is where it lies now; `settled` whether that is final."""

    month: dt.date
    files: tuple[DeliveredFile, ...]
    place: str
    settled: bool = False

    @property
    def id(self) -> str:
        """12 hexadecimal digits, the same for the same content of the same month."""
        content = [f"{self.month:%Y-%m}", *sorted([f.name, f.size, f.digest] for f in self.files)]
        return hashlib.blake2b(json.dumps(content).encode(), digest_size=6).hexdigest()


@dataclass(frozen=True)
class Settled:
    """A delivery that was processed or refused. `note` is its delivery.json or error.json."""

    month: dt.date
    number: int
    delivery_id: str
    outcome: Outcome
    place: str
    note: Mapping[str, Any] = field(compare=False)


@dataclass(frozen=True)
class Arrival:
    """What lies in incoming/ for a month, told without reading it.

    `stamp` changes with every write of any file, also of the same content; `written` is when the last file
    was, `marks` when the provider's markers were (UTC).
    """

    month: dt.date
    names: tuple[str, ...]
    stamp: str
    written: dt.datetime
    marks: Mapping[str, dt.datetime] = field(default_factory=dict)

    @property
    def brings_movies(self) -> bool:
        """Whether the file that makes a delivery has arrived."""
        return any(map(brings_movies, self.names))


@dataclass(frozen=True)
class Look:
    """What a look into incoming/ shows: arrivals by month, and a sentence for each thing that is none."""

    arrivals: tuple[Arrival, ...]
    strays: tuple[str, ...]


class Landing(Protocol):
    """A landing zone. Its methods raise the storage's own errors when it cannot be reached."""

    def look(self, month: dt.date | None = None) -> Look:
        """What lies in incoming/ (of one month) now; cheap enough to be asked every few seconds."""

    def months(self) -> Sequence[dt.date]:
        """Months with something in incoming/, oldest first."""

    def strays(self) -> Sequence[str]:
        """What lies in incoming/ and is no delivery, one clear sentence each."""

    def incoming(self, month: dt.date) -> Delivery | None:
        """What waits to be processed for the month."""

    def read_ahead(self) -> None:
        """Begin, beside other work, what telling the oldest delivery that waits will take."""

    def settled(self, month: dt.date | None = None) -> Sequence[Settled]:
        """Deliveries that were processed or refused, by month and number."""

    def processed(self, month: dt.date) -> Delivery | None:
        """The newest processed delivery of the month."""

    def local_files(self, delivery: Delivery) -> AbstractContextManager[Mapping[str, Path]]:
        """The delivery's files on this machine's disk, by name.

        Raises DeliveryChanged at the end when a file was replaced meanwhile.
        """

    def put(self, month: dt.date, files: Mapping[str, Path]) -> Delivery:
        """Deliver the files for the month, whole or not at all; what waited there is set aside."""

    def settle(self, delivery: Delivery, outcome: Outcome, note: Mapping[str, Any]) -> str:
        """Move the delivery out of incoming/; its new place. Safe to repeat after any interruption.

        A delivery whose files were replaced meanwhile stays, to be read as the new one that it is.
        """


def brings_movies(name: str) -> bool:
    """Whether a file of this name makes a delivery."""
    return name == ARCHIVE or name.startswith(f"{MOVIES}.")


def arrival(month: dt.date, files: Mapping[str, tuple[str, dt.datetime]]) -> Arrival | None:
    """The arrival of files, each with its version and the time it was written; None without one of the data set."""
    marks = {name: written for name, (_, written) in files.items() if name in MARKERS}
    data = sorted((name, *files[name]) for name in files if FILE_NAME.fullmatch(name))
    if not data:
        return None
    stamp = hashlib.blake2b(json.dumps(data, default=str).encode(), digest_size=8).hexdigest()
    return Arrival(month, tuple(name for name, _, _ in data), stamp, max(written for _, _, written in data), marks)


def blocked_months(settled: Sequence[Settled]) -> list[Settled]:
    """The newest deliveries of their months that a blocking check refused: nobody has mended them yet.

    A correction that is refused itself, or set aside unread, mends nothing.
    """
    judged = [s for s in settled if s.outcome == "processed" or s.note.get("reason") == "blocking_check"]
    newest = {s.month: s for s in sorted(judged, key=lambda s: s.number)}
    return [s for _, s in sorted(newest.items()) if s.outcome == "failed"]


def without_doubles(names: Sequence[str], place: str) -> None:
    """Refuse a delivery that brings the movies twice, because one could not know which counts."""
    movies = sorted(filter(brings_movies, names))
    if len(movies) > 1:
        raise DeliveryRejected(
            f"{place} holds the movies more than once ({', '.join(movies)})",
            remedy="Deliver it again with only the one that counts.",
        )
    if not movies:
        raise DeliveryRejected(
            f"{place} holds no {MOVIES}.csv (found: {', '.join(sorted(names)) or 'nothing'})",
            remedy=f"Deliver {MOVIES}.csv, {MOVIES}.csv.gz or {ARCHIVE}.",
        )
