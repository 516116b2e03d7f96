"""Files of a delivery in a folder: what they are, whether they were replaced, how they are kept."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from movies_platform.landing.deliveries import ARCHIVE, MOVIES, DeliveredFile, Delivery


def brings_movies(name: str) -> bool:
    """Whether a file of this name makes a delivery."""
    return name == ARCHIVE or name.startswith(f"{MOVIES}.")


def visible(folder: Path) -> Sequence[Path]:
    """What lies in the folder, hidden work in progress left out."""
    return sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []


def version_of(path: Path) -> str:
    """Changes whenever the file is written."""
    stat = path.stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def delivered_file(path: Path) -> DeliveredFile:
    """The file as part of a delivery."""
    version = version_of(path)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
    return DeliveredFile(path.name, path.stat().st_size, digest, version)


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
