"""The files of a delivery: opening a table's CSV whatever it is packed in, and what `deliver` accepts.

People rename, pack and unpack: what a file is, is read from its first bytes, not from its name. A damaged or hostile
archive makes the decompressors raise almost anything; all of it refuses the delivery, while an error of the disk is
raised as it is.
"""

import codecs
import contextlib
import errno
import gzip
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple, cast

from movies_platform.contracts.sources import ARCHIVE, MOVIES_METADATA
from movies_platform.errors import DeliveryRejected
from movies_platform.landing.deliveries import FILE_NAME

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_GZIP, _ZIP, _EMPTY_ZIP = b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06"
_FORMATS = {
    _GZIP: "a gzip file", _ZIP: "a zip archive", _EMPTY_ZIP: "an empty zip archive", b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file", b"\x28\xb5\x2f\xfd": "a zstandard file", b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive", b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "an Excel file", b"PAR1": "a Parquet file",
    b"SQLite format 3": "a SQLite database",
}  # fmt: skip
_MOST_BYTES = 64 << 30  # no file of the data set is a tenth of this
_BURST_BYTES, _MOST_RATIO = 64 << 20, 1_000  # text is packed to a third, at most to a hundredth
_AGAIN = "Deliver the file again, complete."
_SHOWN = 5  # files of an archive, by name
_HEADER = 65_536  # bytes that must hold the header line


class OpenTable(NamedTuple):
    """A table's CSV: its `name` (in an archive, that of the member), the `file` of the delivery, its bytes."""

    name: str
    file: str
    stream: BinaryIO


@contextlib.contextmanager
def open_table(files: Mapping[str, Path], tables: Sequence[str], place: str) -> Iterator[OpenTable]:
    """The CSV of a table, unpacked as it is read.

    `tables` are the accepted names of the table's file without `.csv`, the preferred one first; `files` the delivery's
    files by name, `place` where it lies. Raises DeliveryRejected, also while reading, when there is no such
    file, more than one, or one that cannot be unpacked.
    """
    file, table = find_table(files, tables) or ("", "")
    if not file:
        wanted = " or ".join(f"{table}.csv" for table in tables)
        found = sorted(files)
        if ARCHIVE in files:
            with zipfile.ZipFile(files[ARCHIVE]) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
            inside = ["".join(letter if letter.isprintable() else "?" for letter in name) for name in names]
            more = f" and {len(inside) - _SHOWN:,} more" if len(inside) > _SHOWN else ""
            found += [f"in {ARCHIVE}: {', '.join(inside[:_SHOWN]) or 'nothing'}{more}"]
        raise DeliveryRejected(
            f"{place} holds no {wanted} (found: {', '.join(found) or 'nothing'})",
            remedy=f"Deliver {wanted}, also as .csv.gz, or {ARCHIVE}.",
        )
    with contextlib.ExitStack() as stack:
        packed, name = stack.enter_context(files[file].open("rb")), file
        stream = packed
        if _format_of(packed) == _ZIP or file == ARCHIVE:
            with _refusing_damage(file):
                archive = stack.enter_context(zipfile.ZipFile(packed))
                member = _member(archive, table, file)
                name = f"{table}.csv" if file == ARCHIVE else file
                stream = _unpacked(stack.enter_context(archive.open(member)), packed, member.header_offset, file)
        for _ in range(2):  # some servers pack what is packed
            if _format_of(stream) == _GZIP:
                stream = _unpacked(gzip.GzipFile(fileobj=stream), packed, 0, name)
        if format_ := _format_of(stream):
            raise DeliveryRejected(f"is {_FORMATS[format_]}, not a CSV", file=name, remedy=f"Deliver {table}.csv.")
        yield OpenTable(name, file, cast(BinaryIO, stream))


def find_table(files: Mapping[str, Path], tables: Sequence[str]) -> tuple[str, str] | None:
    """The delivered file that holds a table, and under which of the accepted names; None if there is none.

    Raises DeliveryRejected for several, because one could not know which counts.
    """
    for table in tables:
        found = [name for name in (f"{table}.csv", f"{table}.csv.gz") if name in files]
        if ARCHIVE in files and table in _tables_in(files[ARCHIVE]):
            found.append(ARCHIVE)
        if len(found) > 1:
            raise DeliveryRejected(
                f"the delivery holds {table} more than once ({', '.join(found)})",
                remedy="Deliver it again with only the one that counts.",
            )
        if found:
            return found[0], table
    return None


def files_to_deliver(path: Path) -> dict[str, Path]:
    """The files of the delivery at `path` by the names that the landing zone gives them.

    `path` is a csv or csv.gz of the movies, the data set's zip (whatever they are called), or a folder with files of
    the data set. Only what is plainly no delivery is refused here, with DeliveryRejected; the records are judged
    when they are read.
    """
    if not path.is_dir() and not path.is_file():
        problem = "is neither a file nor a folder" if path.exists() else "does not exist"
        raise DeliveryRejected(problem, file=str(path), remedy="Check the path.")
    files = _files_in(path) if path.is_dir() else {_landing_name(path): path}
    try:
        with open_table(files, MOVIES_METADATA.names, str(path)) as table:
            head = table.stream.read(_HEADER)
    except DeliveryRejected as problem:  # the file is named as it was given
        raise DeliveryRejected(problem.problem, file=path.name, remedy=problem.remedy) from problem
    if not _names_movies(head, b","):
        why = "its first line does not name the columns id and title"
        if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in head[:100]:
            why = "it is not UTF-8"
        elif _names_movies(head, b";") or _names_movies(head, b"\t"):
            why = "its columns are not separated by commas"
        raise DeliveryRejected(
            f"is no delivery of {MOVIES_METADATA.name}: {why}",
            file=path.name,
            remedy="Deliver the data set's own file, with its header line.",
        )
    return files


def files_left_out(path: Path) -> list[str]:
    """Names in a folder that is delivered of what `files_to_deliver` does not take."""
    taken = {*files_to_deliver(path).values()} if path.is_dir() else set()
    return sorted(p.name for p in path.iterdir() if p not in taken and not p.name.startswith(".")) if taken else []


def _files_in(folder: Path) -> dict[str, Path]:
    visible = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    files = {path.name: path for path in visible if FILE_NAME.fullmatch(path.name)}
    archives = [path for path in visible if path.suffix == ".zip"]
    if not files and len(archives) != 1:
        found = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) or "nothing"
        raise DeliveryRejected(
            f"holds no file of the data set (found: {found})", file=str(folder),
            remedy=f"It must hold {MOVIES_METADATA.name}.csv.",
        )  # fmt: skip
    return files or {ARCHIVE: archives[0]}


def _landing_name(path: Path) -> str:
    with path.open("rb") as stream:
        format_ = _format_of(stream)
    endings = {_ZIP: ARCHIVE, _GZIP: f"{MOVIES_METADATA.name}.csv.gz"}
    return endings.get(format_, f"{MOVIES_METADATA.name}.csv")


def _names_movies(head: bytes, separator: bytes) -> bool:
    columns = re.split(rb"[\r\n]|" + re.escape(separator), head.removeprefix(codecs.BOM_UTF8), maxsplit=500)
    return {b"id", b"title"} <= {column.strip().strip(b'"') for column in columns}


def _format_of(stream: io.BufferedReader) -> bytes:
    """The first bytes of the format that the stream is packed in; empty for anything that may be text."""
    head = stream.peek(16)
    return next((magic for magic in _FORMATS if head.startswith(magic)), b"")


def _tables_in(path: Path) -> dict[str, list[zipfile.ZipInfo]]:
    with _refusing_damage(ARCHIVE), path.open("rb") as stream:
        format_ = _format_of(stream)
        if format_ not in (_ZIP, _EMPTY_ZIP, b""):
            raise DeliveryRejected(f"is {_FORMATS[format_]}, not a zip archive", file=ARCHIVE, remedy=_AGAIN)
        with zipfile.ZipFile(stream) as archive:
            return _tables_of(archive)


def _tables_of(archive: zipfile.ZipFile) -> dict[str, list[zipfile.ZipInfo]]:
    """The members that hold a table, by its name. PowerShell writes backslashes between folders."""
    found: dict[str, list[zipfile.ZipInfo]] = {}
    for member in archive.infolist():
        *folders, name = member.filename.replace("\\", "/").split("/")  # a folder has an empty name
        if FILE_NAME.fullmatch(name) and name != ARCHIVE and "__MACOSX" not in folders:
            found.setdefault(name.partition(".")[0], []).append(member)
    return found


def _member(archive: zipfile.ZipFile, table: str, name: str) -> zipfile.ZipInfo:
    found = _tables_of(archive).get(table, [])
    if len(found) != 1:
        raise DeliveryRejected(
            f"is a zip archive that holds {len(found)} files named {table}.csv", file=name,
            remedy="It must hold exactly one.",
        )  # fmt: skip
    if found[0].flag_bits & 1:
        raise DeliveryRejected("is encrypted", file=name, remedy="Pack it without a password.")
    if found[0].file_size > _MOST_BYTES:
        raise _bomb(name)
    return found[0]


@contextlib.contextmanager
def _refusing_damage(name: str) -> Iterator[None]:
    try:
        yield
    except NotImplementedError as problem:  # zipfile's word for a method of compression it does not know
        raise DeliveryRejected(
            f"cannot be unpacked: {problem}", file=name, remedy="Pack it with deflate, as zip does by default."
        ) from problem
    except Exception as problem:
        # The disk's errors have a number; of the decompressors' own (OSError too) only a damaged offset has one.
        is_the_disks = getattr(problem, "errno", None) not in (None, errno.EINVAL)
        if is_the_disks or isinstance(problem, DeliveryRejected | MemoryError):
            raise
        why = f"{problem}" or type(problem).__name__
        raise DeliveryRejected(f"cannot be unpacked: {why}", file=name, remedy=_AGAIN) from problem


def _bomb(name: str) -> DeliveryRejected:
    return DeliveryRejected(
        "unpacks to much more than any file of the data set", file=name, remedy="Deliver the data set's own file."
    )


def _unpacked(stream: IO[bytes] | gzip.GzipFile, packed: BinaryIO, begin: int, name: str) -> io.BufferedReader:
    return io.BufferedReader(_Unpacked(stream, packed, begin, name), 1 << 16)


class _Unpacked(io.RawIOBase):
    """What a decompressor makes of `packed`, from byte `begin` on."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, packed: BinaryIO, begin: int, name: str):
        self._stream, self._packed, self._begin, self._name = stream, packed, begin, name
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        with _refusing_damage(self._name):
            content = self._stream.read(len(view))
        view[: len(content)] = content
        self._size += len(content)
        most = max(_BURST_BYTES, _MOST_RATIO * (self._packed.tell() - self._begin))
        if self._size > min(most, _MOST_BYTES):
            raise _bomb(self._name)
        return len(content)
