"""Fast scanner and Python's csv agree; what is found does not depend on where the blocks end."""

import csv
import io
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from movies_platform.contracts.sources import MOVIES_METADATA
from movies_platform.errors import DeliveryRejected
from movies_platform.raw import reader as reader_module
from movies_platform.raw.scan import parse_regular, scan, split
from movies_platform_tests.raw_deliveries import HEADER, NAMES, WIDTH, Found, line, quoted, read

SMALL_BLOCKS = (1, 7, 64)
HOSTILE = st.text(alphabet=',"\n\raé\0 ', max_size=8)
FEW = settings(max_examples=150, deadline=None)


@st.composite
def rows(draw: st.DrawFn) -> list[list[str]]:
    """Records of 24 columns: an id, simple values, and a few hostile ones."""
    found = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        row = ["v"] * WIDTH
        row[NAMES.index("id")] = str(number)
        for place in draw(st.lists(st.integers(0, WIDTH - 1), max_size=3)):
            row[place] = draw(HOSTILE)
        found.append(row)
    return found


@st.composite
def torn(draw: st.DrawFn) -> str:
    """A file whose records are good, broken in the overview, short, long, or of anything at all."""
    kinds = st.sampled_from(["good", "broken", "short", "long", "empty", "hostile"])
    pieces = []
    for number, kind in enumerate(draw(st.lists(kinds, max_size=14)), start=1):
        end = draw(st.sampled_from(["\n", "\r", "\r\n"]))
        text = draw(HOSTILE)
        pieces.append({
            "good": line(number, overview=quoted([[text]], end="") if text else "", end=end),
            "broken": line(number, overview=f"one{end}two", end=end),
            "short": line(number, end=end)[9:],
            "long": f"x,{line(number, end=end)}",
            "empty": end,
            "hostile": line(number, overview=text, tagline=draw(HOSTILE), end=end),
        }[kind])  # fmt: skip
    return "".join(pieces)


def as_csv_reads(text: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in csv.reader(io.StringIO(text, newline="")) if row]


@FEW
@given(rows(), st.sampled_from(["\n", "\r", "\r\n"]), st.booleans(), st.booleans())
def test_well_formed_files_are_read_as_python_reads_them(records, end, last_line_ends, everywhere):
    text = quoted(records, end, everywhere=everywhere)
    text = text if last_line_ends else text.removesuffix(end)
    found = read(HEADER + text)
    assert list(found.accepted.values()) == as_csv_reads(text)
    assert (found.issues, found.records, list(found.accepted)) == ([], len(records), [*range(1, len(records) + 1)])
    assert all(read(HEADER + text, size) == found for size in SMALL_BLOCKS)


@FEW
@given(torn())
@example(line(1, overview='"a') + line(1) + line(1, overview='aaaaa"é'))
def test_what_is_found_does_not_depend_on_the_size_of_blocks(text):
    whole = read(HEADER + text)
    for size in SMALL_BLOCKS:
        assert read(HEADER + text, size) == whole


@pytest.mark.parametrize("stretch", [1, 10, 50])
@FEW
@given(torn())
@example(line(1, title='a"b') + line(2, overview='"' + line(3) * 4 + '"') + line(4))
def test_what_is_read_exactly_does_not_depend_on_the_size_of_blocks(stretch, text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader_module, "_EXACT_STRETCH", stretch)
        whole = read(HEADER + text)
        for size in SMALL_BLOCKS:
            assert read(HEADER + text, size) == whole


NOTES = replace(MOVIES_METADATA, names=("notes",), columns=dict.fromkeys(["id", "title", "text"], ""), breaks_in="text")
notes = st.lists(st.sampled_from(["1,2,3", "a", "a,b", '"a,b",c,"d\ne"', "x,y,"]) | HOSTILE, max_size=12)


@FEW
@given(st.sampled_from(["text,id,title", "id,text,title", "id,title,text"]), notes, st.sampled_from(["\n", "\r"]))
@example("id,title,text", ["x,y,", "", "x,y,"], "\n")  # as long as two lines that end with LF
def test_records_may_break_in_any_column(header, lines, end):
    data = end.join([header, *lines])
    whole = read(data, source=NOTES)
    assert_accounted(whole, 3)
    for size in SMALL_BLOCKS:
        assert read(data, size, NOTES) == whole


@FEW
@given(torn())
@example(line(1, overview='a"') + line(2, overview='"'))
def test_no_record_is_lost(text):
    assert_accounted(read(HEADER + text), WIDTH)


@FEW
@given(torn(), st.sampled_from([7, 64, 2**20]))
def test_no_record_is_lost_where_a_quote_reaches_farther_than_is_read(text, block_bytes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader_module, "_FARTHEST", 30)
        patch.setattr(reader_module, "_EXACT_STRETCH", 10)
        assert_accounted(read(HEADER + text, block_bytes), WIDTH)


def assert_accounted(found: Found, width: int) -> None:
    """Every record is accepted, rejected or joined, and has a number of its own."""
    rejected = [issue.record_number for issue in found.issues if issue.action == "rejected"]
    assert found.records == len(found.accepted) + len(rejected) + found.joined
    assert all(len(columns) == width for columns in found.accepted.values())
    numbers = [*found.accepted, *rejected]
    assert len(numbers) == len({*numbers} & {*range(1, found.records + 1)})


@FEW
@given(st.lists(HOSTILE, min_size=1, max_size=5))
def test_a_long_record_is_read_as_python_reads_it(columns):
    assert parse_regular(quoted([columns], end="").encode()) == tuple(columns)


@FEW
@given(st.binary(max_size=60) | st.text(alphabet=',"\n\raé\0', max_size=60).map(str.encode), st.sampled_from([1, 64]))
def test_any_bytes_are_accounted_for_or_refused(data, size):
    try:
        found = read(HEADER.encode() + line(1).encode() + data, size)
    except DeliveryRejected as refusal:
        assert "is not UTF-8" in str(refusal)  # noqa: PT017
    else:
        assert found.records == len(found.accepted) + len(found.codes) + found.joined - sum(
            code == "broken_record" for _, code in found.codes
        )


@FEW
@given(st.binary(max_size=80))
def test_any_bytes_without_a_header_are_refused(data):
    with pytest.raises(DeliveryRejected, match=r"is empty|lacks the required|is not UTF-8"):
        read(data)


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=',"\n\raé\0', max_size=40))
def test_scanner_is_sure_only_of_what_python_reads_too(text):
    data = text.encode()
    found = scan(data, final=True)
    limit = len(data) if found.irregular is None else found.consumed
    lines = [len(row) for row in csv.reader(io.StringIO(data[:limit].decode(), newline=""))]
    expected = [now for before, now in pairwise([1, *lines]) if before or now]  # empty lines in a row count once
    assert found.columns.tolist() == expected
    if found.irregular is None:
        assert found.consumed == len(data)


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=',"\n\raé\0', max_size=40), st.booleans())
def test_exact_records_are_their_text_again(text, final):
    records = split(text, width=2, final=final, until=len(text))
    together = "".join(record.text + record.ending for record in records)
    assert text.startswith(together)
    assert not final or together == text
