"""Pieces of a file, read side by side, are what one reader of the whole finds."""

import csv
import io
import itertools
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from movies_platform.contracts.sources import MOVIES_METADATA, RATINGS, Source
from movies_platform.errors import DeliveryRejected
from movies_platform.raw import pieces as pieces_module
from movies_platform.raw import reader as reader_module
from movies_platform.raw.pieces import read_side_by_side, starts_of
from movies_platform.raw.reader import RecordReader
from movies_platform_tests.raw_deliveries import HEADER, Found, line, read
from movies_platform_tests.test_raw_records_agree import NOTES, notes, torn


class Part:
    """The records and issues of a piece, numbered from 1."""

    def __init__(self, reader: RecordReader, number: int):
        self.accepted, self.issues = {}, []
        for batch in reader.batches():
            batch.lines.seek(0)
            rows = csv.reader(io.StringIO(batch.lines.read().decode(), newline=""))
            self.accepted |= zip(itertools.chain(*batch.numbers), map(tuple, rows), strict=True)
            self.accepted.update(batch.long)
            self.issues += batch.issues
        self.records, self.joined, self.end = reader.records, reader.joined, reader.offset


def in_pieces(path: Path, piece_bytes: int, source: Source = MOVIES_METADATA, block_bytes: int = 64) -> Found:
    """What pieces of a file hold together."""
    accepted, issues, records, joined = {}, [], 0, 0
    with path.open("rb") as stream:
        whole = RecordReader(stream, f"{source.name}.csv", source, block_bytes=block_bytes)
        for part in read_side_by_side(whole, Part, cores=3, piece_bytes=piece_bytes):
            accepted |= {records + number: columns for number, columns in part.accepted.items()}
            issues += [issue._replace(record_number=records + issue.record_number) for issue in part.issues]
            records, joined = records + part.records, joined + part.joined
    return Found(dict(sorted(accepted.items())), issues, records, joined)


def cut(path: Path, piece_bytes: int, source: Source = MOVIES_METADATA) -> tuple[int, ...]:
    with path.open("rb") as stream:
        return starts_of(RecordReader(stream, "some.csv", source), piece_bytes)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("pieces") / "some.csv"


@settings(max_examples=1_000, deadline=None)
@given(text=torn(), piece_bytes=st.sampled_from([1, 20, 60, 200]), block_bytes=st.sampled_from([1, 64, 2**20]))
@example(text=line(1, overview='"a') + line(2) + line(3, overview='"') + line(4), piece_bytes=20, block_bytes=64)
@example(text=line(1) + "one\n" + line(2, overview="one\ntwo") + line(3), piece_bytes=1, block_bytes=64)
def test_pieces_are_the_whole(path, text, piece_bytes, block_bytes):
    path.write_bytes((HEADER + text).encode())
    assert in_pieces(path, piece_bytes, block_bytes=block_bytes) == read(HEADER + text)


@settings(max_examples=300, deadline=None)
@given(text=torn(), cuts=st.sets(st.integers(1, 400), max_size=8))
def test_pieces_that_start_anywhere_are_the_whole(path, text, cuts):
    path.write_bytes((HEADER + text).encode())
    starts = tuple(len(HEADER) + place for place in sorted({0, *cuts}) if place < len(text.encode()) or not place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces_module, "starts_of", lambda *_: starts)
        assert in_pieces(path, 1) == read(HEADER + text)


@settings(max_examples=200, deadline=None)
@given(header=st.sampled_from(["text,id,title", "id,text,title", "id,title,text"]), lines=notes)
def test_records_that_break_in_any_column_are_the_same_in_pieces(path, header, lines):
    data = "\n".join([header, *lines])
    path.write_bytes(data.encode())
    assert in_pieces(path, 4, NOTES) == read(data, source=NOTES)


@settings(max_examples=300, deadline=None)
@given(text=torn(), cuts=st.sets(st.integers(1, 400), max_size=8), stretch=st.sampled_from([1, 10, 50]))
def test_pieces_with_irregular_quotes_are_the_whole(path, text, cuts, stretch):
    path.write_bytes((HEADER + text).encode())
    starts = tuple(len(HEADER) + place for place in sorted({0, *cuts}) if place < len(text.encode()) or not place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader_module, "_EXACT_STRETCH", stretch)
        patch.setattr(pieces_module, "starts_of", lambda *_: starts)
        assert in_pieces(path, 1) == read(HEADER + text)


def test_a_text_that_looks_like_records_is_not_cut_out_of_its_quotes(path):
    before = line(1, title='a 5" disk') + "".join(line(n) for n in range(2, 600))
    looks = "".join(line(n).replace('"', "") for n in range(300))
    text = before + line(600, overview='"' + looks + '"') + line(601)
    path.write_text(HEADER + text)
    place = len(HEADER) + len(before) + len(looks) // 2
    start = place + path.read_bytes()[place:].index(b"\n") + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader_module, "_EXACT_STRETCH", 2**14)
        patch.setattr(pieces_module, "starts_of", lambda *_: (len(HEADER), start))
        assert in_pieces(path, 1, block_bytes=2**23) == read(HEADER + text)


def test_a_file_is_cut_where_records_start(path):
    records = [line(n, overview='"one\ntwo"' if n % 3 else "") for n in range(50)]
    path.write_text(HEADER + "".join(records))
    starts = cut(path, 100)
    assert len(starts) > 10
    assert {*starts} <= {*itertools.accumulate(map(len, records), initial=len(HEADER))}


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_a_file_with_any_line_ends_is_read_in_pieces(path, end):
    text = "".join(line(n, overview=f'"one{end}two"' if n % 3 else "", end=end) for n in range(50))
    path.write_bytes((HEADER + text).encode())
    assert in_pieces(path, 100) == read(HEADER + text)
    assert (len(cut(path, 100)) > 1) == (end != "\r")


@pytest.mark.parametrize("header", ["id,title,text", "text,id,title"])
def test_a_file_whose_lines_may_be_parts_of_others_is_not_cut(path, header):
    path.write_text(f"{header}\n" + "1,2,3\n" * 100)
    assert len(cut(path, 10, NOTES)) == 1


def test_a_quote_that_stays_open_costs_the_pieces_in_its_reach_only(path):
    records = [line(n) for n in range(200)]
    records[60] = line(60, overview='"never closed')
    path.write_text(HEADER + "".join(records))
    found = in_pieces(path, 300)
    assert found == read(HEADER + "".join(records))
    assert (len(found.accepted), found.codes) == (199, [(61, "column_count")])


def test_a_refusal_names_the_record_of_the_file(path):
    good = "1,2,3.5,4\n" * 100
    path.write_bytes(b"userId,movieId,rating,timestamp\n" + good.encode() + b"1,2,\xff,4\n" + good.encode())
    with pytest.raises(DeliveryRejected) as refused:
        in_pieces(path, 50, RATINGS)
    assert refused.value.record == 101
    assert "offset 1,036" in str(refused.value)


def test_of_two_refusals_the_first_in_the_file_counts(path):
    path.write_bytes(b"userId,movieId,rating,timestamp\n" + b"1,2,3.5,4\n" * 9 + b"1,2,\xff,4\n" * 40)
    for _ in range(5):
        with pytest.raises(DeliveryRejected) as refused:
            in_pieces(path, 20, RATINGS)
        assert refused.value.record == 10


def test_what_stops_one_piece_stops_all(path):
    path.write_text(HEADER + line(1) * 2000)
    begun = []

    def fail(reader: RecordReader, number: int) -> Part:
        begun.append(number)
        raise OSError("no room")

    with path.open("rb") as stream, pytest.raises(OSError, match="no room"):
        list(read_side_by_side(RecordReader(stream, "some.csv", MOVIES_METADATA), fail, cores=2, piece_bytes=100))
    assert len(begun) < 500


def test_one_core_reads_the_whole(path):
    path.write_text(HEADER + line(1) * 100)
    with path.open("rb") as stream:
        whole = RecordReader(stream, "some.csv", MOVIES_METADATA)
        (part,) = read_side_by_side(whole, Part, cores=1, piece_bytes=100)
    assert part.records == len(part.accepted) == 100
