"""Spark: computes the frames of core and metrics from the lake's files, and writes new ones.

`MOVIES_SPARK` says where: threads of this machine, a cluster, or a Spark Connect server, which may be Sail. All of them
have to see the lake's folder under the same path.
"""

import importlib
import socket
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import duckdb
import narwhals as nw
import sqlalchemy as sa

from movies_platform.contracts.columns import types_of
from movies_platform.engines import lake
from movies_platform.settings import settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_APPLICATION = "movies_platform"
_CONNECT_PORT, _SECONDS = 15002, 10  # of Spark Connect; to reach it


def session() -> "SparkSession":
    """The session of this process: a new one where there is none, or where it was stopped."""
    from pyspark.sql import SparkSession

    address = settings().spark
    builder = SparkSession.builder.appName(_APPLICATION)
    found: Any
    if not address.startswith("sc://"):
        found = builder.master(address).getOrCreate()
    else:
        _expect_server(address)
        _use_plain_division()
        found = builder.remote(address).getOrCreate()
        found.client.set_retry_policies([_patience()])
    found.conf.set("spark.sql.session.timeZone", "UTC")
    return cast("SparkSession", found)


def _expect_server(address: str) -> None:
    """Raise ConnectionError where nobody listens: the client would ask again and again, for minutes."""
    place = urlsplit(address)
    try:
        socket.create_connection((place.hostname, place.port or _CONNECT_PORT), timeout=_SECONDS).close()
    except OSError as problem:
        raise ConnectionError(f"Spark does not answer at {address}: {problem}") from None


def _patience() -> Any:
    """How often a request is sent again that did not come through: the client's own patience is many minutes."""
    from pyspark.sql.connect.client.retries import DefaultPolicy

    return DefaultPolicy(max_retries=6)


def _use_plain_division() -> None:
    """Sail 0.7 cannot `try_divide` fractions. Narwhals takes `/` where there is no such function, as nothing here is
    divided by zero."""
    functions = importlib.import_module("pyspark.sql.connect.functions")
    if hasattr(functions, "try_divide"):
        del functions.try_divide


def table_frame(connection: duckdb.DuckDBPyConnection, name: str, table: sa.Table) -> nw.LazyFrame:
    """A stored table as a lazy frame over the files that hold it now."""
    schema = ", ".join(f"`{column.name}` {types_of(column).spark}" for column in table.columns)
    files = lake.files_of(connection, name, table)
    spark = session()
    found = spark.read.schema(schema).parquet(*files) if files else spark.createDataFrame([], schema)
    frame: nw.LazyFrame = nw.from_native(found)
    return frame


def write(frame: "DataFrame", folder: Path, table: sa.Table) -> list[str]:
    """Compute the frame into new Parquet files below `folder`; those of tasks that were finished."""
    place = folder / "spark" / f"{table.schema}.{table.name}-{uuid.uuid4().hex}"
    frame.write.parquet(str(place))
    return sorted(str(file) for file in place.glob("*.parquet"))


def metadata() -> dict[str, Any]:
    """What a step that used Spark shows of it."""
    address = settings().spark
    if address.startswith("sc://"):
        return {"spark": address}
    return {"spark": address, "spark_ui": session().sparkContext.uiWebUrl or "none"}
