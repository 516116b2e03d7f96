"""A delivered file -> its CSV as a stream of bytes, whatever it is packed in."""

import contextlib
import gzip
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from movies_platform.errors import DeliveryRejected
from movies_platform.landing.deliveries import ARCHIVE, MOVIES, brings_movies, without_doubles

_AGAIN = "Deliver the file again, whole."


@contextlib.contextmanager
def movies_stream(files: Mapping[str, Path], place: str) -> Iterator[tuple[str, BinaryIO]]:
    """Name and bytes of the delivery's movies_metadata.csv, unpacked as they are read.

    `files` are the delivery's files by name. Raises DeliveryRejected, also while reading, for a file that
    is not what its name says or ends too early.
    """
    without_doubles(list(files), place)
    name = next(filter(brings_movies, sorted(files)))
    try:
        with contextlib.ExitStack() as stack:
            raw: BinaryIO
            if name == ARCHIVE:
                archive = stack.enter_context(zipfile.ZipFile(files[name]))
                member = _member(archive)
                raw = cast(BinaryIO, stack.enter_context(archive.open(member)))
                if member.endswith(".gz"):
                    raw = cast(BinaryIO, stack.enter_context(gzip.open(raw)))
            elif name.endswith(".gz"):
                raw = cast(BinaryIO, stack.enter_context(gzip.open(files[name])))
            else:
                raw = stack.enter_context(files[name].open("rb"))
            yield name, raw
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as problem:
        raise DeliveryRejected(f"cannot be unpacked: {problem}", file=name, remedy=_AGAIN) from problem
    except NotImplementedError as problem:  # zipfile's word for a method of compression it does not know
        raise DeliveryRejected(
            f"cannot be unpacked: {problem}",
            file=name,
            remedy="Pack it with deflate, as zip does by default.",
        ) from problem


def _member(archive: zipfile.ZipFile) -> str:
    wanted = (f"{MOVIES}.csv", f"{MOVIES}.csv.gz")
    found = [
        info
        for info in archive.infolist()
        if PurePosixPath(info.filename).name in wanted and "__MACOSX" not in info.filename
    ]
    if len(found) != 1:
        raise DeliveryRejected(
            f"holds {len(found)} files named {' or '.join(wanted)}",
            file=ARCHIVE,
            remedy="It must hold exactly one.",
        )
    if found[0].flag_bits & 1:
        raise DeliveryRejected("is encrypted", file=ARCHIVE, remedy="Pack it without a password.")
    return found[0].filename
