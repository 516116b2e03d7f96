"""What somebody hands in -> the files of a delivery, or a clear refusal.

Only what is plainly no delivery is refused here; the records are judged when they are read.
"""

import codecs
import re
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
    if not _names_movies(head := _head(files, path), b","):
        why = "its first line does not name the columns id and title"
        if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in head[:100]:
            why = "it is not UTF-8"
        elif _names_movies(head, b";") or _names_movies(head, b"\t"):
            why = "its columns are not separated by commas"
        raise DeliveryRejected(
            f"is no {MOVIES}: {why}", file=path.name, remedy="Deliver the data set's own file, with its header line."
        )
    return files


def _names_movies(head: bytes, separator: bytes) -> bool:
    columns = re.split(rb"[\r\n]|" + re.escape(separator), head.removeprefix(codecs.BOM_UTF8), maxsplit=500)
    return {b"id", b"title"} <= {column.strip().strip(b'"') for column in columns}


def _head(files: dict[str, Path], path: Path) -> bytes:
    """The first bytes of the movies; refusals name the file as it was handed in."""
    try:
        with movies_stream(files, str(path)) as (_, stream):
            return stream.read(_HEADER)
    except DeliveryRejected as problem:
        raise DeliveryRejected(problem.problem, file=path.name, remedy=problem.remedy) from problem


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
