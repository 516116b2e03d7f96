"""The home that commands make: Dagster's history in SQLite or PostgreSQL, and a dagster.yaml that may be one's own."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from movies_platform.errors import SettingsError
from movies_platform.resources.home import dagster_yaml, prepare_home
from movies_platform.settings import check_settings, settings
from movies_platform_tests.shell import TIMEOUT, Shell

SERVER = "postgresql+psycopg2://postgres@127.0.0.1:5432"


def test_dagster_yaml_follows_the_settings_until_it_is_ones_own(home: Path, monkeypatch: pytest.MonkeyPatch):
    config = home / "dagster" / "dagster.yaml"
    prepare_home()
    assert config.read_text() == dagster_yaml("")
    old = "\n".join(config.read_text().splitlines()[:1]) + "\ntelemetry: {enabled: true}\n"
    config.write_text(old)
    prepare_home()
    assert config.read_text() == dagster_yaml("")
    config.write_text("telemetry: {enabled: true}\n")
    prepare_home()
    assert config.read_text() == "telemetry: {enabled: true}\n"


def test_commands_that_start_together_make_one_home(tmp_path: Path):
    shell = Shell(tmp_path / "home")
    together = [shell.start("status") for _ in range(4)]
    said = [process.communicate(timeout=TIMEOUT)[0] for process in together]
    assert [process.returncode for process in together] == [0] * 4, said
    assert (shell.home / "dagster" / "history" / "runs.db").exists()


def test_a_home_may_have_any_name(tmp_path: Path, months: list[Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MOVIES_NO_PUBLISH")
    database = tmp_path / "analyst's.db"
    shell = Shell(tmp_path / 'the analyst\'s "100%" home #1')
    shell("sample", "--months", 1, "--movies", 60)
    shell("deliver", months[0] / "movies_metadata.csv", "--month", "2017-12")
    shell("refresh")
    assert shell("publish").stdout.startswith("unchanged")
    shell("load", "--to", f"sqlite:///{database}")
    assert database.exists()
    (counted,) = json.loads(shell("query", "SELECT count(*) AS movies FROM core.movies", "--format", "json").stdout)
    assert counted["movies"] > 0
    shell("report")
    assert (shell.home / "report" / "index.html").exists()


@pytest.mark.parametrize("setting", ["MOVIES_PUBLISH_WITHOUT", "MOVIES_LOAD_WITHOUT"])
def test_a_glob_that_fits_no_table_is_refused_with_a_suggestion(
    home: Path, monkeypatch: pytest.MonkeyPatch, setting: str
):
    monkeypatch.setenv(setting, "core.movie_c*,core.rating")
    with pytest.raises(
        SettingsError, match=rf"{setting}: core\.rating fits no .*\. core\.ratings was probably meant\."
    ):
        prepare_home()
    monkeypatch.setenv(setting, "core.movie_c*, core.ratings")
    prepare_home()
    assert settings().model_dump()[setting.removeprefix("MOVIES_").lower()] == ("core.movie_c*", "core.ratings")


@pytest.mark.parametrize("name", ["movies [new]", "what?", "*", "a%20b"])
def test_a_home_in_which_dagster_finds_no_settings_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv("MOVIES_HOME", str(home / name))
    with pytest.raises(SettingsError, match="Dagster would not find its files"):
        prepare_home()
    assert not (home / name).exists()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MOVIES_HOME", "~nobody-of-this-name/movies", "has a user in it who does not exist"),
        ("MOVIES_WAREHOUSE", "s3://bucket/movies.duckdb", "not on this machine's disk"),
        ("MOVIES_FIRST_MONTH", "0000-01", "is not a month"),
        ("MOVIES_FIRST_MONTH", "2015-13", "is not a month"),
        ("MOVIES_MEMORY", "much", "is not a size"),
        *[("MOVIES_MEMORY", size, "too little .* at least 10MB") for size in ("0GB", "1KB", "9.9MB", "1kib")],
        *[("MOVIES_SETTLE_SECONDS", number, "MOVIES_SETTLE_SECONDS") for number in ("inf", "nan", "-1", "1e9")],
        *[("MOVIES_WAIT", number, "MOVIES_WAIT") for number in ("inf", "nan", "-1")],
        *[("MOVIES_CORES", number, "MOVIES_CORES") for number in ("-1", "two", "1.5")],
        ("MOVIES_KEEP_RUNS_DAYS", "999999999", "less than or equal to 36500"),
        *[("MOVIES_UI_URL", url, "begins with http:// or https://") for url in ("foo", "ftp://host", "http:///x")],
        ("MOVIES_QUEUE_URL", "movies-queue", "begins with http:// or https://"),
        *[("MOVIES_LOAD_TO", url, "no database to load") for url in ("garbage", "oracle://me@host/x", "postgresql:/h")],
    ],
)
def test_a_setting_that_cannot_be_is_refused(name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=message):
        settings()


@pytest.mark.parametrize("name", ["MOVIES_HOME", "MOVIES_LANDING", "MOVIES_PUBLISHED", "DAGSTER_HOME"])
def test_a_file_in_the_place_of_a_folder_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(name, str(tmp_path / "file"))
    with pytest.raises(SettingsError, match=f"{name}: .*file is a file. Name a folder"):
        check_settings()


def test_a_folder_in_the_place_of_the_warehouse_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_WAREHOUSE", str(tmp_path))
    with pytest.raises(SettingsError, match=r"is a folder. Name a file, for example .*/warehouse.duckdb"):
        check_settings()


@pytest.mark.parametrize(
    "command", [["refresh"], ["status"], ["show", "movies"], ["deliver", "x", "--month", "2017-11"]]
)
def test_wrong_settings_are_wrong_usage_of_every_command(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, command: list[str]
):
    monkeypatch.setenv("MOVIES_ALERTS", "garbage")
    done = shell(*command, status=2)
    assert done.stderr == "movies-platform: MOVIES_ALERTS: a word without :// is no address that Apprise understands.\n"
    assert "Usage" in shell(command[0], "--help").stdout


def test_a_code_location_does_not_start_with_wrong_settings(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_ALERTS", "garbage")
    started = subprocess.run(
        [sys.executable, "-c", "import movies_platform.definitions"], env=shell.environment(), capture_output=True,
        text=True, timeout=TIMEOUT,
    )  # fmt: skip
    assert "SettingsError: MOVIES_ALERTS" in started.stderr


def test_a_history_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_HISTORY_URL", "postgresql+psycopg2://dagster:secret@db/dagster")
    monkeypatch.setitem(sys.modules, "dagster_postgres", None)
    with pytest.raises(SettingsError, match=r"pip install 'movies-platform\[postgres\]'"):
        settings()


def test_a_database_of_another_kind_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_HISTORY_URL", "postgresql://dagster:secret@db/dagster")
    with pytest.raises(SettingsError, match=r"must begin with postgresql\+psycopg2://") as raised:
        prepare_home()
    assert "secret" not in str(raised.value)


def test_the_address_of_the_database_is_not_written_down(monkeypatch: pytest.MonkeyPatch):
    assert "secret" not in dagster_yaml("postgresql://dagster:secret@db/dagster")
    assert "MOVIES_HISTORY_URL" in dagster_yaml("postgresql://dagster:secret@db/dagster")


@pytest.fixture
def database() -> Iterator[str]:
    """URL of an empty PostgreSQL database of the test's own."""
    pytest.importorskip("dagster_postgres", reason="dagster-postgres (extra postgres) is not installed")
    admin = sa.create_engine(f"{SERVER}/postgres", isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    name = f"movies_{uuid.uuid4().hex}"
    try:
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    except sa.exc.OperationalError:
        pytest.skip(f"no PostgreSQL at {SERVER}")
    yield f"{SERVER}/{name}"
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def test_dagster_keeps_its_history_in_postgresql(
    database: str, shell: Shell, months: list[Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MOVIES_HISTORY_URL", database)
    shell("deliver", months[0] / "movies_metadata.csv", "--month", "2017-11")
    shell("refresh")
    assert "0 failed" in shell("status").stdout
    engine = sa.create_engine(database)
    with engine.connect() as connection:
        runs = connection.execute(sa.text("SELECT status FROM runs")).fetchall()
    engine.dispose()
    assert [tuple(run) for run in runs] == [("SUCCESS",)] * 2
    assert not (shell.home / "dagster" / "history").exists()
