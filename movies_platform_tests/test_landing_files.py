"""Opening a delivered table whatever it is packed in; damaged and hostile archives are refused, a disk's errors not."""

import bz2
import errno
import gzip
import io
import lzma
import random
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies_platform.errors import DeliveryRejected
from movies_platform.landing import files as module
from movies_platform.landing.files import files_to_deliver, open_table

CSV = b"id,title\n" + b"".join(b"%d,movie %d\n" % (n, n * n) for n in range(20_000))
MOVIES, ARCHIVE = "movies_metadata.csv", "the-movies-dataset.zip"
METHODS = {
    "stored": zipfile.ZIP_STORED, "deflate": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA,
}  # fmt: skip


def packed(*members: str, content: bytes = CSV, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with members of that content; folders are empty."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name in members:
            # not through writestr(name), which would change backslashes where they separate folders
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, method
            archive.writestr(info, b"" if name[-1] in "/\\" else content)
    return target.getvalue()


def read(folder: Path, files: Mapping[str, bytes], *tables: str) -> bytes:
    """The content of a table of a delivery."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    delivered = {name: folder / name for name in files}
    with open_table(delivered, tables or ("movies_metadata",), "incoming/2017-11") as table:
        assert table.file in files
        return table.stream.read()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (MOVIES, CSV),
        (MOVIES, b""),
        (f"{MOVIES}.gz", gzip.compress(CSV)),
        (f"{MOVIES}.gz", CSV),
        (MOVIES, gzip.compress(CSV)),
        (f"{MOVIES}.gz", gzip.compress(gzip.compress(CSV))),
        (MOVIES, packed(MOVIES)),
        (MOVIES, packed(MOVIES, method=zipfile.ZIP_STORED)),
        (f"{MOVIES}.gz", packed(MOVIES, "credits.csv")),
        (ARCHIVE, packed(MOVIES, "credits.csv", "keywords.csv", "links.csv", "links_small.csv")),
        (ARCHIVE, packed("the-movies-dataset/", f"the-movies-dataset/{MOVIES}", "the-movies-dataset/credits.csv")),
        (ARCHIVE, packed("data\\", f"data\\{MOVIES}", "data\\credits.csv")),
        (ARCHIVE, packed(f"{MOVIES}/", f"{MOVIES}/{MOVIES}")),
        (ARCHIVE, packed(MOVIES, f"__MACOSX/._{MOVIES}", f"__MACOSX/{MOVIES}", f"._{MOVIES}")),
        (ARCHIVE, packed(f"{MOVIES}.gz", content=gzip.compress(CSV))),
        (ARCHIVE, b"#!/bin/sh\nexit\n" + packed(MOVIES)),
        *((ARCHIVE, packed(MOVIES, method=method)) for method in METHODS.values()),
    ],
    ids=[
        "csv", "empty", "gz", "plain named gz", "gzip named csv", "gzip in gzip", "zip named csv",
        "stored zip named csv", "zip named gz", "many tables", "folders", "PowerShell", "folder of the same name",
        "macOS", "gz in zip", "self-extracting", *METHODS,
    ],
)  # fmt: skip
def test_a_table_is_read_whatever_it_is_packed_in(tmp_path: Path, name: str, content: bytes):
    assert read(tmp_path, {name: content}) == (CSV if content else b"")


def test_each_table_of_an_archive_is_found(tmp_path: Path):
    both = io.BytesIO()
    with zipfile.ZipFile(both, "w") as archive:
        archive.writestr(MOVIES, "movies")
        archive.writestr("links_small.csv", "links")
    assert read(tmp_path, {ARCHIVE: both.getvalue()}, "links", "links_small") == b"links"
    assert read(
        tmp_path, {ARCHIVE: both.getvalue(), "links.csv.gz": gzip.compress(b"all")}, "links", "links_small"
    ) == (b"all")


def test_an_archive_without_the_movies_may_lie_next_to_them(tmp_path: Path):
    assert read(tmp_path, {MOVIES: CSV, ARCHIVE: packed("credits.csv")}) == CSV


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, r"holds no movies_metadata.csv \(found: nothing\)"),
        ({"credits.csv": CSV}, r"holds no movies_metadata.csv \(found: credits.csv\)"),
        ({ARCHIVE: packed("credits.csv", "x.txt")}, "in the-movies-dataset.zip: credits.csv, x.txt"),
        ({ARCHIVE: packed()}, r"holds no movies_metadata.csv \(found: the-movies-dataset.zip, in .*: nothing\)"),
        ({ARCHIVE: packed("Movies_Metadata.CSV")}, r"\(found: .*, in the-movies-dataset.zip: Movies_Metadata.CSV\)"),
        ({ARCHIVE: packed(*(f"{n}\x1b[m" for n in range(7)))}, r"zip: 0\?\[m, 1\?\[m, .* and 2 more\)"),
        ({MOVIES: CSV, f"{MOVIES}.gz": CSV}, "holds movies_metadata more than once"),
        ({MOVIES: CSV, ARCHIVE: packed(MOVIES)}, "holds movies_metadata more than once"),
        ({ARCHIVE: packed(MOVIES, f"{MOVIES}.gz")}, "holds 2 files named movies_metadata.csv"),
        ({ARCHIVE: packed(f"a/{MOVIES}", f"b/{MOVIES}")}, "holds 2 files named movies_metadata.csv"),
        ({ARCHIVE: gzip.compress(CSV)}, "is a gzip file, not a zip archive"),
        ({ARCHIVE: CSV}, "File is not a zip file"),
        ({ARCHIVE: packed(MOVIES)[:-30]}, "cannot be unpacked: File is not a zip file"),
        ({ARCHIVE: packed(MOVIES, content=packed(MOVIES))}, "is a zip archive, not a CSV"),
        ({MOVIES: packed("credits.csv")}, "is a zip archive that holds 0 files named movies_metadata.csv"),
        ({MOVIES: packed()}, "is an empty zip archive, not a CSV"),
        ({MOVIES: bz2.compress(CSV)}, "is a bzip2 file, not a CSV"),
        ({f"{MOVIES}.gz": lzma.compress(CSV)}, "is an xz file, not a CSV"),
        ({MOVIES: b"7z\xbc\xaf\x27\x1c\x00\x04"}, "is a 7z archive, not a CSV"),
        ({f"{MOVIES}.gz": gzip.compress(CSV)[:-20]}, "cannot be unpacked: Compressed file ended"),
        ({f"{MOVIES}.gz": gzip.compress(CSV)[:200] + b"\xff" * 200}, "cannot be unpacked"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_what_it_is(tmp_path: Path, files: dict[str, bytes], problem: str):
    with pytest.raises(DeliveryRejected, match=problem):
        read(tmp_path, files)


def encrypted() -> bytes:
    content = bytearray(packed(MOVIES))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def with_method(method: int) -> bytes:
    content = bytearray(packed(MOVIES))
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(signature) + offset] = method
    return bytes(content)


def test_an_encrypted_archive_and_an_unknown_compression_are_refused(tmp_path: Path):
    with pytest.raises(DeliveryRejected, match="is encrypted"):
        read(tmp_path, {ARCHIVE: encrypted()})
    with pytest.raises(DeliveryRejected, match="Pack it with deflate"):
        read(tmp_path, {ARCHIVE: with_method(98)})


@settings(max_examples=60, deadline=None)
@given(data=st.data(), method=st.sampled_from([*METHODS, "gzip"]))
def test_damage_anywhere_is_a_refusal_or_does_no_harm(tmp_path_factory: pytest.TempPathFactory, data, method: str):
    content = bytearray(gzip.compress(CSV) if method == "gzip" else packed(MOVIES, method=METHODS[method]))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=20)):
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)) | st.just(len(content)))
    try:
        found = read(tmp_path_factory.mktemp("x"), {f"{MOVIES}.gz" if method == "gzip" else ARCHIVE: content[:cut]})
    except DeliveryRejected:
        return
    assert found == CSV or method == "gzip"  # (a gzip whose first bytes are damaged is read as text, and refused then)


@pytest.mark.parametrize("method", ["bzip2", "lzma", "deflate"])
def test_a_damaged_member_is_refused(tmp_path: Path, method: str):
    content = bytearray(packed(MOVIES, method=METHODS[method]))
    middle = len(content) // 3
    content[middle : middle + 400] = random.Random(1).randbytes(400)
    with pytest.raises(DeliveryRejected, match=r"cannot be unpacked: .+") as raised:
        read(tmp_path, {ARCHIVE: bytes(content)})
    assert raised.value.file == ARCHIVE


def zeros_in_gzip() -> bytes:
    return gzip.compress(b"id,title\n" + bytes(60 << 20), 1)


def zeros_in_zip() -> bytes:
    return packed(MOVIES, content=b"id,title\n" + bytes(60 << 20), method=zipfile.ZIP_BZIP2)


@pytest.mark.parametrize(("name", "make"), [(f"{MOVIES}.gz", zeros_in_gzip), (ARCHIVE, zeros_in_zip)])
def test_a_file_that_unpacks_to_far_too_much_is_refused_early(
    tmp_path: Path, name: str, make: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_BURST_BYTES", 4 << 20)
    monkeypatch.setattr(module, "_MOST_RATIO", 200)  # gzip at its fastest packs zeros to a 230th
    path = tmp_path / name
    path.write_bytes(make())
    unpacked = []

    def unpack() -> None:
        with open_table({name: path}, ("movies_metadata",), "") as (*_, stream):
            while chunk := stream.read(1 << 20):
                unpacked.append(len(chunk))

    with pytest.raises(DeliveryRejected, match="unpacks to much more"):
        unpack()
    assert 3 << 20 <= sum(unpacked) < 40 << 20


def test_a_member_that_declares_far_too_much_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_BYTES", len(CSV) - 1)
    with pytest.raises(DeliveryRejected, match="unpacks to much more"):
        read(tmp_path, {ARCHIVE: packed(MOVIES)})


@pytest.mark.parametrize(("name", "content"), [(f"{MOVIES}.gz", gzip.compress(CSV)), (ARCHIVE, packed(MOVIES))])
def test_an_error_of_the_disk_is_no_refusal(tmp_path: Path, name: str, content: bytes, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / name).write_bytes(content)
    with open_table({name: tmp_path / name}, ("movies_metadata",), "") as (*_, stream):
        for owner in (gzip.GzipFile, zipfile.ZipExtFile):
            monkeypatch.setattr(owner, "read", failing)
        with pytest.raises(OSError, match="Input/output error") as raised:
            stream.read()
    assert raised.value.errno == errno.EIO


def failing(*_: object) -> bytes:
    raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize(
    ("given_name", "content", "landing_name"),
    [
        ("November.csv", CSV, MOVIES),
        ("November.csv", gzip.compress(CSV), f"{MOVIES}.gz"),
        ("November.csv", packed(MOVIES), ARCHIVE),
        ("November.csv.gz", CSV, MOVIES),
        ("archive.zip", packed(MOVIES, "credits.csv"), ARCHIVE),
    ],
)
def test_a_file_is_delivered_under_the_name_of_what_it_is(
    tmp_path: Path, given_name: str, content: bytes, landing_name: str
):
    path = tmp_path / given_name
    path.write_bytes(content)
    assert files_to_deliver(path) == {landing_name: path}


def test_of_a_folder_the_files_of_the_data_set_are_delivered_or_its_one_archive(tmp_path: Path):
    for name, content in ((MOVIES, CSV), ("credits.csv.gz", b""), ("notes.txt", b""), (f".{MOVIES}", b"")):
        (tmp_path / name).write_bytes(content)
    assert sorted(files_to_deliver(tmp_path)) == ["credits.csv.gz", MOVIES]
    (tmp_path / "zipped").mkdir()
    (tmp_path / "zipped" / "archive.zip").write_bytes(packed(MOVIES))
    assert files_to_deliver(tmp_path / "zipped") == {ARCHIVE: tmp_path / "zipped" / "archive.zip"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a,b\n", "does not name the columns id and title"),
        (b"id;title\n", "not separated by commas"),
        (b"id\ttitle\n", "not separated by commas"),
        ("id,title\n".encode("utf-16"), "not UTF-8"),
        (b"", "does not name"),
        (b"%PDF-1.7", "is a PDF, not a CSV"),
        (packed("readme.txt"), "holds no movies_metadata.csv"),
    ],
)
def test_what_is_plainly_no_delivery_is_refused_under_its_own_name(tmp_path: Path, content: bytes, problem: str):
    path = tmp_path / "November.csv"
    path.write_bytes(content)
    with pytest.raises(DeliveryRejected, match=problem) as raised:
        files_to_deliver(path)
    assert raised.value.file == "November.csv"


def test_a_path_that_leads_nowhere_and_an_empty_folder_are_refused(tmp_path: Path):
    with pytest.raises(DeliveryRejected, match="does not exist"):
        files_to_deliver(tmp_path / "nowhere")
    with pytest.raises(DeliveryRejected, match=r"no file of the data set \(found: nothing\)"):
        files_to_deliver(tmp_path)
