"""What a delivery is, and what a landing zone does with one. `folder` and `s3` say how it is stored.

The layout is the same everywhere:

    incoming/2026-11/movies_metadata.csv       what was delivered for November 2026
    processed/2026-11/0001-<id>/...            loaded: the same bytes, with delivery.json
    failed/2026-11/0002-<id>/...               refused, with error.json

A delivery's id is a digest of its month and the names and contents of its files. The number before it
counts the deliveries of the month, so that the newest is known without a clock.

Archiving copies the files, then writes the note that makes the copies count, and only then removes from incoming/ what
is still the version that was read. So it can be repeated after a kill at any moment, and nothing is ever lost.
"""

import contextlib
import datetime as dt
import functools
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from movies_platform.contracts.sources import ARCHIVE, FILE_NAMES, MOVIES_METADATA
from movies_platform.errors import DeliveryChanged, LandingDamaged, SettingsError
from movies_platform.resources.months import month_name, parse_month
from movies_platform.settings import settings

if TYPE_CHECKING:
    from movies_platform.landing.folder import Folder
    from movies_platform.landing.s3 import Bucket

MARKERS = ("_SUCCESS", "manifest.json")  # written last by providers who say so when a delivery is complete
FILE_NAME = re.compile(rf"(?:{'|'.join(FILE_NAMES)})\.csv(?:\.gz)?|{re.escape(ARCHIVE)}")
STAGED_SECONDS = 86_400  # what a delivery or a download that was killed left behind is removed after a day

Outcome = Literal["processed", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("processed", "failed")
NOTES: dict[Outcome, str] = {"processed": "delivery.json", "failed": "error.json"}

_FOLDER = re.compile(r"(\d{4,})-([0-9a-f]{12})")
_SUPERSEDED = "Another delivery for the month arrived before this one was processed"
_notes: dict[tuple[str, str], Mapping[str, Any]] = {}  # by address and version: a note never changes


@dataclass(frozen=True)
class DeliveredFile:
    """A file of a delivery. `version` changes whenever the stored file does; it is empty where there is none.

    `archived_etag` is the ETag of a copy on S3, which may differ from that of its original.
    """

    name: str
    size: int
    digest: str
    version: str = field(compare=False)
    archived_etag: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Delivery:
    """What one month was delivered as; `place` is the address of its folder, `archived` whether that is final."""

    month: dt.date
    files: tuple[DeliveredFile, ...]
    place: str
    archived: bool = False

    @property
    def id(self) -> str:
        """12 hexadecimal digits, the same for the same content of the same month."""
        content = [f"{self.month:%Y-%m}", *sorted([f.name, f.size, f.digest] for f in self.files)]
        return hashlib.blake2b(json.dumps(content).encode(), digest_size=6).hexdigest()


@dataclass(frozen=True)
class Archived:
    """A delivery that was processed or refused. `note` is its delivery.json or error.json."""

    month: dt.date
    number: int
    delivery_id: str
    outcome: Outcome
    place: str
    note: Mapping[str, Any] = field(compare=False)

    @property
    def problem(self) -> str:
        """Why it was refused; empty for one that was processed."""
        return str(self.note.get("problem") or "refused") if self.outcome == "failed" else ""


@dataclass(frozen=True)
class Arrival:
    """What lies in incoming/ for a month, without having read it.

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
class Listing:
    """What lies in incoming/: arrivals by month, and a sentence for each thing that is part of none."""

    arrivals: tuple[Arrival, ...]
    unexpected_files: tuple[str, ...]


@dataclass(frozen=True)
class StoredFile:
    """A file in a landing zone. `key` is its path there; `version` changes whenever it does; `written` is UTC.

    The key of what is no regular file (a folder with the name of one, a link to one, a pipe) ends with a slash.
    """

    key: str
    size: int
    version: str
    written: dt.datetime


class Landing:
    """A landing zone. Its methods raise the storage's own errors when that cannot be reached."""

    def __init__(self, storage: "Folder | Bucket"):
        self.storage = storage

    def list_incoming(self, month: dt.date | None = None) -> Listing:
        """What lies in incoming/ (for one month) now; cheap enough to be asked every few seconds."""
        folders: dict[str, dict[str, StoredFile]] = defaultdict(dict)
        for file in self.storage.files(f"incoming/{month_name(month)}/" if month else "incoming/"):
            _, folder, *name = file.key.split("/", 2)
            folders[folder]["".join(name)] = file
        arrivals, unexpected = [], []
        for folder, files in folders.items():
            day = _month_of(folder)
            if day is None or "" in files:  # the folder itself is a file or a link
                what = "a file or a link, " if day else ""
                unexpected.append(f"incoming/{folder}: {what}not a month's folder (YYYY-MM)")
                continue
            arrivals.append(arrival(day, {name: (file.version, file.written) for name, file in files.items()}))
            unexpected += [
                f"incoming/{folder}/{name}: not a file of the data set"
                for name in files
                if not FILE_NAME.fullmatch(name) and name not in MARKERS
            ]
        return Listing(tuple(filter(None, arrivals)), tuple(unexpected))

    def months(self) -> list[dt.date]:
        """Months with a delivery in incoming/, oldest first."""
        return [a.month for a in self.list_incoming().arrivals if a.brings_movies or self.incoming(a.month)]

    def incoming(self, month: dt.date) -> Delivery | None:
        """What waits to be processed for the month."""
        waiting = self._waiting(month)
        return None if waiting and self._is_left_over(waiting) else waiting

    def archived(self, month: dt.date | None = None) -> list[Archived]:
        """Deliveries that were processed or refused, by month and number; raises LandingDamaged for a broken note."""
        found = []
        for outcome in OUTCOMES:
            for note in self.storage.files(f"{outcome}/{month_name(month) + '/' if month else ''}"):
                _, folder, *rest = note.key.split("/")
                day, named = _month_of(folder), _FOLDER.fullmatch(rest[0]) if rest else None
                if day and named and rest[1:] == [NOTES[outcome]]:
                    found.append((day, int(named[1]), named[2], outcome, note))
        with ThreadPoolExecutor(8) as threads:
            notes = threads.map(self._note, [f[-1] for f in found])
        done = [
            Archived(day, number, delivery_id, outcome, self.storage.address(file.key.rpartition("/")[0]), note)
            for (day, number, delivery_id, outcome, file), note in zip(found, notes, strict=True)
        ]
        return sorted(done, key=lambda a: (a.month, a.number))

    def processed(self, month: dt.date) -> Delivery | None:
        """The newest processed delivery of the month, as its note has it."""
        done = [a for a in self.archived(month) if a.outcome == "processed"]
        if not done:
            return None
        stored, files = self._stored(self._key(done[-1].place)), []
        for entry in done[-1].note["files"]:
            name, digest = entry["name"], _digest_in(entry)
            version = stored[name].version if name in stored else ""
            # Of an object uploaded in parts, notes of earlier versions of the platform do not say what its copy is.
            etag = entry.get("archived_etag") or (version if "-" in digest else None)
            files.append(DeliveredFile(name, entry["size_bytes"], digest, version, etag))
        return Delivery(month, tuple(files), done[-1].place, archived=True)

    @contextlib.contextmanager
    def local_files(self, delivery: Delivery) -> Iterator[Mapping[str, Path]]:
        """The delivery's files on this machine's disk, by name, each fetched when it is first asked for.

        A file of an archived delivery is compared with its note then; raises LandingDamaged when it is another one.
        Raises DeliveryChanged, also at the end, when a file was replaced or deleted meanwhile.
        """
        if not delivery.archived:
            self._raise_if_changed(delivery)
        with self.storage.scratch() as scratch:
            try:
                yield _LocalFiles(delivery.files, functools.partial(self._local_file, delivery, scratch))
            except FileNotFoundError:
                self._raise_if_changed(delivery)
                raise
        self._raise_if_changed(delivery)

    def put(self, month: dt.date, files: Mapping[str, Path]) -> Delivery:
        """Deliver the files for the month; they appear together, or not at all. What waited there goes to failed/.

        A marker follows, so that nobody waits whether they still grow.
        """
        folder, waiting = f"incoming/{month_name(month)}", self._waiting(month)
        if waiting and {f.name for f in waiting.files} == set(files):
            digests = (self.storage.local_digest(files[f.name], f"{folder}/{f.name}", f) for f in waiting.files)
            if all(digest == f.digest for digest, f in zip(digests, waiting.files, strict=True)):
                self._mark(folder)  # it is complete, whoever put it there
                return waiting
        with self.storage.staged(folder, files) as appear:
            if waiting and self._is_left_over(waiting):
                self._remove(waiting)
            elif waiting:
                self.archive(waiting, "failed", {"reason": "superseded", "problem": _SUPERSEDED})
            appear()
        self._mark(folder)
        arrived = self.incoming(month)
        if arrived is None:
            raise SettingsError(f"{self.storage.address(folder)} was emptied by somebody else during the delivery.")
        return arrived

    def archive(self, delivery: Delivery, outcome: Outcome, note: Mapping[str, Any]) -> str:
        """Move the delivery from incoming/ to processed/ or failed/; its new place. Can be repeated after a kill.

        Raises DeliveryChanged when a file was replaced or deleted since it was listed: what is in incoming/ stays.
        """
        if delivery.archived:
            return delivery.place
        self._raise_if_changed(delivery)
        month, source = month_name(delivery.month), self._key(delivery.place)
        existing = {o: {f.key.split("/")[2] for f in self.storage.files(f"{o}/{month}/")} for o in OUTCOMES}
        folder = f"{outcome}/{month}/{folder_name(outcome, existing, delivery.id)}"
        files = [
            {"name": f.name, "size_bytes": f.size, self.storage.digest_name: f.digest}
            | dict(self.storage.copy(f"{source}/{f.name}", f"{folder}/{f.name}", f))
            for f in delivery.files
        ]
        content = {"month": month, "delivery_id": delivery.id, **note, "files": files}
        text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
        self.storage.write(f"{folder}/{NOTES[outcome]}", text)
        for name, marker in self._stored(source).items():
            if name in MARKERS:
                with contextlib.suppress(DeliveryChanged):  # a newer one belongs to the next delivery
                    self.storage.copy(marker.key, f"{folder}/{name}", self._delivered(name, marker))
                    self.storage.delete(marker.key, marker.version)
        self._remove(delivery)
        return self.storage.address(folder)

    def _mark(self, folder: str) -> None:
        with contextlib.suppress(FileNotFoundError):  # it was loaded and archived meanwhile
            self.storage.write(f"{folder}/{settings().marker or MARKERS[0]}", "")

    def _waiting(self, month: dt.date) -> Delivery | None:
        folder = f"incoming/{month_name(month)}"
        stored = self._stored(folder).items()
        files = tuple(self._delivered(name, file) for name, file in stored if FILE_NAME.fullmatch(name))
        return Delivery(month, files, self.storage.address(folder)) if files else None

    def _is_left_over(self, waiting: Delivery) -> bool:
        """Whether the files are what a killed `archive` of the newest delivery left: it removes the movies first."""
        if any(brings_movies(file.name) for file in waiting.files):
            return False
        newest = self.archived(waiting.month)[-1:]
        kept = {(entry["name"], _digest_in(entry)) for a in newest for entry in a.note["files"]}
        return all((file.name, file.digest) in kept for file in waiting.files)

    def _remove(self, delivery: Delivery) -> None:
        for file in sorted(delivery.files, key=lambda f: not brings_movies(f.name)):
            self.storage.delete(f"{self._key(delivery.place)}/{file.name}", file.version)

    def _local_file(self, delivery: Delivery, scratch: Path, file: DeliveredFile) -> Path:
        key, found = f"{self._key(delivery.place)}/{file.name}", "no file"
        if file.version:
            path = self.storage.fetch(key, file, scratch)
            found = self.storage.local_digest(path, key, file) if delivery.archived else file.digest
            if found == file.digest:
                return path
        raise LandingDamaged(
            f"{self.storage.address(key)} is not the file that was loaded: {NOTES['processed']} has the digest "
            f"{file.digest}, there is {found}. Restore it from a backup, or deliver the files of "
            f"{month_name(delivery.month)} again."
        )

    def _raise_if_changed(self, delivery: Delivery) -> None:
        now = {name: file.version for name, file in self._stored(self._key(delivery.place)).items()}
        if changed := [file.name for file in delivery.files if now.get(file.name, "") != file.version]:
            raise DeliveryChanged(f"{', '.join(changed)} in {delivery.place} changed while it was read.")

    def _stored(self, folder: str) -> dict[str, StoredFile]:
        """Files by their path below the folder."""
        return {file.key.removeprefix(f"{folder}/"): file for file in self.storage.files(f"{folder}/")}

    def _delivered(self, name: str, file: StoredFile) -> DeliveredFile:
        return DeliveredFile(name, file.size, self.storage.digest(file), file.version)

    def _key(self, place: str) -> str:
        return place.removeprefix(self.storage.address(""))

    def _note(self, note: StoredFile) -> Mapping[str, Any]:
        place = self.storage.address(note.key)
        if (place, note.version) not in _notes:
            _notes[place, note.version] = read_note(self.storage.read(note.key), place)
        return _notes[place, note.version]


class _LocalFiles(Mapping[str, Path]):
    """Files by name, each brought by `get` when it is first asked for."""

    def __init__(self, files: Sequence[DeliveredFile], get: Callable[[DeliveredFile], Path]):
        self._files, self._get = {file.name: file for file in files}, functools.cache(get)

    def __getitem__(self, name: str) -> Path:
        return self._get(self._files[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def brings_movies(name: str) -> bool:
    """Whether a file of this name makes a delivery."""
    return name == ARCHIVE or name.startswith(f"{MOVIES_METADATA.name}.")


def arrival(month: dt.date, files: Mapping[str, tuple[str, dt.datetime]]) -> Arrival | None:
    """The arrival of files, each with its version and the time it was written; None without one of the data set."""
    marks = {name: written for name, (_, written) in files.items() if name in MARKERS}
    data = sorted((name, *files[name]) for name in files if FILE_NAME.fullmatch(name))
    if not data:
        return None
    stamp = hashlib.blake2b(json.dumps(data, default=str).encode(), digest_size=8).hexdigest()
    return Arrival(month, tuple(name for name, _, _ in data), stamp, max(written for _, _, written in data), marks)


def refused_months(archived: Sequence[Archived]) -> list[Archived]:
    """The newest delivery of each month that was judged, where it was refused; superseded ones were not judged."""
    judged = [a for a in archived if a.note.get("reason") != "superseded"]
    newest = {a.month: a for a in sorted(judged, key=lambda a: a.number)}
    return [newest[month] for month in sorted(newest) if newest[month].outcome == "failed"]


def folder_name(outcome: Outcome, existing: Mapping[Outcome, set[str]], delivery_id: str) -> str:
    """The folder in `outcome`/ for a delivery, next to the `existing` ones of its month.

    The newest one is used again for the same delivery with the same outcome: a kill left it unfinished, or the
    same content was delivered again.
    """
    named = [(_FOLDER.fullmatch(name), its) for its, names in existing.items() for name in names]
    number, *same = max(((int(name[1]), name[2], its) for name, its in named if name), default=(0, "", ""))
    return f"{number if same == [delivery_id, outcome] else number + 1:04d}-{delivery_id}"


def read_note(content: bytes, place: str) -> dict[str, Any]:
    """What delivery.json or error.json says; raises LandingDamaged when that is not what the platform wrote."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        note = json.loads(content)
        fields = [(entry["name"], entry["size_bytes"], _digest_in(entry)) for entry in note["files"]]
        are_files = all([*map(type, entry)] == [str, int, str] for entry in fields)
        if fields and are_files and all(FILE_NAME.fullmatch(name) and size >= 0 for name, size, _ in fields):
            return dict(note)
    raise LandingDamaged(
        f"{place} is damaged. Restore it from a backup, or take its folder out of the landing zone and deliver the "
        "files that are in it again."
    )


def _digest_in(entry: Mapping[str, Any]) -> str:
    return entry["blake2b"] if "blake2b" in entry else entry["etag"]  # type: ignore[no-any-return]


def _month_of(folder: str) -> dt.date | None:
    with contextlib.suppress(SettingsError):
        return parse_month(folder)
    return None
