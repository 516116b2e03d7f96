"""The landing zone on S3, or any store that speaks its language.

An object appears whole, and nothing here renames: settling copies (only what is still the object that was read),
writes the note that makes the copy count, and only then takes the objects out of incoming/, each only if nobody
replaced it. `deliver` uploads beside incoming/ and lets the movies appear last; until then it is no delivery.
"""

import contextlib
import datetime as dt
import shutil
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

from movies_platform.errors import DeliveryChanged, SettingsError
from movies_platform.landing.bucket import Bucket, Downloads, StoredObject
from movies_platform.landing.deliveries import (
    FILE_NAME,
    MARKERS,
    NOTES,
    OUTCOMES,
    Arrival,
    DeliveredFile,
    Delivery,
    Look,
    Outcome,
    Settled,
    arrival,
    brings_movies,
)
from movies_platform.landing.settling import SUPERSEDED, is_left_over, note_content, parse_settled, place_of, read_note
from movies_platform.landing.transfer import has_etag
from movies_platform.resources.months import month_name, parse_month
from movies_platform.resources.settings import settings

_LONG_AGO_SECONDS = 86_400
_notes: dict[tuple[str, str], Mapping[str, Any]] = {}  # by address and ETag: a note never changes


class S3Landing:
    """A `Landing` under `s3://bucket/prefix`."""

    def __init__(self, address: str):
        self.address = address.rstrip("/")

    @cached_property
    def bucket(self) -> Bucket:
        """The bucket, below the prefix."""
        return Bucket(self.address)

    def look(self, month: dt.date | None = None) -> Look:
        """What lies in incoming/ (of one month) now: one listing, page by page."""
        arrivals: list[Arrival | None] = []
        strays: list[str] = []
        for folder, objects in self._folders(month).items():
            day = _month_of(folder)
            if day is None:
                strays.append(f"incoming/{folder}: not a month's folder (YYYY-MM)")
                continue
            names = {o.key.removeprefix(f"incoming/{folder}/"): o for o in objects}
            arrivals.append(arrival(day, {n: (f"{o.etag}-{o.size}", o.modified) for n, o in names.items()}))
            strays += [
                f"incoming/{folder}/{name}: not a file of the data set"
                for name in names
                if not FILE_NAME.fullmatch(name) and name not in MARKERS
            ]
        return Look(tuple(filter(None, arrivals)), tuple(strays))

    def months(self) -> list[dt.date]:
        """Months with a file of the data set in incoming/, oldest first."""
        return [a.month for a in self.look().arrivals if a.brings_movies or self.incoming(a.month)]

    def strays(self) -> list[str]:
        """What lies in incoming/ and is no delivery."""
        return list(self.look().strays)

    def incoming(self, month: dt.date) -> Delivery | None:
        """What waits to be processed for the month."""
        waiting = self._delivery(month, f"incoming/{month_name(month)}")
        return None if waiting and is_left_over(waiting, self.settled(month)[-1:]) else waiting

    def read_ahead(self) -> None:
        """Nothing: the store tells what makes a delivery's id."""

    def settled(self, month: dt.date | None = None) -> list[Settled]:
        """Deliveries that were processed or refused, by month and number."""
        found = []
        for outcome in OUTCOMES:
            for note in self.bucket.objects(f"{outcome}/{month_name(month) + '/' if month else ''}"):
                parts = note.key.split("/")
                day, parsed = _month_of(parts[1]), parse_settled(parts[2]) if len(parts) == 4 else None
                if day and parsed and parts[3] == NOTES[outcome]:
                    found.append((day, *parsed, outcome, note))
        with ThreadPoolExecutor(8) as threads:
            notes = list(threads.map(self._note, [f[-1] for f in found]))
        done = [
            Settled(day, number, delivery, outcome, self.bucket.place(note.key.rpartition("/")[0]), content)
            for (day, number, delivery, outcome, note), content in zip(found, notes, strict=True)
        ]
        return sorted(done, key=lambda s: (s.month, s.number))

    def processed(self, month: dt.date) -> Delivery | None:
        """The newest processed delivery of the month, with the id it was processed under."""
        done = [s for s in self.settled(month) if s.outcome == "processed"]
        if not done:
            return None
        # A copy may have another ETag than its original (it is not made in the same parts): the note has that.
        delivered = {file["name"]: file["etag"] for file in done[-1].note["files"]}
        return self._delivery(month, self.bucket.below(done[-1].place), delivered)

    @contextlib.contextmanager
    def local_files(self, delivery: Delivery) -> Iterator[Mapping[str, Path]]:
        """The delivery's files on this machine's disk, each brought when it is asked for."""
        _clear_scratch()
        folder = self.bucket.below(delivery.place)
        with tempfile.TemporaryDirectory(dir=settings().scratch, prefix="landing-") as scratch:
            versions = {file.name: file.version for file in delivery.files}
            yield Downloads(self.bucket, folder, versions, Path(scratch))
            if replaced := self._replaced(delivery):
                raise DeliveryChanged(f"{', '.join(replaced)} in {delivery.place} changed while it was read.")

    def put(self, month: dt.date, files: Mapping[str, Path]) -> Delivery:
        """Deliver the files for the month, whole or not at all."""
        waiting = self._delivery(month, f"incoming/{month_name(month)}")
        if waiting and {f.name for f in waiting.files} == set(files):
            etags = {f.name: f.version for f in waiting.files}
            if all(has_etag(path, etags[name]) for name, path in files.items()):
                return waiting
        staged = f"staging/{uuid.uuid4().hex}"
        target = f"incoming/{month_name(month)}"
        try:
            versions = {name: self.bucket.upload(source, f"{staged}/{name}") for name, source in files.items()}
            if waiting and is_left_over(waiting, self.settled(month)[-1:]):
                self._take_out(waiting)
            elif waiting:
                self.settle(waiting, "failed", {"reason": "superseded", "problem": SUPERSEDED})
            for name in sorted(files, key=brings_movies):  # without the movies, it is no delivery yet
                self.bucket.copy(f"{staged}/{name}", f"{target}/{name}", versions[name])
        finally:
            for name in files:
                self.bucket.delete(f"{staged}/{name}")
        arrived = self.incoming(month)
        if arrived is None:
            raise SettingsError(f"{self.bucket.place(target)} was emptied by somebody else while the delivery arrived.")
        return arrived

    def settle(self, delivery: Delivery, outcome: Outcome, note: Mapping[str, Any]) -> str:
        """Move the delivery from incoming/ to `outcome`/; its new place."""
        if delivery.settled or self._replaced(delivery):  # what came instead is a delivery of its own
            return delivery.place
        month, source = month_name(delivery.month), self.bucket.below(delivery.place)
        existing = {o: self.bucket.folders(f"{o}/{month}/") for o in OUTCOMES}
        place = f"{outcome}/{month}/{place_of(outcome, existing, delivery.id)}"
        kept = {o.key: o.size for o in self.bucket.objects(f"{place}/")}
        for file in delivery.files:
            if kept.get(f"{place}/{file.name}") == file.size:
                continue
            if not self.bucket.copy(f"{source}/{file.name}", f"{place}/{file.name}", file.version):
                return delivery.place  # replaced at this moment
        self.bucket.write(f"{place}/{NOTES[outcome]}", note_content(delivery, note, "etag"))
        for marker in self.bucket.objects(f"{source}/"):
            name = marker.key.rpartition("/")[2]
            if name in MARKERS and self.bucket.copy(marker.key, f"{place}/{name}", marker.etag):
                self.bucket.delete(marker.key, marker.etag)
        self._take_out(delivery)
        return self.bucket.place(place)

    def _take_out(self, delivery: Delivery) -> None:
        # The movies go first, so that what an interruption leaves is known as left over.
        for file in sorted(delivery.files, key=lambda f: not brings_movies(f.name)):
            self.bucket.delete(f"{self.bucket.below(delivery.place)}/{file.name}", file.version)

    def _replaced(self, delivery: Delivery) -> list[str]:
        folder = self.bucket.below(delivery.place)
        now = {f.name: self.bucket.etag(f"{folder}/{f.name}") for f in delivery.files}
        return [f.name for f in delivery.files if now[f.name] not in (None, f.version)]

    def _delivery(self, month: dt.date, folder: str, digests: Mapping[str, str] | None = None) -> Delivery | None:
        named = ((o, o.key.removeprefix(f"{folder}/")) for o in self.bucket.objects(f"{folder}/"))
        files = tuple(
            DeliveredFile(name, o.size, (digests or {}).get(name, o.etag), o.etag)
            for o, name in named
            if FILE_NAME.fullmatch(name)
        )
        return Delivery(month, files, self.bucket.place(folder), digests is not None) if files else None

    def _folders(self, month: dt.date | None) -> dict[str, list[StoredObject]]:
        """Objects in incoming/ by the name right below it."""
        folders = defaultdict(list)
        for found in self.bucket.objects(f"incoming/{month_name(month) + '/' if month else ''}"):
            folders[found.key.split("/")[1]].append(found)
        return folders

    def _note(self, note: StoredObject) -> Mapping[str, Any]:
        key = (self.bucket.place(note.key), note.etag)
        if key not in _notes:
            _notes[key] = read_note(self.bucket.read(note.key), self.bucket.place(note.key))
        return _notes[key]


def _clear_scratch() -> None:
    """Remove what killed runs have brought, long enough ago that nobody reads it."""
    settings().scratch.mkdir(parents=True, exist_ok=True)
    for folder in settings().scratch.glob("landing-*"):
        if time.time() - folder.stat().st_mtime > _LONG_AGO_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _month_of(folder: str) -> dt.date | None:
    with contextlib.suppress(SettingsError):
        return parse_month(folder)
    return None
