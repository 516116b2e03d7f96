"""Records of a file, one case each: repaired, rejected, or odd and yet no fault."""

from dataclasses import replace

import pytest

from movies_platform.contracts.sources import CREDITS, LINKS, MOVIES_METADATA, RATINGS
from movies_platform.raw import reader as reader_module
from movies_platform.raw.reader import Issue
from movies_platform.raw.scan import scan, split
from movies_platform_tests.raw_deliveries import HEADER, line, read

BLOCKS = pytest.mark.parametrize("block_bytes", [1, 64, 2**20], ids=lambda size: f"blocks_of_{size}")


def columns_rejected(text: str) -> tuple[list[int], list[tuple[int, str]]]:
    """Ids that survive of a file, and its issues."""
    found = read(HEADER + text)
    return [int(movie) for movie in found.column("id")], found.codes


BROKEN = {
    "by_lf": "one\ntwo",
    "by_cr": "one\rtwo",
    "by_crlf": "one\r\ntwo",
    "by_two_breaks": "one\ntwo\nthree",
    "with_an_empty_line_inside": "one\n\ntwo",
    "with_many_empty_lines_inside": "one\n\r\n\n\n\rtwo",
    "by_different_breaks": "one\r\rtwo\r\nthree",
    "at_the_end_of_the_text": "one\n",
    "at_the_start_of_the_text": "\none",
}


@BLOCKS
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["in_lf_file", "in_crlf_file"])
@pytest.mark.parametrize("overview", BROKEN.values(), ids=BROKEN)
def test_a_broken_record_is_joined_again(overview, end, block_bytes):
    broken = line(82663, overview=overview, title="A Title", genres="\"[{'id': 1, 'name': 'a'}]\"", end=end)
    found = read(HEADER + line(1, end=end) + broken + line(2, title="behind", end=end), block_bytes)
    # As an ordinary reader counts: each piece that is no empty line is a record.
    pieces = max(2, len([piece for piece in overview.splitlines() if piece]))
    assert found.column("id") == ["1", "82663", "2"]
    assert found.column("overview") == ["", overview, ""]
    assert found.column("title") == ["", "A Title", "behind"]
    assert found.issues == [Issue(2, 82663, None, "broken_record", "repaired", overview)]
    assert (found.records, found.joined) == (2 + pieces, pieces - 1)
    assert list(found.accepted) == [1, 2, 2 + pieces]


def test_a_broken_record_may_be_the_first_and_the_last():
    found = read(HEADER + line(1, overview="a\nb") + line(2, overview="c\rd", end=""))
    assert found.column("overview") == ["a\nb", "c\rd"]
    assert found.codes == [(1, "broken_record"), (3, "broken_record")]


def test_the_movie_of_a_broken_record_is_named_however_its_id_is_written():
    found = read(HEADER + line("+7", overview="a\nb") + line("007", overview="c\nd") + line("x", overview="e\nf"))
    assert [issue.movie_id for issue in found.issues] == [7, 7, None]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"], ids=["lf", "cr", "crlf"])
@pytest.mark.parametrize(
    ("rest", "meant"),
    [
        ('"Go, now" she cried', "Go, now she cried"),
        ('"a, b"{0}and more', "a, b{0}and more"),
        ('"Go now" he', '"Go now" he'),
    ],
    ids=["comma", "line_between", "no_comma"],
)
def test_the_rest_of_a_broken_record_may_begin_with_a_quote(rest, meant, end):
    found = read(HEADER + line(1) + line(2, overview=f"one{end}{rest.format(end)}") + line(3))
    assert found.column("id") == ["1", "2", "3"]
    assert found.column("overview")[1] == f"one{end}{meant.format(end)}"
    assert found.codes == [(2, "broken_record")]


TEXT_FIRST, TEXT_LAST = "text,id,title\n", "id,title,text\n"
NOTES = replace(MOVIES_METADATA, names=("notes",), columns=dict.fromkeys(["id", "title", "text"], ""), breaks_in="text")


@BLOCKS
@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_record_broken_in_its_first_column_is_joined(text, block_bytes):
    found = read(f"{TEXT_FIRST}a,1,b\n{text},2,c\nd,3,e\n", block_bytes, NOTES)
    # Empty lines before a record are none of its text.
    meant = text.lstrip("\n")
    broken = [Issue(2, 2, None, "broken_record", "repaired", meant)] if meant == text else []
    assert list(found.accepted.values()) == [("a", "1", "b"), (meant, "2", "c"), ("d", "3", "e")]
    assert (found.issues, found.records) == (broken, 3 + found.joined)


@BLOCKS
@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_record_broken_in_its_last_column_is_joined(text, block_bytes):
    found = read(f"{TEXT_LAST}1,a,b\n2,c,{text}\n3,d,e\n", block_bytes, NOTES)
    # Empty lines behind a record are none of its text.
    meant = text.rstrip("\n")
    broken = [Issue(2, 2, None, "broken_record", "repaired", meant)] if meant == text else []
    assert list(found.accepted.values()) == [("1", "a", "b"), ("2", "c", meant), ("3", "d", "e")]
    assert (found.issues, found.records) == (broken, 3 + found.joined)


def test_lines_without_a_comma_belong_to_no_record_that_has_them_elsewhere():
    found = read(TEXT_LAST + "alone\n1,a,b\nx,y\nalone\n2,c,d\n", source=NOTES)
    assert found.codes == [(n, "column_count") for n in (1, 3, 4)]
    found = read(TEXT_FIRST + "a,1,b\nalone\nx,y\nc,2,d\nalone\n", source=NOTES)
    assert found.codes == [(n, "column_count") for n in (2, 3, 5)]


def test_nothing_is_joined_in_a_file_whose_records_do_not_break():
    source = replace(MOVIES_METADATA, breaks_in=None)
    found = read(HEADER + line(1) + line(2, overview="a\nb"), source=source)
    assert found.codes == [(2, "column_count"), (3, "column_count")]


@pytest.mark.parametrize(("source", "movie"), [(CREDITS, 9), (LINKS, 9), (RATINGS, None)], ids=lambda s: str(s)[:30])
def test_the_movie_is_named_where_its_number_is_in_the_file(source, movie):
    text = ",".join("9" if name == source.movie_id else "8" for name in source.columns)
    assert read(",".join(source.columns) + f"\n{text},\n", source=source).issues[0].movie_id == movie


@pytest.mark.parametrize("overview", BROKEN.values(), ids=BROKEN)
def test_a_line_break_in_a_quoted_overview_is_no_fault(overview):
    found = read(HEADER + line(1, overview=f'"{overview}"') + line(2))
    assert (found.column("overview"), found.issues, found.records) == ([overview, ""], [], 2)


REJECTED = {
    "truncated": ",,,,,9,,",
    "of_one_column": "9",
    "with_a_surplus_column": line(9, end="") + ",",
    "with_a_comma_unquoted": line(9, title="a, b", end=""),
    "of_as_many_columns_as_a_first_piece": ",".join("x" * 10),
    "broken_before_the_overview": line(9, homepage="x\ny", end=""),
    "broken_behind_the_overview": line(9, tagline="x\ny", end=""),
    "broken_and_short": line(9, overview="x\ny", end="")[:-3],
}


@BLOCKS
@pytest.mark.parametrize("record", REJECTED.values(), ids=REJECTED)
def test_a_record_with_another_number_of_columns_is_rejected_whole(record, block_bytes):
    found = read(HEADER + line(1) + f"{record}\n" + line(2), block_bytes)
    pieces = record.split("\n")
    assert found.column("id") == ["1", "2"]
    assert [issue.value for issue in found.issues] == pieces
    assert {(i.column_name, i.issue, i.action) for i in found.issues} == {(None, "column_count", "rejected")}
    assert found.records == 2 + len(pieces)


@pytest.mark.parametrize(
    ("text", "movie_id"),
    [
        *[(",,,,,9,,", 9), (",,,,, 9 ,,", 9)],
        *[(text, None) for text in (",,,,,x,,", ",,,,,0,,", ",,,,", f",,,,,{'9' * 30}")],
    ],
    ids=["plain", "spaced", "no_number", "zero", "missing", "too_large"],
)
def test_a_rejected_record_names_its_movie_where_it_is_known(text, movie_id):
    assert [issue.movie_id for issue in read(HEADER + text).issues] == [movie_id]


def test_a_value_is_cut_at_500_characters():
    assert read(HEADER + "é" * 900).issues[0].value == "é" * 500


UNCLOSED = {
    "with_plain_records_behind": line(9, overview='"never closed'),
    "with_an_odd_quote_before": line(9, homepage='"a"b', overview='"never closed'),
    "with_a_line_break_in_quotes_before": line(9, homepage='"a\nb"', overview='"never closed'),
    "with_doubled_quotes_behind": line(9, overview='"never ""closed"" at all'),
}


@BLOCKS
@pytest.mark.parametrize("record", UNCLOSED.values(), ids=UNCLOSED)
def test_records_behind_a_quote_that_is_never_closed_survive(record, block_bytes):
    found = read(HEADER + line(1) + record + line(2, title='""') + line(3), block_bytes)
    assert found.column("id") == ["1", "2", "3"]
    assert found.issues == [Issue(2, 9, None, "column_count", "rejected", record.rstrip("\n"))]


def test_a_quote_that_is_closed_in_a_later_record_costs_only_its_own():
    quoted = [line(movie, title='"a, b"') for movie in range(2, 6)]
    survivors, codes = columns_rejected(line(1) + line(9, overview='"never closed') + "".join(quoted))
    assert survivors == [1, 2, 3, 4, 5]
    assert codes == [(2, "column_count")]


@pytest.mark.parametrize("behind", ["", line(3)], ids=["at_the_end", "a_record_follows"])
@BLOCKS
def test_a_last_column_that_is_never_closed_is_closed_and_reported(behind, block_bytes):
    found = read(HEADER + line(1) + line(2, vote_count='"12') + behind, block_bytes)
    assert found.accepted[2][-1].strip() == "12"
    assert len(found.accepted) == 2 + bool(behind)
    assert [(i.record_number, i.issue, i.action) for i in found.issues] == [(2, "broken_record", "repaired")]


@pytest.mark.parametrize("line_break", ["", "\n"], ids=["one_line", "many_lines"])
def test_a_quote_that_is_open_too_far_costs_no_other_record(line_break, monkeypatch):
    monkeypatch.setattr(reader_module, "_FARTHEST", 2**21)
    text = ("é text without end " * 50 + line_break) * 10_000
    found = read(HEADER + line(1) + line(2, overview=f'"{text}') + line(3) + line(4), 2**20)
    assert found.column("id") == ["1", "3", "4"]
    assert found.codes[0] == (2, "column_count")
    assert found.records == len(found.accepted) + len(found.issues) + found.joined


@pytest.mark.parametrize("cut", range(1, 45, 4))
def test_a_truncated_file_loses_its_last_record_only(cut):
    text = line(1) + line(2) + line(3, overview='"said ""yes"", and left"', title="t")
    found = read(HEADER + text[:-cut])
    kept = [1, 2] + [3] * (cut == 1)
    assert [int(movie) for movie in found.column("id")] == kept
    assert found.codes == ([] if cut == 1 else [(3, "column_count")])


ODD = {
    "quotes_inside_unquoted_text": ('the "best" one', 'the "best" one'),
    "a_quote_at_the_end": ('5" disk 3"', '5" disk 3"'),
    "a_single_quote_inside": ('a 5" disk', 'a 5" disk'),
    "a_space_before_a_quote": (' "a"', ' "a"'),
    "text_behind_a_closing_quote": ('"a"b', "ab"),
    "a_space_behind_a_closing_quote": ('"a" ', "a "),
    "doubled_quotes": ('"""a"""', '"a"'),
    "a_doubled_quote_alone": ('""""', '"'),
    "a_doubled_quote_in_unquoted_text": ('a""', 'a""'),
    "nul_bytes": ("a\0b", "a\0b"),
    "only_spaces": ("  ", "  "),
    "astral_characters": ("😀\u2028", "😀\u2028"),
    "stand_ins_of_the_reader": ("\ue000\ue001", "\ue000\ue001"),
}


@BLOCKS
@pytest.mark.parametrize(("written", "meant"), ODD.values(), ids=ODD)
def test_odd_text_is_read_as_an_ordinary_reader_does(written, meant, block_bytes):
    found = read(HEADER + line(1) + line(2, title=written) + line(3), block_bytes)
    assert (found.column("title"), found.issues, found.records) == (["", meant, ""], [], 3)


@BLOCKS
@pytest.mark.parametrize("odd", ['a 5" disk', ' "a"'], ids=["quote_inside", "space_before_quote"])
def test_a_broken_record_with_odd_quotes_is_joined_too(odd, block_bytes):
    found = read(HEADER + line(1, overview="one\ntwo", homepage=odd) + line(2), block_bytes)
    assert found.column("overview") == ["one\ntwo", ""]
    assert found.codes == [(1, "broken_record")]


def test_empty_lines_are_no_records():
    found = read(HEADER + "\n\n" + line(1) + "\r\n\r\n" + line(2) + "\n")
    assert (list(found.accepted), found.records, found.issues) == ([1, 2], 2, [])


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"], ids=["lf", "cr", "crlf"])
@pytest.mark.parametrize("last", [True, False], ids=["last_line_ends", "last_line_open"])
def test_every_kind_of_line_end_will_do(end, last):
    text = HEADER.strip() + end + line(1, title='"a\r\nb"', end=end) + line(2, end=end if last else "")
    found = read(text)
    assert (found.column("title"), found.codes, found.records) == (["a\r\nb", ""], [], 2)


def test_a_file_of_nothing_but_faults_ends():
    found = read(HEADER + f"x,{'y' * 200}\n" * 20_000, 2**10)
    assert (found.records, len(found.issues), found.accepted) == (20_000, 20_000, {})


@pytest.mark.parametrize("lines", ["alone\n", 'a"b\n'], ids=["plain", "odd_quotes"])
def test_lines_that_may_each_begin_a_broken_record_are_judged_in_one_pass(lines):
    found = read(TEXT_FIRST + lines * 100_000 + "x,y\n", source=NOTES)
    assert (found.records, len(found.issues), found.accepted) == (100_001, 100_001, {})


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"], ids=["lf", "cr", "crlf"])
@pytest.mark.parametrize("before", ["", 'a"b'], ids=["scanned", "read_exactly"])
def test_millions_of_empty_lines_are_one_record_without_columns(before, end):
    text = before + end * 2_000_000
    assert scan(text.encode(), final=True).columns.tolist() == ([] if before else [0])
    found = split(text, width=3, final=True, until=len(text))
    assert [record.columns for record in found] == ([(before,), ()] if before else [()])
    assert "".join(record.text + record.ending for record in found) == text
