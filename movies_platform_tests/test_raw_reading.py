"""Records are found whatever the file looks like: none lost, none doubled, numbered as csv does."""

import csv
import io
import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from movies_platform.contracts.raw import MOVIE_COLUMNS
from movies_platform.errors import DeliveryRejected
from movies_platform.raw import records
from movies_platform.raw.blocks import Issue
from movies_platform.raw.exact import parse_regular
from movies_platform.raw.records import RecordReader

HEADER = ",".join(MOVIE_COLUMNS)
OVERVIEW = list(MOVIE_COLUMNS).index("overview")


def record(number: int, overview: str = "text", **columns: str) -> str:
    """A line of 24 columns whose overview is written as it is given."""
    values = dict.fromkeys(MOVIE_COLUMNS, "") | {"id": str(number), "title": f"title {number}"} | columns
    return ",".join(overview if name == "overview" else value for name, value in values.items())


class Read:
    """All that a reader says about a file: columns by record number, issues, counts."""

    def __init__(self, text: str | bytes, block_bytes: int = 2**20):
        data = text if isinstance(text, bytes) else text.encode()
        reader = RecordReader(io.BytesIO(data), "movies_metadata.csv", block_bytes=block_bytes)
        self.accepted: dict[int, tuple[str, ...]] = {}
        self.issues: list[Issue] = []
        for block in reader.blocks():
            rows = csv.reader(io.StringIO(b"".join(block.lines).decode(), newline=""))
            self.accepted |= zip(itertools.chain(*block.numbers), map(tuple, rows), strict=True)
            self.accepted |= dict(block.loose)
            self.issues += block.issues
        self.records, self.joined, self.extra = reader.records, reader.joined, reader.header.extra

    @property
    def rejected(self) -> int:
        return sum(issue.action == "rejected" for issue in self.issues)

    @property
    def titles(self) -> list[str]:
        return [columns[list(MOVIE_COLUMNS).index("title")] for columns in self.accepted.values()]

    def overview(self, number: int) -> str:
        return self.accepted[number][OVERVIEW]


def read(*records: str, ending: str = "\n", **options: int) -> Read:
    return Read(ending.join([HEADER, *records, ""]), **options)


@pytest.mark.parametrize("break_", ["\n", "\r", "\r\n", "\n\n", "\r\r", "\nanother line\n"], ids=ascii)
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=ascii)
def test_a_record_broken_inside_its_overview_is_joined(break_: str, ending: str) -> None:
    found = read(record(1), record(2, f"one{break_}two"), record(3), ending=ending)
    assert found.titles == ["title 1", "title 2", "title 3"]
    assert found.overview(2) == f"one{break_}two"
    assert [(i.record_number, i.movie_id, i.issue, i.action) for i in found.issues] == [
        (2, 2, "broken_record", "repaired")
    ]
    lines = sum(bool(line) for line in break_.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    assert (found.records, found.joined) == (4 + lines, 1 + lines)
    assert list(found.accepted) == [1, 2, found.records]


@pytest.mark.parametrize("ending", ["\n", "\r", "\r\n"], ids=ascii)
@pytest.mark.parametrize(
    ("rest", "meant"),
    [
        ('"Go, now" she cried', "Go, now she cried"),
        ('"a, b"{0}and more', "a, b{0}and more"),
        ('"Go now" he', '"Go now" he'),
    ],
    ids=["comma", "line_between", "no_comma"],
)
def test_the_rest_of_a_broken_record_may_begin_with_a_quote(rest: str, meant: str, ending: str) -> None:
    found = read(record(1), record(2, f"one{ending}{rest.format(ending)}"), record(3))
    assert found.titles == ["title 1", "title 2", "title 3"]
    assert found.overview(2) == f"one{ending}{meant.format(ending)}"
    assert [(issue.issue, issue.action) for issue in found.issues] == [("broken_record", "repaired")]


@pytest.mark.parametrize("behind", [(record(3),), ()], ids=["a_record_follows", "at_the_end"])
@pytest.mark.parametrize("block_bytes", [2**20, 50])
def test_a_last_column_that_is_never_closed_is_closed_and_told(behind: tuple[str, ...], block_bytes: int) -> None:
    found = read(record(1), record(2, vote_count='"12'), *behind, block_bytes=block_bytes)
    assert found.accepted[2][-1].strip() == "12"
    assert len(found.accepted) == 2 + len(behind)
    assert [(issue.record_number, issue.issue, issue.action) for issue in found.issues] == [
        (2, "broken_record", "repaired")
    ]


def test_a_break_inside_quotes_is_no_fault() -> None:
    found = read(record(1, '"one\r\ntwo, ""three"""'), record(2))
    assert found.overview(1) == 'one\r\ntwo, "three"'
    assert not found.issues


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "middle", "last"])
def test_broken_records_are_joined_wherever_they_stand(place: int) -> None:
    records = [record(n) for n in range(3)]
    records[place] = record(place, "one\ntwo")
    assert read(*records).titles == ["title 0", "title 1", "title 2"]
    assert Read("\n".join([HEADER, *records])).titles == ["title 0", "title 1", "title 2"]


def test_neighbouring_broken_records_are_each_joined() -> None:
    found = read(record(1, "a\nb"), record(2, "c\rd"), record(3, "e\r\nf"))
    assert [found.overview(n) for n in (1, 3, 5)] == ["a\nb", "c\rd", "e\r\nf"]


@pytest.mark.parametrize(
    "fault", [record(2) + ",surplus", record(2).rsplit(",", 4)[0], "not a record", ",".join("x" * 10)],
    ids=["surplus", "truncated", "text", "ten columns"],
)  # fmt: skip
def test_what_cannot_be_repaired_is_rejected_alone(fault: str) -> None:
    found = read(record(1), fault, record(3))
    assert found.titles == ["title 1", "title 3"]
    assert [(i.record_number, i.issue, i.action, i.value) for i in found.issues] == [
        (2, "column_count", "rejected", fault[:500])
    ]


def test_a_break_in_another_column_is_not_repaired() -> None:
    found = read(record(1), record(2, tagline="one\ntwo"), record(3))
    assert found.titles == ["title 1", "title 3"]
    assert found.rejected == 2


def test_a_quote_that_is_never_closed_costs_only_its_own_line() -> None:
    found = read(record(1), record(2, '"never closed'), record(3), record(4))
    assert found.titles == ["title 1", "title 3", "title 4"]
    assert found.rejected == 1


def test_a_file_that_ends_inside_quotes_rejects_its_last_record() -> None:
    found = Read("\n".join([HEADER, record(1), record(2, '"cut off\nhere')])[:-40])
    assert found.titles == ["title 1"]
    assert found.rejected == found.records - 1


@pytest.mark.parametrize(
    ("written", "meant"),
    [('a "b" c', 'a "b" c'), (' "b"', ' "b"'), ('"a" b', "a b"), ('a""', 'a""'), ('""""', '"')],
)
def test_quotes_in_odd_places_are_read_as_csv_reads_them(written: str, meant: str) -> None:
    found = read(record(1), record(2, written), record(3))
    assert found.overview(2) == meant
    assert not found.issues


def test_byte_order_mark_other_order_and_extra_columns_are_fine() -> None:
    header = ",".join([*reversed(MOVIE_COLUMNS), "rating"])
    line = ",".join([*reversed(record(7).split(",")), "5"])
    found = Read(f"\ufeff{header}\n{line}")
    assert found.extra == ("rating",)
    assert found.records == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (HEADER.replace("budget", "bugdet").encode(), "lacks the required columns budget"),
        (HEADER.replace("budget,", "budget,budget,").encode(), "has columns twice: budget"),
        (f"{HEADER}\n{record(1, 'é')}".encode("latin-1"), "is not UTF-8: byte 0xe9 at offset"),
        (f"{HEADER}\n{record(1)}".encode("utf-16"), "it looks like UTF-16"),
    ],
    ids=["empty", "blank", "missing", "twice", "latin-1", "utf-16"],
)
def test_what_is_no_such_file_is_refused_with_its_reason(data: bytes, message: str) -> None:
    with pytest.raises(DeliveryRejected, match=message):
        Read(data)


def test_a_line_too_long_for_the_database_is_kept_whole() -> None:
    long = "x" * 3_000_000
    found = read(record(1), record(2, long), record(3, f'"{long}"'), record(4))
    assert [len(found.overview(n)) for n in (1, 2, 3, 4)] == [4, 3_000_000, 3_000_000, 4]


TEXT = st.text(alphabet=st.sampled_from('ab,"\n\ré\0 '), max_size=12)


@given(st.lists(st.lists(TEXT, min_size=24, max_size=24), max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))
@settings(max_examples=150, deadline=None)
def test_what_csv_writes_is_read_back(rows: list[list[str]], ending: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows([list(MOVIE_COLUMNS), *rows])
    found = Read(text.getvalue())
    assert list(found.accepted.values()) == [tuple(row) for row in rows]
    assert not found.issues


LINE = st.one_of(
    st.builds(record, st.integers(1, 99), TEXT),
    st.builds(lambda n, text: record(n, '"' + text.replace('"', '""') + '"'), st.integers(1, 99), TEXT),
    TEXT,
)


@given(st.lists(LINE, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]))
@example(lines=[record(1, 'a"'), record(2, '"')], ending="\n")
@settings(max_examples=300, deadline=None)
def test_hostile_lines_are_accounted_for(lines: list[str], ending: str) -> None:
    found = Read(ending.join([HEADER, *lines]))
    assert found.records == len(found.accepted) + found.rejected + found.joined
    assert all(len(columns) == 24 for columns in found.accepted.values())
    numbers = [*found.accepted, *(i.record_number for i in found.issues if i.action == "rejected")]
    assert len(numbers) == len(set(numbers))
    assert all(1 <= number <= found.records for number in numbers)


@given(st.lists(LINE, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([1, 7, 64, 300]))
@example(lines=[record(1, '"a'), record(1, ""), record(1, 'aaaaa"é')], ending="\n", block_bytes=1)
@settings(max_examples=300, deadline=None)
def test_the_size_of_a_block_changes_nothing(lines: list[str], ending: str, block_bytes: int) -> None:
    # Good records between the others: only a whole block of faults may be cut where it ends.
    text = ending.join([HEADER, *(part for line in lines for part in (line, record(1)))])
    whole, parts = Read(text), Read(text, block_bytes=block_bytes)
    assert parts.accepted == whole.accepted
    assert parts.issues == whole.issues
    assert (parts.records, parts.joined) == (whole.records, whole.joined)


@given(st.lists(LINE, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([7, 64, 2**20]))
@settings(max_examples=300, deadline=None)
def test_lines_are_accounted_for_where_a_quote_reaches_farther_than_is_read(
    lines: list[str], ending: str, block_bytes: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_FARTHEST", 30)
        patch.setattr(records, "_EXACT_STRETCH", 10)
        found = Read(ending.join([HEADER, *(part for line in lines for part in (line, record(1)))]), block_bytes)
    assert found.records == len(found.accepted) + found.rejected + found.joined
    assert all(len(columns) == 24 for columns in found.accepted.values())


@pytest.mark.parametrize("line_break", ["", "\n"], ids=["one_line", "many_lines"])
def test_a_quote_that_is_open_too_far_costs_no_other_record(line_break: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_FARTHEST", 2**21)
    text = ("é text without end " * 50 + line_break) * 10_000
    found = read(record(1), record(2, f'"{text}'), record(3), record(4), block_bytes=2**20)
    assert found.titles == ["title 1", "title 3", "title 4"]
    assert found.issues[0].record_number == 2
    assert found.issues[0].issue == "column_count"
    assert found.records == len(found.accepted) + found.rejected + found.joined


@given(st.lists(TEXT, min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_a_long_record_is_read_as_csv_reads_it(columns: list[str]) -> None:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="").writerow(columns)
    assert parse_regular(line.getvalue().encode()) == tuple(columns)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused_or_accounted_for(data: bytes) -> None:
    for text in (data, HEADER.encode() + b"\n" + data):
        try:
            found = Read(text)
        except DeliveryRejected as problem:
            assert str(problem)  # noqa: PT017  (either way is right)
            continue
        assert found.records == len(found.accepted) + found.rejected + found.joined
