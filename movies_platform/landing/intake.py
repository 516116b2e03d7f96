"""What somebody hands in -> the files of a delivery, or a clear refusal.

Only what is plainly no delivery is refused here; the records are judged when they are read.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from movies_platform.errors import DeliveryRejected
from movies_platform.landing.deliveries import ARCHIVE, FILE_NAME, MOVIES
from movies_platform.landing.streams import movies_stream

_HEADER = 65_536  # bytes that must hold the header line


def collect(path: Path) -> dict[str, Path]:
    """The files of the delivery at `path` by the names the landing zone gives them.

    `path` is a csv or csv.gz of the movies (any name), the data set's zip (any name), or a folder with
    files of the data set. Raises DeliveryRejected for anything else.
    """
    if not path.exists():
        raise DeliveryRejected("does not exist", file=str(path), remedy="Check the path.")
    if not path.is_dir() and not path.is_file():
        raise DeliveryRejected("is neither a file nor a folder", file=str(path), remedy="Deliver a file.")
    files = _from_folder(path) if path.is_dir() else {_landing_name(path): path}
    with _readable(files, path) as head:
        columns = re.split(rb"[,\r\n]", head.removeprefix(b"\xef\xbb\xbf"), maxsplit=500)
        if not {b"id", b"title"} <= {column.strip().strip(b'"') for column in columns}:
            raise DeliveryRejected(
                f"is no {MOVIES}: its first line does not name the columns id and title",
                file=path.name,
                remedy="Deliver the data set's own file, with its header line.",
            )
    return files


@contextmanager
def _readable(files: dict[str, Path], path: Path) -> Iterator[bytes]:
    with movies_stream(files, str(path)) as (_, stream):
        yield stream.read(_HEADER)


def _from_folder(path: Path) -> dict[str, Path]:
    archives = [p for p in path.iterdir() if p.suffix == ".zip" and not p.name.startswith(".")]
    files = {p.name: p for p in sorted(path.iterdir()) if p.is_file() and FILE_NAME.fullmatch(p.name)}
    if not files and len(archives) == 1:
        return {ARCHIVE: archives[0]}
    if not files:
        found = ", ".join(sorted(p.name for p in path.iterdir())[:5]) or "nothing"
        raise DeliveryRejected(
            f"holds no file of the data set (found: {found})", file=str(path), remedy=f"It must hold {MOVIES}.csv."
        )
    return files


def _landing_name(path: Path) -> str:
    name = path.name.lower()
    if name.endswith(".zip"):
        return ARCHIVE
    for ending in (".csv", ".csv.gz"):
        if name.endswith(ending):
            return f"{MOVIES}{ending}"
    raise DeliveryRejected(
        "is no delivery",
        file=path.name,
        remedy="Deliver a .csv, a .csv.gz, the data set's .zip, or a folder.",
    )
