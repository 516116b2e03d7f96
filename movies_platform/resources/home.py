"""The home of the platform: created where it is missing, by whichever command comes first."""

import fcntl
import os
import re
from importlib import resources
from pathlib import Path

from movies_platform.errors import SettingsError
from movies_platform.resources.scratch import purge_scratch
from movies_platform.settings import Settings, check_settings

_CONFIG = "dagster.yaml"
_OURS = "# Written by movies_platform"  # how a dagster.yaml begins that follows the settings


def dagster_yaml(history_url: str) -> str:
    """Dagster's settings, its history in SQLite or (with the extra `postgres`) in PostgreSQL."""
    name = "dagster-postgres.yaml" if history_url else _CONFIG
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def prepare_home() -> Settings:
    """Create what is missing of the home and point Dagster at it; safe to repeat."""
    chosen = check_settings()
    if re.search(r"[*?[]|%[0-9A-Fa-f]{2}", f"{chosen.dagster_home}"):
        raise SettingsError(
            f"{chosen.dagster_home} has one of * ? [ or a sign like %20 in its name: Dagster would not find its files."
        )
    chosen.dagster_home.mkdir(parents=True, exist_ok=True)
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    purge_scratch()
    if "://" not in chosen.landing:
        Path(chosen.landing, "incoming").mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(chosen.dagster_home)
    expected = dagster_yaml(chosen.history_url)
    if not _is_ready(chosen.dagster_home, expected):
        with (chosen.dagster_home / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_ready(chosen.dagster_home, expected):
                _create_history(chosen.dagster_home, expected)
    return chosen


def _is_ready(folder: Path, expected: str) -> bool:
    """Whether dagster.yaml, which is written last, is what the settings say, or somebody's own."""
    config = folder / _CONFIG
    present = config.read_text(encoding="utf-8") if config.exists() else _OURS
    return present == expected or not present.startswith(_OURS)


def _create_history(folder: Path, config: str) -> None:
    """Create Dagster's databases, which processes that start together would race to do, and then dagster.yaml."""
    from dagster import DagsterInstance

    partial = folder / f".{_CONFIG}"
    partial.write_text(config, encoding="utf-8")
    with DagsterInstance.from_config(str(folder), partial.name) as instance:
        instance.get_run_records(limit=1)
    partial.replace(folder / _CONFIG)
