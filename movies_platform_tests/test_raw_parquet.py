"""Records in the database: their numbers, and text exactly as delivered."""

import datetime as dt
import itertools

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies_platform.contracts.sources import MOVIES_METADATA
from movies_platform.raw import parquet as parquet_module
from movies_platform.raw import reader as reader_module
from movies_platform.raw.parquet import LONGEST_TEXT
from movies_platform.raw.reader import ROW_GROUP, Issue
from movies_platform_tests import parsed_stages
from movies_platform_tests.parsed_stages import FILE, MONTH
from movies_platform_tests.raw_deliveries import HEADER, NAMES, line, quoted, read, reader

COLUMNS = ", ".join(MOVIES_METADATA.columns)


@pytest.fixture
def stages(tmp_path):
    yield from parsed_stages.opened(tmp_path / "some.duckdb")


def stored(stages):
    return stages.rows(f"SELECT record_number, {COLUMNS} FROM raw.raw_movies ORDER BY 1")


def titles(stages):
    return stages.rows("SELECT record_number, title FROM raw.raw_movies ORDER BY 1")


AS_DELIVERED = {
    "spaces_at_both_ends": (" a ", " a "),
    "only_spaces": ("  ", "  "),
    "tabs_and_no_break_spaces": ("\t\xa0a\xa0", "\t\xa0a\xa0"),
    "nothing": ("", None),
    "nothing_in_quotes": ('""', None),
    "quotes": ('"say ""a"""', 'say "a"'),
    "commas_and_breaks": ('"a,\r\nb\rc\nd"', "a,\r\nb\rc\nd"),
    "odd_quotes": ('a 5" disk', 'a 5" disk'),
    "a_quote_behind_a_space": (' "a"', ' "a"'),
    "nul": ("a\0b", "a\0b"),
    "backslashes": ("a\\nb\\", "a\\nb\\"),
    "apostrophes": ("it's", "it's"),
    "null": ("NULL", "NULL"),
    "a_comment": ("#a", "#a"),
    "astral": ("😀\u2028\ufeff", "😀\u2028\ufeff"),
}  # fmt: skip


@pytest.mark.parametrize(("written", "text"), AS_DELIVERED.values(), ids=AS_DELIVERED)
def test_text_is_stored_as_delivered(stages, tmp_path, written, text):
    stages.load(reader(HEADER + line(1, title=written) + line(2)), tmp_path)
    assert titles(stages) == [(1, text), (2, None)]


def test_every_column_lands_in_its_own(stages, tmp_path):
    names = [*reversed(NAMES), "unknown"]
    stages.load(reader(",".join(names) + "\n" + ",".join(f"of {name}" for name in names)), tmp_path)
    assert stored(stages) == [(1, *(f"of {name}" for name in NAMES))]


def test_numbers_are_those_of_the_file_and_issues_with_them(stages, tmp_path):
    text = line(1) + "too,few\n" + line(2, overview="a\nb") + line(3) + "\n" + line(4, title='a"b')
    reading = stages.load(reader(HEADER + text, 64), tmp_path)
    assert stages.rows("SELECT record_number, id FROM raw.raw_movies ORDER BY 1") == [
        (1, "1"),
        (3, "2"),
        (5, "3"),
        (6, "4"),
    ]
    assert stages.issues() == [
        Issue(2, None, None, "column_count", "rejected", "too,few"),
        Issue(3, 2, None, "broken_record", "repaired", "a\nb"),
    ]
    assert stages.rows("SELECT DISTINCT delivery_month, source_file FROM raw.data_issues") == [(MONTH, FILE)]
    assert stages.rows("SELECT DISTINCT delivery_month, source_file FROM raw.raw_movies") == [(MONTH, FILE)]
    assert (reading.records, reading.joined, reading.extra_columns) == (6, 1, ())


@pytest.mark.parametrize("row_group", [1, 2, 7, 1000])
@pytest.mark.parametrize("block_bytes", [64, 2**20])
def test_records_are_the_same_in_batches_of_any_length(stages, tmp_path, monkeypatch, row_group, block_bytes):
    monkeypatch.setattr(reader_module, "ROW_GROUP", row_group)
    monkeypatch.setattr(reader_module, "SMALLEST_BATCH", 1)
    broken = "too,few\n" + line(50, overview="a\nb") + line(51, title='a"b') + line(52, overview="x" * 2**18)
    text = "".join(line(n, title=f"of {n}") for n in range(1, 30)) + broken + line(60) * 20
    reading = stages.load(reader(HEADER + text, block_bytes), tmp_path)
    expected = read(HEADER + text)
    assert (reading.records, reading.joined) == (expected.records, expected.joined)
    assert stored(stages) == [(n, *(text or None for text in columns)) for n, columns in expected.accepted.items()]


def test_a_batch_fills_a_row_group_of_the_database(stages, tmp_path):
    stages.load(reader(HEADER + line(1) * (2 * ROW_GROUP + 3)), tmp_path)
    counts = stages.rows(
        "SELECT sum(count) FROM pragma_storage_info('raw.raw_movies') "
        "WHERE column_name = 'record_number' AND segment_type = 'BIGINT' GROUP BY row_group_id ORDER BY row_group_id"
    )
    assert counts == [(ROW_GROUP,), (ROW_GROUP,), (3,)]


def test_a_byte_order_mark_in_a_text_stays_wherever_its_batch_begins(stages, tmp_path, monkeypatch):
    monkeypatch.setattr(reader_module, "ROW_GROUP", 3)
    monkeypatch.setattr(reader_module, "SMALLEST_BATCH", 1)
    names = ["title", *(name for name in NAMES if name != "title")]
    text = "".join(f"\ufeffof {n}" + "," * (len(names) - 1) + "\n" for n in range(1, 8))
    stages.load(reader(",".join(names) + "\n" + text), tmp_path)
    assert titles(stages) == [(n, f"\ufeffof {n}") for n in range(1, 8)]


def test_an_error_of_the_database_is_raised_as_it_is(stages, tmp_path, monkeypatch):
    def fail(connection, *_, **__):
        connection.execute("SELECT error('no room')")

    monkeypatch.setattr(parquet_module, "_write", fail)
    stages.connection.begin()
    with pytest.raises(duckdb.Error, match="no room"):
        stages.load(reader(HEADER + line(1)), tmp_path)
    stages.connection.rollback()


def test_long_lines_do_not_pile_up(stages, tmp_path, monkeypatch):
    monkeypatch.setattr(reader_module, "LARGEST_BATCH", 2**16)
    sizes = []
    stored = parquet_module._store
    monkeypatch.setattr(
        parquet_module,
        "_store",
        lambda c, batch, *args, **more: sizes.append(batch.size) or stored(c, batch, *args, **more),
    )
    text = "".join(line(n, overview="x" * 1000) for n in range(1, 1000))
    stages.load(reader(HEADER + text, 2**14), tmp_path)
    assert len(sizes) > 10
    assert max(sizes) < 2**16 + 2**14
    assert stages.rows("SELECT count(*), max(record_number) FROM raw.raw_movies") == [(999, 999)]


def test_a_fault_of_the_disk_is_raised_and_leaves_nothing(tmp_path, stages, monkeypatch):
    def fail(*_, **__):
        raise OSError("no room")

    monkeypatch.setattr(parquet_module, "_store", fail)
    with pytest.raises(OSError, match="no room"):
        stages.load(reader(HEADER + line(1)), tmp_path)
    assert stages.rows("SELECT count(*) FROM raw.raw_movies") == [(0,)]


def test_months_lie_side_by_side(stages, tmp_path):
    for month in (MONTH, dt.date(2017, 12, 1)):
        stages.load(reader(HEADER + line(1)), tmp_path, month)
    assert stages.rows("SELECT delivery_month FROM raw.raw_movies ORDER BY 1") == [(MONTH,), (dt.date(2017, 12, 1),)]


@pytest.mark.parametrize("length", [2**18, 2**20 + 1, 5 * 2**20], ids=["256_KiB", "over_1_MiB", "5_MiB"])
@pytest.mark.parametrize("opening", ["", '"', 'a"'], ids=["plain", "quoted", "odd"])
def test_a_very_long_line_is_stored(stages, tmp_path, length, opening):
    text = "é" * (length // 2)
    closing = '"' if opening == '"' else ""
    stages.load(reader(HEADER + line(1) + line(2, overview=opening + text + closing) + line(3)), tmp_path)
    meant = opening.replace('"', "") + text if opening == '"' else opening + text
    assert stages.rows("SELECT record_number, overview FROM raw.raw_movies ORDER BY 1") == [
        (1, None),
        (2, meant),
        (3, None),
    ]


def test_an_endless_text_is_kept_up_to_its_limit(stages, tmp_path):
    stages.load(reader(HEADER + line(1, overview="x" * (LONGEST_TEXT + 5)) + line(2)), tmp_path)
    lengths = stages.rows("SELECT length(overview) FROM raw.raw_movies ORDER BY record_number")
    assert lengths[0] == (LONGEST_TEXT,)
    assert len(lengths) == 2


def test_a_folder_whose_name_looks_like_a_value_gives_none(stages, tmp_path):
    scratch = tmp_path / "title=live"
    scratch.mkdir()
    stages.load(reader(HEADER + line(1, title="a")), scratch)
    assert titles(stages) == [(1, "a")]


def test_lines_are_removed_once_they_are_stored(stages, tmp_path):
    scratch = tmp_path / "it's scratch"
    scratch.mkdir()
    stages.load(reader(HEADER + line(1) * 50, 64), scratch)
    assert {path.suffix for path in scratch.iterdir()} == {".parquet"}


def test_a_file_without_records_loads(stages, tmp_path):
    assert stages.load(reader(HEADER), tmp_path).records == 0
    assert stored(stages) == []


def test_thousands_of_issues_are_stored_though_few_name_a_movie(stages, tmp_path):
    stages.load(reader(HEADER + "x,y\n" * 3_000 + ",,,,,77,\n" + "x,y\n" * 3_000), tmp_path)
    assert stages.rows("SELECT count(*), sum(movie_id) FROM raw.data_issues") == [(6_001, 77)]


HOSTILE = st.text(alphabet=st.sampled_from(",\"\n\r \0aé\\'\t#"), max_size=6) | st.text(max_size=6)
_months = (dt.date(1, 1, 1) + dt.timedelta(days=n) for n in itertools.count())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), min_size=1, max_size=30))
def test_the_database_reads_what_the_reader_found(shared, texts):
    stages, scratch = shared
    month = next(_months)
    rows = [[*middle, *("v",) * 18, *middle] for middle in texts]
    data = HEADER + quoted(rows)
    stages.load(reader(data, 256), scratch, month)
    found = stages.rows(f"SELECT {COLUMNS} FROM raw.raw_movies WHERE delivery_month = '{month}' ORDER BY record_number")
    expected = [tuple(text or None for text in columns) for columns in read(data).accepted.values()]
    assert found == expected
    assert expected == [tuple(text or None for text in row) for row in rows]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    for stages in parsed_stages.opened():
        yield stages, tmp_path_factory.mktemp("scratch")
