"""The first line of a file, its encoding, and what refuses a delivery."""

import codecs

import pytest

from movies_platform.contracts.sources import LINKS
from movies_platform.errors import DeliveryRejected
from movies_platform.raw.reader import Issue
from movies_platform_tests.raw_deliveries import HEADER, NAMES, line, read, reader

EVERY_SIZE = pytest.mark.parametrize("block_bytes", [1, 64, 2**23], ids=lambda size: f"blocks_of_{size}")


@EVERY_SIZE
def test_a_byte_order_mark_is_no_part_of_the_first_name(block_bytes):
    found = reader(codecs.BOM_UTF8 + (HEADER + line(1)).encode(), block_bytes)
    assert found.header.names == NAMES
    assert [batch.lines.getvalue().decode() for batch in found.batches()] == [line(1)]


@EVERY_SIZE
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["no_mark", "with_mark"])
@pytest.mark.parametrize(
    "before", [line(1), line(1, title='"a\nb"'), line(1, title='a"b')], ids=["plain", "break", "odd"]
)
def test_what_is_not_utf8_is_refused_by_offset_and_record(before, mark, block_bytes):
    good = mark + HEADER.encode() + before.encode() + b"x,"
    with pytest.raises(DeliveryRejected) as refused:
        read(good + b"\xff" + line(3).encode(), block_bytes)
    assert f"is not UTF-8: byte 0xff at offset {len(good):,}" in str(refused.value)
    assert refused.value.record == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_utf_16_is_refused_with_a_hint(encoding):
    mark = {"utf-16-be": codecs.BOM_UTF16_BE, "utf-16-le": codecs.BOM_UTF16_LE}.get(encoding, b"")
    with pytest.raises(DeliveryRejected, match=r"offset 0 \(it looks like UTF-16\)") as refused:
        reader(mark + (HEADER + line(1)).encode(encoding))
    assert refused.value.record is None


def test_a_header_that_is_not_utf8_is_refused_by_offset():
    with pytest.raises(DeliveryRejected, match="is not UTF-8: byte 0xe9 at offset 2"):
        reader(b"ad\xe9," + HEADER.encode())


@pytest.mark.parametrize("data", ["", "\n", "\r\n\r\n", "\ufeff"], ids=["nothing", "a_break", "breaks", "a_mark"])
@EVERY_SIZE
def test_an_empty_file_is_refused(data, block_bytes):
    with pytest.raises(DeliveryRejected, match="is empty"):
        reader(data, block_bytes)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r", "\n\n"], ids=repr)
@EVERY_SIZE
def test_a_header_alone_is_a_file_without_records(end, block_bytes):
    found = read(HEADER.strip() + end, block_bytes)
    assert (found.accepted, found.issues, found.records) == ({}, [], 0)


def test_missing_columns_are_named_all():
    header = HEADER.replace("genres,", "").replace("revenue", "income")
    with pytest.raises(DeliveryRejected, match="lacks the required columns genres, revenue"):
        reader(header + line(1))


def test_a_file_without_a_header_is_refused():
    with pytest.raises(DeliveryRejected, match="lacks the required columns adult, "):
        reader(line(1) + line(2))


def test_a_column_that_comes_twice_is_refused():
    with pytest.raises(DeliveryRejected, match="has columns twice: id"):
        reader(HEADER.replace("adult", "adult,id") + line(1))


def test_an_unknown_column_is_named_and_read_over():
    found = reader("new," + HEADER + "x," + line(7))
    assert found.header.extra == ("new",)
    (batch,) = found.batches()
    assert (batch.lines.getvalue(), batch.numbers) == (b"x," + line(7).encode(), [range(1, 2)])


@pytest.mark.parametrize(
    ("header", "extra"),
    [
        ("," + HEADER, ("column 1",)),
        (HEADER.strip() + ", ,new,\n", ("column 25", "new", "column 27")),
        (HEADER.strip() + ",new,new", ("new", "new")),
    ],
    ids=["an_index", "several", "of_one_name"],
)
def test_an_unknown_column_without_a_name_is_named_by_its_place(header, extra):
    assert reader(header).header.extra == extra


def test_every_file_is_read_as_it_is_declared():
    found = read("tmdbId,imdbId,movieId\n862,,1\n8844\n,,3\n", source=LINKS)
    assert found.accepted == {1: ("862", "", "1"), 3: ("", "", "3")}
    assert found.issues == [Issue(2, 8844, None, "column_count", "rejected", "8844")]
    with pytest.raises(DeliveryRejected, match=r"links\.csv: lacks .* movieId\. .* movieId, imdbId, tmdbId"):
        read("tmdbId,imdbId\n", source=LINKS)


def test_columns_may_stand_in_another_order():
    names = (*NAMES[5:], *NAMES[:5])
    texts = ["4" if name == "id" else name for name in names]
    found = reader(",".join(names) + "\n" + ",".join(texts).replace("overview", "over\nview") + "\n")
    (batch,) = found.batches()
    assert found.header.names == names
    assert [(issue.movie_id, issue.issue, issue.value) for issue in batch.issues] == [
        (4, "broken_record", "over\nview")
    ]


def test_names_may_be_quoted_and_spaced():
    assert (
        reader(", ".join(f'"{name}"' if i == 0 else name for i, name in enumerate(NAMES)) + "\n").header.names == NAMES
    )


def test_a_first_record_longer_than_any_header_is_no_part_of_it():
    found = read(HEADER + line(1, overview="x" * 300_000) + line(2) * 9, 2**16)
    assert (found.records, len(found.accepted)) == (10, 10)


def test_a_file_that_ends_a_block_within_a_character_is_utf8():
    found = read(HEADER + line(1, title="é" * 200) + line(2, title="é" * 201), len(HEADER) + 37)
    assert found.column("title") == ["é" * 200, "é" * 201]
