"""Files of a delivery in a folder: what they are, whether they were replaced, how they are kept."""

import datetime as dt
import hashlib
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from movies_platform.landing.deliveries import MARKERS, DeliveredFile, Delivery

_reader = ThreadPoolExecutor(max_workers=1)
_ahead: dict[tuple[Path, str], Future[str]] = {}  # digests by file and version, until they are asked for


def visible(folder: Path) -> Sequence[Path]:
    """What lies in the folder, hidden work in progress left out."""
    return sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []


def version_of(path: Path) -> str:
    """Changes whenever the file is written."""
    stat = path.stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def written_at(path: Path) -> dt.datetime:
    """When the file was last written, UTC."""
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)


def move_markers(source: Path, target: Path) -> None:
    """Let the provider's markers follow their delivery."""
    for name in MARKERS:
        if (source / name).is_file():
            shutil.move(source / name, target / name)


def read_ahead(path: Path) -> None:
    """Begin in a thread to read a file for which `delivered_file` will be asked."""
    _ahead[path, version_of(path)] = _reader.submit(_digest, path)


def delivered_file(path: Path) -> DeliveredFile:
    """The file as part of a delivery."""
    version = version_of(path)
    ahead = _ahead.pop((path, version), None)
    return DeliveredFile(path.name, path.stat().st_size, ahead.result() if ahead else _digest(path), version)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=32)).hexdigest()


def replaced_files(delivery: Delivery) -> list[str]:
    """Names of the delivery's files that are others now than those it was made of."""
    paths = {file: Path(delivery.place, file.name) for file in delivery.files}
    return [file.name for file, path in paths.items() if path.exists() and version_of(path) != file.version]


def keep(source: Path, target: Path, size: int) -> None:
    """Put the file's content at `target` too, whole or not at all; nothing is done where it is already."""
    if target.exists() and target.stat().st_size == size:
        return
    partial = target.with_name(f".{target.name}.part")
    partial.unlink(missing_ok=True)
    try:
        os.link(source, partial)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, partial)
    partial.replace(target)
