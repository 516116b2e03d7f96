"""A landing zone in a folder of a local or mounted file system.

Renames inside one file system are atomic, so a delivery appears with all its files. What is archived is an own copy:
a hard link would still be written to by whoever has the file open, and a symbolic link follows its target. Links to
files in incoming/ are read through; links to folders are never followed there, so that nothing behind them is deleted.
"""

import contextlib
import datetime as dt
import hashlib
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from movies_platform.errors import DeliveryChanged, SettingsError
from movies_platform.landing.deliveries import FILE_NAME, STAGED_SECONDS, DeliveredFile, StoredFile, brings_movies

_CHUNK = 1 << 20
_STAGED = re.compile(r"\.\d{4}-\d{2}\.[0-9a-f]{32}")


class Folder:
    """A `Storage` in a folder, which need not exist yet."""

    digest_name = "blake2b"

    def __init__(self, root: str | Path):
        self.root = Path(root)

    def address(self, key: str) -> str:
        """The path of a key."""
        return f"{self.root}/{key}"

    def files(self, below: str) -> list[StoredFile]:
        """Every file below a folder, hidden work in progress left out."""
        top, in_archive = self.root / below, not below.startswith("incoming/")
        if top.parent == self.root / "incoming" and top.is_symlink():
            return []
        found = []
        for folder, names, files in os.walk(top, onerror=_raise_unless_gone, followlinks=in_archive):
            names[:] = [name for name in names if not name.startswith(".")]
            odd = [] if in_archive else [name for name in names if _is_no_folder_of_files(Path(folder, name))]
            for path in (Path(folder, name) for name in [*files, *odd] if not name.startswith(".")):
                with contextlib.suppress(FileNotFoundError):  # archived meanwhile
                    status = path.stat() if path.exists() else path.lstat()
                    key = path.relative_to(self.root).as_posix() + ("" if stat.S_ISREG(status.st_mode) else "/")
                    written = dt.datetime.fromtimestamp(status.st_mtime, dt.UTC)
                    found.append(StoredFile(key, status.st_size, _version(status), written))
        return sorted(found, key=lambda file: file.key)

    def digest(self, file: StoredFile) -> str:
        """BLAKE2b of the content; raises DeliveryChanged when the file was deleted meanwhile."""
        try:
            return _copy(self.root / file.key, None)
        except FileNotFoundError as problem:
            raise DeliveryChanged(f"{self.root / file.key} was deleted while it was read.") from problem

    def local_digest(self, path: Path, key: str, file: DeliveredFile) -> str:
        """BLAKE2b of the content."""
        return _copy(path, None)

    def read(self, key: str) -> bytes:
        """The content of a small file."""
        return (self.root / key).read_bytes()

    def write(self, key: str, content: str) -> None:
        """Write a small file; it appears complete."""
        path = self.root / key
        partial = path.with_name(f".{path.name}.part")
        partial.write_text(content, encoding="utf-8")
        partial.replace(path)

    def copy(self, source: str, target: str, file: DeliveredFile) -> dict[str, str]:
        """Copy a file whose content is still that of `file`; the copy appears complete."""
        path = self.root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.part")
        try:
            digest = _copy(self.root / source, partial)
            if digest == file.digest:
                partial.replace(path)
                return {}
        except FileNotFoundError:
            digest = ""
        partial.unlink(missing_ok=True)
        raise DeliveryChanged(f"{self.root / source} {'changed' if digest else 'was deleted'} after it was read.")

    def delete(self, key: str, version: str) -> None:
        """Delete a file if it is still that version, and its folder with the last one. A link is deleted itself."""
        path = self.root / key
        with contextlib.suppress(FileNotFoundError):
            if _version(path.stat()) == version:
                path.unlink()
        with contextlib.suppress(OSError):  # something else lies there: it stays
            path.parent.rmdir()

    @contextlib.contextmanager
    def staged(self, folder: str, files: Mapping[str, Path]) -> Iterator[Callable[[], None]]:
        """Copy files to a hidden folder next to the one they are for."""
        target = self.root / folder
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise SettingsError(f"{target} is a file or a link. Remove it, and deliver again.")
        self._remove_old(target.parent)
        staged = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        staged.mkdir(parents=True)

        def appear() -> None:
            if target.exists():  # what is left there is no part of a delivery: it stays, ours join it
                for path in sorted(staged.iterdir(), key=lambda p: brings_movies(p.name)):
                    path.replace(target / path.name)
            else:
                staged.rename(target)

        try:
            for name, source in files.items():
                _copy(source, staged / name)
            yield appear
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def scratch(self) -> contextlib.nullcontext[Path]:
        """Nothing is fetched."""
        return contextlib.nullcontext(self.root)

    def fetch(self, key: str, file: DeliveredFile, scratch: Path) -> Path:
        """The file where it lies."""
        return self.root / key

    def _remove_old(self, incoming: Path) -> None:
        """Remove what deliveries that were killed a day ago or earlier have left."""
        for folder in incoming.glob(".*"):
            with contextlib.suppress(FileNotFoundError):
                if _STAGED.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink():
                    newest = max(path.stat().st_mtime for path in [folder, *folder.iterdir()])
                    if time.time() - newest > STAGED_SECONDS:
                        shutil.rmtree(folder, ignore_errors=True)


def _version(status: os.stat_result) -> str:
    """Changes whenever the file is written, also by a program that sets the time of writing back (as rsync does)."""
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"


def _copy(source: Path, target: Path | None) -> str:
    """Copy a file, through to the disk, if there is a target; the BLAKE2b digest of its content."""
    digest = hashlib.blake2b(digest_size=32)
    with source.open("rb") as reading, target.open("wb") if target else contextlib.nullcontext() as writing:
        while chunk := reading.read(_CHUNK):
            digest.update(chunk)
            if writing:
                writing.write(chunk)
        if writing:
            writing.flush()
            os.fsync(writing.fileno())
    return digest.hexdigest()


def _is_no_folder_of_files(path: Path) -> bool:
    """Whether it is a link, or a folder that has the name of a delivered file."""
    return path.is_symlink() or FILE_NAME.fullmatch(path.name) is not None


def _raise_unless_gone(problem: OSError) -> None:
    if not isinstance(problem, FileNotFoundError | NotADirectoryError):
        raise problem
