"""Spark: computes frames from the lake's files and writes new ones, and runs the platform's functions on executors.

`MOVIES_SPARK` says where: threads of this machine, a cluster, or a Spark Connect server, which may be Sail. All of them
have to see the lake's files at the same place.
"""

import contextlib
import importlib
import itertools
import os
import pickle
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import duckdb
import narwhals as nw
import sqlalchemy as sa

from movies_platform.contracts.columns import types_of
from movies_platform.engines import lake, places
from movies_platform.settings import settings

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyspark import SparkContext
    from pyspark.sql import DataFrame, SparkSession

T = TypeVar("T")
R = TypeVar("R")
_APPLICATION, _TIME_ZONE = "movies_platform", "spark.sql.session.timeZone"
_REPORT_SECONDS = 10.0
_reports: list[Callable[[str], object]] = []  # of the runs of this process, the innermost last
_reported = 0.0  # when it was last said how far Spark is
_sessions: dict[str, Any] = {}  # of Spark Connect, by address
_PORTS = {"spark": 7077, "sc": 15002}  # of a cluster's master and of Spark Connect, where the address has none
_SECONDS = 10  # to reach it


def session() -> "SparkSession":
    """The session of this process at MOVIES_SPARK: a new one where there is none, or where it was stopped."""
    from pyspark.sql import SparkSession

    address = settings().spark
    builder = SparkSession.builder.appName(_APPLICATION)
    found: Any
    if address.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # this one, which has the package
    else:
        _expect_server(address)
    if not address.startswith("sc://"):
        found = builder.master(address).config(_TIME_ZONE, "UTC").getOrCreate()
    else:
        found = _sessions.get(address)  # PySpark would take one of another address for it
        if found is None or found.is_stopped:
            _use_plain_division()
            found = _sessions[address] = builder.remote(address).create()
            found.client.set_retry_policies([_patience()])
            found.registerProgressHandler(_note_progress)
            found.conf.set(_TIME_ZONE, "UTC")  # raises where a server refuses it, as an option of the builder does not
    return cast("SparkSession", found)


def _expect_server(address: str) -> None:
    """Raise ConnectionError where nobody listens: the client would ask again and again, for minutes."""
    found, said = urlsplit(address), ""
    for each in found.netloc.split(","):  # a cluster may have masters that stand by
        place = urlsplit(f"//{each}")
        try:
            socket.create_connection((place.hostname, place.port or _PORTS[found.scheme]), timeout=_SECONDS).close()
        except OSError as problem:
            said = str(problem)
        else:
            return
    raise ConnectionError(
        f"Spark does not answer at {address}: {said}. Start it, or correct MOVIES_SPARK, then try again: "
        "what was delivered waits, and the tables are as they were."
    )


def _patience() -> Any:
    """How often a request is sent again that did not come through, in some 17 s; the client's own patience is minutes.

    It is spent twice: a request that failed is released at the server, and no process ends before that.
    """
    from pyspark.sql.connect.client.retries import DefaultPolicy

    return DefaultPolicy(max_retries=5)


def _use_plain_division() -> None:
    """Sail 0.7 cannot `try_divide` fractions. Narwhals takes `/` where there is no such function, as nothing here is
    divided by zero."""
    functions = importlib.import_module("pyspark.sql.connect.functions")
    if hasattr(functions, "try_divide"):
        del functions.try_divide


def table_frame(connection: duckdb.DuckDBPyConnection, name: str, table: sa.Table) -> nw.LazyFrame:
    """A stored table as a lazy frame over the files that hold it now."""
    schema = ", ".join(f"`{column.name}` {types_of(column).spark}" for column in table.columns)
    return frame(lake.files_of(connection, name, table), schema)


def frame(files: Sequence[str], schema: str | None = None) -> nw.LazyFrame:
    """Parquet files as a lazy frame; no files only with a schema, as SQL declares columns.

    It is a view, which looks at its files once. Else all of them would be looked at again whenever a frame that is made
    of them is asked for its columns.
    """
    spark = session()
    reader = spark.read.schema(schema) if schema else spark.read
    found = reader.parquet(*files) if files else spark.createDataFrame([], schema)
    view = f"files_{uuid.uuid4().hex}"
    found.createOrReplaceTempView(view)
    lazy: nw.LazyFrame = nw.from_native(spark.table(view))
    return lazy


def write(frame: "DataFrame", place: str) -> list[str]:
    """Compute the frame into new Parquet files in `place`; those of tasks that were finished."""
    rows = f"{place}/rows"  # a new one: a request that Connect sends again must not add to what is there
    frame.write.parquet(rows)
    return places.parquet_files(rows)


def on_executors(task: Callable[[T], R], inputs: Sequence[T]) -> list[R]:
    """What `task` returns for each of the inputs, in their order; each is a task of Spark.

    The executors' Python needs this package. A task may run twice, at the same time too: it writes files of its own.
    """

    def run(batches: Iterable["pa.RecordBatch"]) -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa

        for number in itertools.chain.from_iterable(batch.column(0).to_pylist() for batch in batches):
            result = pickle.dumps(task(inputs[number]))
            yield pa.RecordBatch.from_pydict({"number": [number], "result": [result]})

    numbers = session().range(0, len(inputs), 1, len(inputs))
    rows = numbers.mapInArrow(run, "number long, result binary").collect()
    results = {row.number: pickle.loads(row.result) for row in rows}
    return [results[number] for number in range(len(inputs))]


@contextlib.contextmanager
def reporting(report: Callable[[str], object]) -> Iterator[None]:
    """Until the end of this `with`, it is reported how many tasks of long work are done."""
    ended = threading.Event()

    def watch() -> None:
        """A driver of this process is asked; a Connect server tells it."""
        while not ended.wait(_REPORT_SECONDS):
            from pyspark import SparkContext

            context = SparkContext._active_spark_context
            if context and hasattr(context, "_jsc"):  # it is there before its Java is
                tracker = context.statusTracker()
                stages = [info for stage in tracker.getActiveStageIds() if (info := tracker.getStageInfo(stage))]
                _report(sum(info.numCompletedTasks for info in stages), sum(info.numTasks for info in stages))
                if _has_lost_its_cluster(context):
                    context.cancelAllJobs()  # fails what waits for them; who tries again gets a new driver
                    ended.wait(1)
                    context.stop()

    _reports.append(report)
    if settings().is_lake and not settings().spark.startswith("sc://"):
        threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        _reports.remove(report)


def _has_lost_its_cluster(context: "SparkContext") -> bool:
    """Whether a driver of this process has no executor, and no master to start one: Spark would wait for both."""
    address = settings().spark
    if address.startswith("local") or len(context._jsc.sc().statusTracker().getExecutorInfos()) > 1:  # itself is one
        return False
    try:
        _expect_server(address)
    except ConnectionError:
        return True
    return False


def _note_progress(stages: Iterable[Any] | None, **_: object) -> None:
    known = list(stages or [])
    _report(sum(stage.num_completed_tasks for stage in known), sum(stage.num_tasks for stage in known))


def _report(done: int, tasks: int) -> None:
    """Say it, but not more often than every few seconds."""
    global _reported
    if _reports and tasks and time.monotonic() > _reported + _REPORT_SECONDS:
        _reported = time.monotonic()
        _reports[-1](f"Spark has done {done:,} of {tasks:,} tasks.")


def metadata() -> dict[str, Any]:
    """What a step that used Spark shows of it."""
    address = settings().spark
    if address.startswith("sc://"):
        return {"spark": address}
    return {"spark": address, "spark_ui": session().sparkContext.uiWebUrl or "none"}
