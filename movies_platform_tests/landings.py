"""Landing zones of the tests: what the platform does with one, and its storage as the provider sees it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from movies_platform.landing.deliveries import Delivery, Landing, Outcome
from movies_platform.landing.folder import Folder as FolderStorage
from movies_platform.landing.s3 import Bucket
from movies_platform_tests.buckets import Store

MONTH = dt.date(2017, 11, 1)
MOVIES, CREDITS = "movies_metadata.csv", "credits.csv"
WAITING = ["incoming/2017-11/credits.csv", "incoming/2017-11/movies_metadata.csv"]
MARKER = "incoming/2017-11/_SUCCESS"  # written by a delivery of ours


class Storage(Protocol):
    """Files or objects by their keys below the landing zone (`buckets.Store` is one)."""

    address: str

    def put(self, key: str, content: str) -> None:
        """Put one, whole, in the place of what was there."""

    def get(self, key: str) -> str:
        """The text of one."""

    def delete(self, key: str) -> None:
        """Delete one."""

    def listing(self, below: str = "") -> list[str]:
        """Every key, in order."""

    def written(self, key: str) -> object:
        """What changes whenever it is written."""


class Folder:
    """A storage in a folder."""

    def __init__(self, root: Path):
        self.root, self.address = root, str(root)

    def put(self, key: str, content: str) -> None:
        """Put a file, by a rename as providers should."""
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        newer = target.with_name(f".{target.name}.newer")
        newer.write_text(content)
        newer.replace(target)

    def get(self, key: str) -> str:
        """A file's text."""
        return (self.root / key).read_text()

    def delete(self, key: str) -> None:
        """Delete a file."""
        (self.root / key).unlink()

    def listing(self, below: str = "") -> list[str]:
        """Every file, hidden ones too."""
        return sorted(str(p.relative_to(self.root)) for p in (self.root / below).rglob("*") if p.is_file())

    def written(self, key: str) -> object:
        """Which file it is, and when it or anything about it was changed."""
        found = (self.root / key).stat()
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns


S = TypeVar("S", bound=Storage)


@dataclass(frozen=True)
class Zone(Generic[S]):
    """A landing zone; `digest` is what its notes call the digest of a file."""

    landing: Landing
    storage: S
    sources: Path
    digest: str

    def deliver(self, content: str, *names: str) -> Delivery:
        """Deliver files (the movies, unless named) of that content for the month."""
        files = {}
        for name in names or (MOVIES,):
            files[name] = self.sources / name
            files[name].write_text(f"{name} {content}")
        return self.landing.put(MONTH, files)

    def archive(self, content: str, outcome: Outcome = "processed") -> str:
        """Deliver and archive; outcome, month and number of the place."""
        place = self.landing.archive(self.deliver(content), outcome, {"reason": "test"})
        return place.removeprefix(f"{self.storage.address}/").rpartition("-")[0]


def zone_in_folder(place: Path) -> Zone[Folder]:
    """A zone in a folder that does not exist yet."""
    sources = place / "sources"
    sources.mkdir()
    return Zone(Landing(FolderStorage(place / "landing")), Folder(place / "landing"), sources, "blake2b")


def zone_on_s3(store: Store, sources: Path) -> Zone[Store]:
    """A zone in an empty bucket."""
    return Zone(Landing(Bucket(store.address)), store, sources, "etag")


def nth(function: Callable[..., object], number: int) -> Callable[..., object]:
    """The function, interrupted at its nth call."""
    calls = iter(range(1, 1000))

    def interrupted(*arguments: object, **options: object) -> object:
        if next(calls) == number:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    return interrupted
