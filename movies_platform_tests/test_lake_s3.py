"""A lake on S3, which DuckDB, Sail and its executors read and write over HTTP: no folder is shared."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from movies_platform.contracts.sources import RATINGS
from movies_platform.engines import places
from movies_platform.resources import warehouse
from movies_platform_tests.buckets import Store, s3_server, speak_to
from movies_platform_tests.clusters import sail_server
from movies_platform_tests.compare_warehouses import differences
from movies_platform_tests.shell import Shell
from movies_platform_tests.test_executors import same


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, str]]:
    """A bucket, and the address of a Sail that reads it."""
    with s3_server() as url, pytest.MonkeyPatch.context() as patch:
        speak_to(url, patch)
        for name, value in {"AWS_ENDPOINT": url, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1"}.items():
            patch.setenv(name, value)
        with sail_server(tmp_path_factory.mktemp("sail")) as address:
            yield Store(url, "lakes"), address


@pytest.fixture
def keys(store: tuple[Store, str], monkeypatch: pytest.MonkeyPatch) -> "Keys":
    """From here on, the platform computes on Sail, and its tables lie in the bucket."""
    monkeypatch.setenv("MOVIES_ENGINE", "spark")
    monkeypatch.setenv("MOVIES_SPARK", store[1])
    monkeypatch.setenv("MOVIES_LAKE", "s3://lakes/movies")
    monkeypatch.setenv("MOVIES_NO_PUBLISH", "1")
    return Keys(store[0])


class Keys:
    """What is in the bucket."""

    def __init__(self, store: Store):
        self.store = store

    def __call__(self, prefix: str = "") -> set[str]:
        found = self.store.client.list_objects_v2(Bucket=self.store.bucket, Prefix=prefix)
        return {each["Key"] for each in found.get("Contents", [])}


def test_a_home_whose_lake_is_on_s3(keys: Keys, months: list[Path], shell: Shell, tmp_path: Path,
                                    monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    keys.store.client.put_object(Bucket="lakes", Key="movies/others.parquet", Body=b"of somebody else")
    movies = months[0] / "movies_metadata.csv"  # without the others: Sail takes some seconds a table on S3
    shell("deliver", movies, "--month", "2017-11")
    shell("refresh")
    assert len(keys("movies/")) > 1
    assert not (shell.home / "lake").exists()
    assert shell("show", "core.genres").stdout

    before = tmp_path / "before.ducklake"
    shutil.copy(shell.home / "lake.ducklake", before)
    monkeypatch.setenv("MOVIES_ENGINE", "duckdb")
    duckdb = Shell(tmp_path / "duckdb")
    duckdb("deliver", movies, "--month", "2017-11")
    duckdb("refresh")
    assert differences(duckdb.home / "warehouse.duckdb", before) == []
    shell("rebuild")
    assert keys("movies/") == {"movies/others.parquet"}


def test_each_transaction_has_the_keys_of_its_time(keys: Keys, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with warehouse.opened():
        for key in ("first", "second"):
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
            with warehouse.transaction() as connection:
                secret = connection.execute("SELECT secret_string FROM duckdb_secrets()").fetchall()[0][0]
            assert f"key_id={key};" in secret


def test_a_file_is_read_in_pieces_from_s3(keys: Keys, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    ratings = [f"{user},{movie},{user % 5}.5,{user}\n" for movie in (1, 2, 1) for user in range(1, 40)]
    path.write_text("userId,movieId,rating,timestamp\n" + "".join(ratings))
    assert same(path, RATINGS, 300, "s3://lakes/pieces")["data_issues"]
    assert not [key for key in keys("pieces/") if "/work-" in key]


def test_a_file_on_s3_is_read_from_its_middle(keys: Keys, tmp_path: Path) -> None:
    file = tmp_path / "digits"
    file.write_text("0123456789")
    for place in ("s3://lakes/middle", str(tmp_path)):
        with places.opened(places.copied(file, place)) as found:
            assert found.size == 10
            assert [found.read(*part) for part in ((3, 0), (3, 8), (3, 10), (0, 2))] == [b"012", b"89", b"", b""]
