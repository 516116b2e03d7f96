"""Where everything lives, read from the environment when it is asked for, never at import.

One setting is enough, `MOVIES_HOME`; each place under it can be moved on its own:

| setting            | default                        | what                                        |
|--------------------|--------------------------------|---------------------------------------------|
| MOVIES_HOME        | ./data                         | the home of all below                       |
| MOVIES_LANDING     | $MOVIES_HOME/landing           | where deliveries arrive and are kept        |
| MOVIES_WAREHOUSE   | $MOVIES_HOME/warehouse.duckdb  | the tables                                  |
| MOVIES_PUBLISHED   | $MOVIES_HOME/published         | snapshots: a folder or s3://bucket/prefix   |
| DAGSTER_HOME       | $MOVIES_HOME/dagster           | runs, checks and history of the Dagster UI  |
| MOVIES_FIRST_MONTH | 2015-01                        | the first month that can be delivered       |
| MOVIES_MEMORY      | a quarter of the machine's     | memory of the database; beyond it, it spills |
| MOVIES_WAIT        | 600                            | seconds to wait for another writer          |
| MOVIES_KEEP_SNAPSHOTS | 5                           | published snapshots that stay, at least 2   |
| MOVIES_NO_PUBLISH  |                                | 1: a refresh from a shell publishes nothing |
| MOVIES_LOAD_TO     |                                | URLs of databases to load, space between    |
| MOVIES_SETTLE_SECONDS | 10                          | a delivery is whole when nothing was written for so long |
| MOVIES_MARKER      |                                | file that the provider writes last; a delivery waits for it |
| MOVIES_POLL_SECONDS | 5                             | how often the sensors look                  |
| MOVIES_QUEUE_URL   |                                | SQS queue that tells of new objects         |
| MOVIES_ALERTS      |                                | where messages go: Apprise URLs, space separated |
| MOVIES_EXPECTED_DAY |                               | day by which a month must have arrived      |
| MOVIES_UI_URL      |                                | address of the Dagster UI, for links        |
| MOVIES_HISTORY_URL |                                | PostgreSQL that keeps Dagster's runs        |
"""

import os
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from movies_platform.errors import SettingsError

_NUMBER = r"\d+(\.\d+)?"


@dataclass(frozen=True)
class Settings:
    """The settings of this process; paths are absolute. `alerts` and `history_url` may hold secrets."""

    home: Path
    landing: str
    warehouse: Path
    published: str
    dagster_home: Path
    first_month: str
    memory: str | None
    wait_seconds: float
    keep_snapshots: int
    load_to: tuple[str, ...] = field(repr=False)
    settle_seconds: float
    marker: str
    poll_seconds: int
    queue_url: str
    alerts: tuple[str, ...] = field(repr=False)
    expected_day: int | None
    ui_url: str
    history_url: str = field(repr=False)

    @property
    def scratch(self) -> Path:
        """Where work in progress is written; safe to delete when nothing runs."""
        return self.home / "scratch"

    @property
    def report(self) -> Path:
        """Where the report and its pictures are written."""
        return self.home / "report"


def settings() -> Settings:
    """Read the settings from the environment (cheap: call it where a setting is needed)."""
    home = _folder("MOVIES_HOME", "data")

    def place(name: str, below: str) -> str:
        return os.environ[name] if "://" in os.environ.get(name, "") else str(_folder(name, home / below))

    return Settings(
        home=home,
        landing=place("MOVIES_LANDING", "landing"),
        warehouse=_folder("MOVIES_WAREHOUSE", home / "warehouse.duckdb"),
        published=place("MOVIES_PUBLISHED", "published"),
        dagster_home=_folder("DAGSTER_HOME", home / "dagster"),
        first_month=_matching("MOVIES_FIRST_MONTH", "2015-01", r"(19|20)\d\d-(0[1-9]|1[0-2])", "a month, YYYY-MM"),
        memory=_matching("MOVIES_MEMORY", "", r"(\d+(\.\d+)?\s*[KMGT]i?B)?", "a size, for example 1GB") or None,
        wait_seconds=float(_matching("MOVIES_WAIT", "600", _NUMBER, "a number of seconds")),
        keep_snapshots=int(_matching("MOVIES_KEEP_SNAPSHOTS", "5", r"[2-9]|[1-9]\d+", "a number, at least 2")),
        load_to=tuple((os.environ.get("MOVIES_LOAD_TO") or "").split()),
        settle_seconds=float(_matching("MOVIES_SETTLE_SECONDS", "10", _NUMBER, "a number of seconds")),
        marker=_matching("MOVIES_MARKER", "", r"|_SUCCESS|manifest\.json", "_SUCCESS or manifest.json"),
        poll_seconds=int(_matching("MOVIES_POLL_SECONDS", "5", r"[1-9]\d{0,3}", "a number of seconds")),
        queue_url=os.environ.get("MOVIES_QUEUE_URL", ""),
        alerts=tuple(os.environ.get("MOVIES_ALERTS", "").split()),
        expected_day=int(_matching("MOVIES_EXPECTED_DAY", "0", r"[0-9]|1\d|2[0-8]", "a day from 1 to 28")) or None,
        ui_url=os.environ.get("MOVIES_UI_URL", "").rstrip("/"),
        history_url=_history_url(),
    )


def _folder(name: str, default: str | Path) -> Path:
    value = os.environ.get(name) or default
    if "://" in str(value):
        raise SettingsError(f"{name}={value!r} is not on this machine's disk. Give a path.")
    try:
        return Path(value).expanduser().absolute()
    except RuntimeError as problem:
        raise SettingsError(f"{name}={value!r}: there is no such user.") from problem


def _history_url() -> str:
    url = os.environ.get("MOVIES_HISTORY_URL", "")
    if url and not url.startswith("postgresql+psycopg2://"):  # its password is not shown
        raise SettingsError("MOVIES_HISTORY_URL must begin with postgresql+psycopg2://.")
    if url and not find_spec("dagster_postgres"):
        raise SettingsError("MOVIES_HISTORY_URL needs the extra 'postgres': pip install 'movies-platform[postgres]'.")
    return url


def _matching(name: str, default: str, pattern: str, meaning: str) -> str:
    value = os.environ.get(name) or default
    if not re.fullmatch(pattern, value):
        raise SettingsError(f"{name}={value!r} is not {meaning}.")
    return value
