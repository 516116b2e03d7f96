"""The landing zone in a folder.

Renames inside one file system are atomic, so a delivery appears whole. Settling copies (a hard
link where the file system has them), writes the note that makes the copy count, and only then takes the
files out of incoming/, if they are still the ones that were read.
"""

import contextlib
import datetime as dt
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from movies_platform.errors import DeliveryChanged, SettingsError
from movies_platform.landing.deliveries import (
    FILE_NAME,
    MARKERS,
    NOTES,
    OUTCOMES,
    Arrival,
    Delivery,
    Look,
    Outcome,
    Settled,
    arrival,
    brings_movies,
)
from movies_platform.landing.files import (
    delivered_file,
    keep,
    move_markers,
    read_ahead,
    replaced_files,
    version_of,
    visible,
    written_at,
)
from movies_platform.landing.settling import SUPERSEDED, is_left_over, note_content, parse_settled, place_of, read_note
from movies_platform.resources.months import month_name, parse_month


class FolderLanding:
    """A `Landing` in a folder of a local or mounted file system."""

    def __init__(self, root: str | Path):
        self.root = Path(root)

    def look(self, month: dt.date | None = None) -> Look:
        """What lies in incoming/ (of one month) now."""
        found: list[Arrival | None] = []
        for day, folder in self._month_folders():
            with contextlib.suppress(FileNotFoundError):  # settled while we look
                files = [path for path in visible(folder) if path.is_file() and month in (None, day)]
                found.append(arrival(day, {path.name: (version_of(path), written_at(path)) for path in files}))
        return Look(tuple(filter(None, found)), tuple(self.strays() if month is None else ()))

    def months(self) -> list[dt.date]:
        """Months with a file of the data set in incoming/, oldest first."""
        found = [(month, self._names(folder)) for month, folder in self._month_folders()]
        return [m for m, names in found if any(map(brings_movies, names)) or (names and self.incoming(m))]

    def strays(self) -> list[str]:
        """What lies in incoming/ and is no delivery."""
        months = {folder for _, folder in self._month_folders()}
        found = [
            f"incoming/{p.name}: not a month's folder (YYYY-MM)"
            for p in visible(self.root / "incoming")
            if p not in months
        ]
        for folder in sorted(months):
            found += [
                f"incoming/{folder.name}/{p.name}: not a file of the data set"
                for p in visible(folder)
                if not (FILE_NAME.fullmatch(p.name) or p.name in MARKERS) or not p.is_file()
            ]
        return found

    def incoming(self, month: dt.date) -> Delivery | None:
        """What waits to be processed for the month."""
        waiting = self._delivery(month, self._incoming(month), settled=False)
        return None if waiting and self._left_over(waiting) else waiting

    def read_ahead(self) -> None:
        """Begin to read the files of the oldest delivery, whose digests make its id."""
        with contextlib.suppress(FileNotFoundError):  # settled while we look
            for month in self.months()[:1]:
                for name in self._names(self._incoming(month)):
                    read_ahead(self._incoming(month) / name)

    def settled(self, month: dt.date | None = None) -> list[Settled]:
        """Deliveries that were processed or refused, by month and number."""
        found = []
        for outcome in OUTCOMES:
            folders = self.root.glob(f"{outcome}/{month_name(month) if month else '*'}/*")
            for folder in folders:
                note, parsed = folder / NOTES[outcome], parse_settled(folder.name)
                if parsed and note.is_file():
                    found.append(
                        Settled(
                            parse_month(folder.parent.name), *parsed, outcome, str(folder),
                            read_note(note.read_bytes(), str(note)),
                        )
                    )  # fmt: skip
        return sorted(found, key=lambda s: (s.month, s.number))

    def processed(self, month: dt.date) -> Delivery | None:
        """The newest processed delivery of the month."""
        done = [s for s in self.settled(month) if s.outcome == "processed"]
        return self._delivery(month, Path(done[-1].place), settled=True) if done else None

    @contextlib.contextmanager
    def local_files(self, delivery: Delivery) -> Iterator[dict[str, Path]]:
        """The delivery's files, where they lie."""
        yield {file.name: Path(delivery.place, file.name) for file in delivery.files}
        if replaced := replaced_files(delivery):
            raise DeliveryChanged(f"{', '.join(replaced)} in {delivery.place} changed while it was read.")

    def put(self, month: dt.date, files: Mapping[str, Path]) -> Delivery:
        """Deliver the files for the month, whole or not at all."""
        target = self._incoming(month)
        staged = target.parent / f".{target.name}.{uuid.uuid4().hex}"
        staged.mkdir(parents=True)
        try:
            for name, source in files.items():
                shutil.copyfile(source, staged / name)
            if target.exists():
                waiting = self._delivery(month, target, settled=False)
                delivered = self._delivery(month, staged, settled=False)
                if waiting and delivered and waiting.id == delivered.id:
                    return waiting
                if waiting and self._left_over(waiting):
                    self._take_out(waiting)
                elif waiting:
                    self.settle(waiting, "failed", {"reason": "superseded", "problem": SUPERSEDED})
            self._appear(staged, target)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        arrived = self.incoming(month)
        if arrived is None:
            raise SettingsError(f"{target} was emptied by somebody else while the delivery arrived.")
        return arrived

    def settle(self, delivery: Delivery, outcome: Outcome, note: Mapping[str, Any]) -> str:
        """Move the delivery from incoming/ to `outcome`/; its new place."""
        if delivery.settled or replaced_files(delivery):  # what came instead is a delivery of its own
            return delivery.place
        month = month_name(delivery.month)
        existing = {o: [p.name for p in visible(self.root / o / month)] for o in OUTCOMES}
        place = self.root / outcome / month / place_of(outcome, existing, delivery.id)
        place.mkdir(parents=True, exist_ok=True)
        for file in delivery.files:
            keep(Path(delivery.place, file.name), place / file.name, file.size)
        partial = place / f".{NOTES[outcome]}.part"
        partial.write_text(note_content(delivery, note, "blake2b"), encoding="utf-8")
        partial.replace(place / NOTES[outcome])
        move_markers(Path(delivery.place), place)
        self._take_out(delivery)
        return str(place)

    def _take_out(self, delivery: Delivery) -> None:
        # The movies go first, so that what an interruption leaves is known as `_left_over`.
        for file in sorted(delivery.files, key=lambda f: not brings_movies(f.name)):
            source = Path(delivery.place, file.name)
            with contextlib.suppress(FileNotFoundError):
                if version_of(source) == file.version:
                    source.unlink()
        with contextlib.suppress(OSError):  # something else lies there: it stays
            Path(delivery.place).rmdir()

    def _left_over(self, waiting: Delivery) -> bool:
        return is_left_over(waiting, self.settled(waiting.month)[-1:])

    def _incoming(self, month: dt.date) -> Path:
        return self.root / "incoming" / month_name(month)

    def _month_folders(self) -> list[tuple[dt.date, Path]]:
        found = []
        for folder in visible(self.root / "incoming"):
            with contextlib.suppress(SettingsError):
                if folder.is_dir():
                    found.append((parse_month(folder.name), folder))
        return sorted(found)

    def _names(self, folder: Path) -> list[str]:
        return [p.name for p in visible(folder) if p.is_file() and FILE_NAME.fullmatch(p.name)]

    def _delivery(self, month: dt.date, folder: Path, *, settled: bool) -> Delivery | None:
        files = tuple(delivered_file(folder / name) for name in self._names(folder))
        return Delivery(month, files, str(folder), settled) if files else None

    def _appear(self, staged: Path, target: Path) -> None:
        """Let the staged files appear at `target` in one step."""
        if target.exists():  # what is left there is no part of a delivery: it stays, ours join it
            for path in sorted(staged.iterdir(), key=lambda p: brings_movies(p.name)):
                path.replace(target / path.name)
        else:
            staged.rename(target)
