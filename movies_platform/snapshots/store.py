"""What a place for snapshots must be able to do, and the pointer to the latest one."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from movies_platform.errors import SnapshotDamaged

LATEST = "latest.json"
SNAPSHOTS = "snapshots"


@dataclass(frozen=True)
class Pointer:
    """What `latest.json` says.

    `snapshot` is the id, `folder` its place, `manifest_sha256` the digest of its manifest, `earlier` the folders of
    the older snapshots that are still there, newest first.
    """

    snapshot: str
    folder: str
    manifest_sha256: str
    published_at: str
    earlier: list[str] = field(default_factory=list)

    def to_json(self) -> bytes:
        """The file's content."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, content: bytes) -> "Pointer":
        """Read the file's content; raises SnapshotDamaged when it is none."""
        try:
            return cls(**json.loads(content))
        except (ValueError, TypeError) as problem:
            raise SnapshotDamaged(
                f"{LATEST} is not what was published. Run 'movies-platform publish --insist' to write it anew."
            ) from problem


class Store(Protocol):
    """A place for snapshots. Paths are relative to it, with forward slashes.

    Files in `snapshots/` are written once. Only `latest.json` is ever replaced, by `point`.
    """

    address: str

    def prepare(self) -> None:
        """Make sure that the place can be written, as far as can be seen before; raises SettingsError otherwise."""

    def read(self, path: str) -> bytes | None:
        """A small file's content; None where it does not exist."""

    def put(self, place: str, source: Path, paths: Sequence[str]) -> None:
        """Store the files `paths` of the local folder `source` durably in the folder `place`."""

    def fetch(self, path: str, target: Path) -> None:
        """Copy a file to the local `target`; raises FileNotFoundError where it does not exist."""

    def digest(self, path: str) -> tuple[int, str]:
        """Size in bytes and SHA-256 of a file, read back from the place."""

    def local(self, path: str) -> Path | None:
        """The file itself where it lies on this machine, else None."""

    def point(self, content: bytes, expected: bytes | None) -> bool:
        """Replace `latest.json` in one step, if it is still as `expected` (None: it does not exist).

        False when somebody else was faster; the file is then theirs.
        """

    def folders(self) -> dict[str, dt.datetime]:
        """The folders in `snapshots/`, each with the time of its last change."""

    def remove(self, folder: str) -> None:
        """Delete a folder in `snapshots/` with all that is in it."""
