"""Stages raw and parsed on executors: their tables are those of one reader on one machine, however a file is cut."""

import datetime as dt
import pickle
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import settings as of_hypothesis

from movies_platform.contracts import all_tables
from movies_platform.contracts.parsed import items_table, records_table
from movies_platform.contracts.raw import DATA_ISSUES, raw_table
from movies_platform.contracts.sources import MOVIES_METADATA, RATINGS, Source
from movies_platform.contracts.tables import qualified
from movies_platform.engines import lake, spark
from movies_platform.errors import DeliveryRejected
from movies_platform.parsed.assets import fill_items, fill_records
from movies_platform.parsed.executors import fill_on_executors
from movies_platform.raw import executors, gate
from movies_platform.raw import parquet as parquet_module
from movies_platform.raw.reader import RecordReader
from movies_platform.resources.warehouse import NAME, ensure, transaction_on
from movies_platform_tests.clusters import sail_server
from movies_platform_tests.ports import HERE, free_port
from movies_platform_tests.raw_deliveries import HEADER, line
from movies_platform_tests.test_raw_records_agree import torn

MONTH = dt.date(2017, 12, 1)
RATINGS_HEADER = "userId,movieId,rating,timestamp\n"

Rows = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def on_a_lake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tables are made as those of a lake, and tasks run in this process, having come through a pickle."""
    monkeypatch.setenv("MOVIES_ENGINE", "spark")
    monkeypatch.setenv("MOVIES_HOME", str(tmp_path / "home"))

    def here(task: Callable[[Any], Any], inputs: Sequence[Any]) -> list[Any]:
        from pyspark.cloudpickle import dumps

        return [pickle.loads(pickle.dumps(pickle.loads(dumps(task))(each))) for each in inputs]

    def keys(files: Sequence[str], schema: str | None = None) -> Any:
        import narwhals as nw

        return nw.from_native(duckdb.connect().read_parquet([*files]))

    monkeypatch.setattr(spark, "on_executors", here)
    monkeypatch.setattr(spark, "frame", keys)


@pytest.fixture(scope="module")
def sail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sail_server(tmp_path_factory.mktemp("sail")) as address:
        yield address


def tables_of(
    path: Path, folder: Path, source: Source, *, piece_bytes: int, with_executors: bool, place: str = ""
) -> Rows:
    """The rows of raw, data_issues and the parsed tables of a file; `place` is that of the lake."""
    folder.mkdir(parents=True)
    filled = [(records_table(source), partial(fill_records, source=source))]
    filled += [(items_table(nested), partial(fill_items, source=source, nested=nested)) for nested in source.nested]
    with duckdb.connect() as connection, path.open("rb") as file, pytest.MonkeyPatch.context() as patch:
        if with_executors:
            lake.attach(connection, folder / "lake.ducklake", place or str(folder / "lake"), NAME, read_only=False)
            connection.execute(f"USE {NAME}")
        with transaction_on(connection):
            for table in all_tables():
                if table.schema in ("raw", "parsed"):
                    ensure(connection, table)
        for module in (executors, parquet_module):
            patch.setattr(module, "PIECE_BYTES", piece_bytes)
        load = executors.load if with_executors else gate._load
        (folder / "work").mkdir()
        with transaction_on(connection):
            load(connection, RecordReader(file, f"{source.name}.csv", source), MONTH, folder / "work")
        for table, fill in filled:
            if with_executors:
                with transaction_on(connection):
                    fill_on_executors(connection, MONTH, raw_table(source), table, fill)
            else:
                fill(connection, MONTH)
        made = [raw_table(source), DATA_ISSUES, *(table for table, _ in filled)]
        return {t.name: connection.execute(f"SELECT * FROM {qualified(t)} ORDER BY ALL").fetchall() for t in made}


def same(path: Path, source: Source, piece_bytes: int, place: str = "") -> Rows:
    """The tables by executors, which are those made here."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = partial(tables_of, path, source=source)
        here = made(folder=Path(folder, "here"), piece_bytes=2**25, with_executors=False)
        there = made(folder=Path(folder, "there"), piece_bytes=piece_bytes, with_executors=True, place=place)
    for name, rows in here.items():
        assert there[name] == rows, name
    return there


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("executors") / "movies_metadata.csv"


@pytest.mark.usefixtures("on_a_lake")
def test_files_of_anything_are_the_same(path: Path) -> None:
    @of_hypothesis(max_examples=12, deadline=None)
    @given(text=torn())
    @example(text=line(1, overview='"a') + line(2) + line(3, overview='"') + line(4))
    @example(text="".join(line(n) for n in range(9)) + line(4, overview='"never closed') + line(7) * 20)
    def check(text: str) -> None:
        path.write_bytes((HEADER + text).encode())
        same(path, MOVIES_METADATA, 60)

    check()


@pytest.mark.usefixtures("on_a_lake")
def test_the_last_record_of_a_key_counts_over_all_pieces(path: Path) -> None:
    ratings = [f"{user},{movie},{user % 5}.5,{user}\n" for movie in (1, 2, 1) for user in range(1, 40)]
    path.write_text(RATINGS_HEADER + "".join(ratings) + "5,2,none,9\n")
    found = same(path, RATINGS, 100)
    issues = [(row[2], row[5], row[8]) for row in found["data_issues"]]
    assert len(issues) == 40
    assert len(found["raw_ratings"]) == 118


@pytest.mark.usefixtures("on_a_lake")
def test_a_refusal_names_the_record_of_the_file(path: Path, tmp_path: Path) -> None:
    good = "1,2,3.5,4\n" * 50
    path.write_bytes(RATINGS_HEADER.encode() + good.encode() + b"1,2,\xff,4\n" + good.encode())
    with pytest.raises(DeliveryRejected, match="offset 536") as refused:
        tables_of(path, tmp_path / "there", RATINGS, piece_bytes=50, with_executors=True)
    assert refused.value.record == 51


@pytest.mark.usefixtures("on_a_lake")
def test_a_file_that_is_another_one_on_the_executor_is_a_fault_of_the_infrastructure(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(RATINGS_HEADER + "1,2,3.5,4\n" * 50)
    cut = executors.cut

    def cut_before_it_grew(whole: RecordReader, piece_bytes: int) -> object:
        pieces = cut(whole, piece_bytes)
        with path.open("a") as grown:
            grown.write("1,3,3.5,4\n")
        return pieces

    monkeypatch.setattr(executors, "cut", cut_before_it_grew)
    with pytest.raises(OSError, match="has 542 bytes here, and had 532 where it was cut"):
        tables_of(path, tmp_path / "there", RATINGS, piece_bytes=50, with_executors=True)


def test_long_work_says_how_far_it_is_but_not_at_every_word_of_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "_reported", -1_000.0)
    said: list[str] = []
    stages = [
        SimpleNamespace(num_completed_tasks=1_003, num_tasks=2_000),
        SimpleNamespace(num_completed_tasks=0, num_tasks=64),
    ]
    with spark.reporting(said.append):
        spark._note_progress(None, done=False)
        spark._note_progress(stages, inflight_tasks=2, operation_id="1", done=False)
        spark._note_progress(stages, inflight_tasks=2, operation_id="1", done=False)
    assert said == ["Spark has done 1,003 of 2,064 tasks."]
    monkeypatch.setattr(spark, "_reported", -1_000.0)
    spark._note_progress(stages)  # the run is over
    assert len(said) == 1


def test_a_driver_is_asked_only_when_its_java_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyspark import SparkContext

    asked = threading.Event()

    class Starting:
        """A context of which another thread begins to make one."""

        def __bool__(self) -> bool:
            asked.set()
            return True

    class Started(Starting):
        _jsc = None

        def statusTracker(self) -> Any:  # noqa: N802  Spark's name
            stage = SimpleNamespace(numCompletedTasks=3, numTasks=8)
            return SimpleNamespace(getActiveStageIds=lambda: [1], getStageInfo=lambda number: stage)

    monkeypatch.setenv("MOVIES_ENGINE", "spark")
    monkeypatch.setenv("MOVIES_SPARK", "local[2]")
    monkeypatch.setattr(spark, "_REPORT_SECONDS", 0.01)
    monkeypatch.setattr(spark, "_reported", -1_000.0)
    said: list[str] = []
    heard = threading.Event()

    def hear(text: str) -> None:
        said.append(text)
        heard.set()

    monkeypatch.setattr(SparkContext, "_active_spark_context", Starting())
    with spark.reporting(hear):
        assert asked.wait(30)
        assert not said
        monkeypatch.setattr(SparkContext, "_active_spark_context", Started())
        assert heard.wait(30)
    assert said[0] == "Spark has done 3 of 8 tasks."


@pytest.mark.parametrize(("executors", "stops"), [(0, True), (1, False)])
def test_a_driver_that_has_lost_its_cluster_is_stopped(
    monkeypatch: pytest.MonkeyPatch, executors: int, stops: bool
) -> None:
    from pyspark import SparkContext

    done: list[str] = []
    asked, stopped = threading.Event(), threading.Event()

    def executor_infos() -> list[str]:
        if done:
            asked.set()
        return ["driver", *["executor"] * executors]

    java = SimpleNamespace(statusTracker=lambda: SimpleNamespace(getExecutorInfos=executor_infos))
    context = SimpleNamespace(
        _jsc=SimpleNamespace(sc=lambda: java),
        statusTracker=lambda: SimpleNamespace(getActiveStageIds=lambda: done.append("asked") or []),
        cancelAllJobs=lambda: done.append("cancelled"),
        stop=lambda: done.append("stopped") or stopped.set(),
    )
    monkeypatch.setenv("MOVIES_ENGINE", "spark")
    monkeypatch.setenv("MOVIES_SPARK", f"spark://{HERE}:{free_port()}")
    monkeypatch.setattr(spark, "_REPORT_SECONDS", 0.01)
    monkeypatch.setattr(SparkContext, "_active_spark_context", context)
    with spark.reporting(print):
        assert asked.wait(30)
        assert stopped.wait(30 if stops else 0.5) == stops
    assert [word for word in done if word != "asked"][:2] == (["cancelled", "stopped"] if stops else [])


def test_another_address_is_another_session(sail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIES_SPARK", sail)
    assert spark.on_executors(abs, [-3, 4]) == [3, 4]
    with sail_server(tmp_path) as other:
        monkeypatch.setenv("MOVIES_SPARK", other)
        assert spark.on_executors(abs, [-5]) == [5]
    monkeypatch.setenv("MOVIES_SPARK", sail)
    assert spark.on_executors(abs, [-6]) == [6]


@pytest.mark.parametrize("masters", ["sc://{}", "spark://{}", "spark://{},{}"])
def test_a_cluster_that_nobody_reaches_is_named_at_once(masters: str, monkeypatch: pytest.MonkeyPatch) -> None:
    address = masters.format(*(f"{HERE}:{free_port()}" for _ in range(2)))
    monkeypatch.setenv("MOVIES_SPARK", address)
    with pytest.raises(ConnectionError, match=f"^Spark does not answer at {address}: "):
        spark.session()


@pytest.mark.real
@pytest.mark.parametrize("pieces", [1, 2, 7, 64])
def test_a_dirty_month_is_the_same_on_sail_in_pieces(
    real_data: Path, sail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    monkeypatch.setenv("MOVIES_ENGINE", "spark")
    monkeypatch.setenv("MOVIES_SPARK", sail)
    path = tmp_path / "movies_metadata.csv"
    path.write_bytes((real_data / "deliveries" / "2017-12.csv").read_bytes())
    assert same(path, MOVIES_METADATA, path.stat().st_size // pieces + 1)["data_issues"]
