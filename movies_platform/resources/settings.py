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
| MOVIES_NO_PUBLISH  |                                | 1: a refresh does not publish               |
| MOVIES_LOAD_TO     |                                | URLs of databases to load, space between    |
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from movies_platform.errors import SettingsError


@dataclass(frozen=True)
class Settings:
    """The settings of this process; paths are absolute, `wait_seconds` in seconds."""

    home: Path
    landing: str
    warehouse: Path
    published: str
    dagster_home: Path
    first_month: str
    memory: str | None
    wait_seconds: float
    keep_snapshots: int
    load_to: tuple[str, ...]

    @property
    def scratch(self) -> Path:
        """Where work in progress is written; safe to delete when nothing runs."""
        return self.home / "scratch"


def settings() -> Settings:
    """Read the settings from the environment (cheap: call it where a setting is needed)."""
    home = Path(os.environ.get("MOVIES_HOME") or "data").expanduser().absolute()

    def place(name: str, below: str) -> str:
        value = os.environ.get(name)
        if value and "://" in value:
            return value
        return str(Path(value).expanduser().absolute() if value else home / below)

    return Settings(
        home=home,
        landing=place("MOVIES_LANDING", "landing"),
        warehouse=Path(place("MOVIES_WAREHOUSE", "warehouse.duckdb")),
        published=place("MOVIES_PUBLISHED", "published"),
        dagster_home=Path(place("DAGSTER_HOME", "dagster")),
        first_month=_matching("MOVIES_FIRST_MONTH", "2015-01", r"\d{4}-(0[1-9]|1[0-2])", "a month, YYYY-MM"),
        memory=_matching("MOVIES_MEMORY", "", r"(\d+(\.\d+)?\s*[KMGT]i?B)?", "a size, for example 1GB") or None,
        wait_seconds=float(_matching("MOVIES_WAIT", "600", r"\d+(\.\d+)?", "a number of seconds")),
        keep_snapshots=int(_matching("MOVIES_KEEP_SNAPSHOTS", "5", r"[2-9]|[1-9]\d+", "a number, at least 2")),
        load_to=tuple((os.environ.get("MOVIES_LOAD_TO") or "").split()),
    )


def _matching(name: str, default: str, pattern: str, meaning: str) -> str:
    value = os.environ.get(name) or default
    if not re.fullmatch(pattern, value):
        raise SettingsError(f"{name}={value!r} is not {meaning}.")
    return value
