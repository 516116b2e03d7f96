"""Every setting, read from the environment when it is asked for, never at import.

One is enough, `MOVIES_HOME`; each place under it can be moved on its own. The README's table is made from here.
"""

import difflib
import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from movies_platform.errors import SettingsError

_PREFIX = "MOVIES_"
_NOT_OURS = {"MOVIES_REAL_DATA", "MOVIES_NO_PUBLISH"}  # of the tests, and of a command's option


def _matching(pattern: str, meaning: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"is not {meaning}")
        return text

    return AfterValidator(check)


def _local_path(value: Any) -> Path:
    if "://" in str(value):
        raise ValueError("is not on this machine's disk; give a path")
    try:
        return Path(value).expanduser().absolute()
    except RuntimeError as problem:
        raise ValueError("has a user in it who does not exist") from problem


def _local_or_s3(value: Any) -> str:
    text = str(value)
    if text.startswith("s3://"):
        return text
    if "://" in text or re.match(r"s3(:|/*$)", text):
        raise ValueError("is neither a path nor s3://bucket/prefix")
    return str(_local_path(text))


def _history(url: str) -> str:
    if url and not url.startswith("postgresql+psycopg2://"):
        raise ValueError("must begin with postgresql+psycopg2://")
    if url and not find_spec("dagster_postgres"):
        raise ValueError("needs the extra 'postgres': pip install 'movies-platform[postgres]'")
    return url


Folder = Annotated[Path, BeforeValidator(_local_path)]
Place = Annotated[str, BeforeValidator(_local_or_s3)]
Words = Annotated[tuple[str, ...], BeforeValidator(lambda text: tuple(text.split()) if isinstance(text, str) else text)]
Month = Annotated[str, _matching(r"(19|20)\d\d-(0[1-9]|1[0-2])", "a month, YYYY-MM")]
Size = Annotated[str, _matching(r"(\d+(\.\d+)?\s*[KMGT]i?B)?", "a size, for example 1GB")]


class Settings(BaseModel):
    """The settings of this process; paths are absolute. `load_to`, `alerts` and `history_url` may hold secrets."""

    model_config = ConfigDict(frozen=True, validate_default=True, alias_generator=lambda name: _PREFIX + name.upper())

    home: Folder = Field(Path("data"), description="the home of everything below")
    landing: Place = Field(
        default_factory=lambda given: given["home"] / "landing",
        description="where deliveries arrive and are kept: a folder or `s3://bucket/prefix`",
    )
    warehouse: Folder = Field(
        default_factory=lambda given: given["home"] / "warehouse.duckdb", description="the tables"
    )
    published: Place = Field(
        default_factory=lambda given: given["home"] / "published",
        description="snapshots for other readers: a folder or `s3://bucket/prefix`",
    )
    dagster_home: Folder = Field(
        default_factory=lambda given: given["home"] / "dagster", alias="DAGSTER_HOME",
        description="runs, checks and history of the Dagster UI",
    )  # fmt: skip
    first_month: Month = Field("2015-01", description="the first month that can be delivered")
    memory: Size = Field("", description="memory of the database (a quarter of the machine's); beyond it, it spills")
    wait: float = Field(600, ge=0, description="seconds to wait while another process writes the warehouse")
    keep_snapshots: int = Field(5, ge=2, description="published snapshots that stay")
    keep_runs_days: int = Field(
        400,
        ge=1,
        description="days after which Dagster's history forgets runs, but for those of months",
    )
    load_to: Words = Field((), repr=False, description="URLs of databases to load, separated by spaces")
    settle_seconds: float = Field(
        10, ge=0, description="a delivery is complete when nothing was written to it for so many seconds"
    )
    marker: Annotated[str, _matching(r"|_SUCCESS|manifest\.json", "_SUCCESS or manifest.json")] = Field(
        "",
        description="`_SUCCESS` or `manifest.json`, if the provider writes one last: a delivery waits for it",
    )
    poll_seconds: int = Field(5, ge=1, le=9999, description="seconds between two ticks of the sensors")
    queue_url: str = Field(
        "", description="an SQS queue with the bucket's event notifications, read instead of listing"
    )
    alerts: Words = Field(
        (),
        repr=False,
        description="who is told: [Apprise URLs](https://github.com/caronc/apprise/wiki), separated by spaces",
    )
    expected_day: int = Field(0, ge=0, le=28, description="day of the month by which its delivery must have arrived")
    ui_url: Annotated[str, AfterValidator(lambda url: url.rstrip("/"))] = Field(
        "", description="address of the Dagster UI, for links in messages"
    )
    history_url: Annotated[str, AfterValidator(_history)] = Field(
        "", repr=False,
        description="`postgresql+psycopg2://...`: Dagster keeps its runs there instead of in SQLite (extra `postgres`)",
    )  # fmt: skip

    @property
    def scratch(self) -> Path:
        """Where work in progress is written; safe to delete when nothing runs."""
        return self.home / "scratch"

    @property
    def report(self) -> Path:
        """Where the report and its pictures are written."""
        return self.home / "report"


def names() -> dict[str, str]:
    """The environment variable of each setting, by the field's name."""
    return {name: field.alias or name for name, field in Settings.model_fields.items()}


def settings() -> Settings:
    """Read the settings from the environment (cheap: call it where a setting is needed).

    Raises SettingsError for a value that cannot be understood, naming the variable.
    """
    known = names().values()
    try:
        return Settings.model_validate({name: os.environ[name] for name in known if os.environ.get(name)})
    except ValidationError as problem:
        raise SettingsError("; ".join(_sentences(problem)) + ".") from None


def check_settings() -> Settings:
    """The settings, after looking for what no single value shows: misspelled names, addresses, things that do not go
    together. For the start of a command that works, and of Dagster's code location."""
    chosen, known = settings(), list(names().values())
    for name in os.environ:
        is_unknown = name.startswith(_PREFIX) and name not in known and name not in _NOT_OURS
        if is_unknown and (meant := difflib.get_close_matches(name, known, n=1, cutoff=0.85)):
            raise SettingsError(f"There is no setting {name}. {meant[0]} was probably meant.")
    if chosen.queue_url and not chosen.landing.startswith("s3://"):
        raise SettingsError("MOVIES_QUEUE_URL is set, but MOVIES_LANDING is a folder: a queue tells of objects on S3.")
    if chosen.alerts:
        import apprise

        for url in chosen.alerts:
            if not apprise.Apprise.instantiate(url, suppress_exceptions=True):
                scheme = url.partition("://")[0] if "://" in url else "a word without ://"
                raise SettingsError(f"MOVIES_ALERTS: {scheme} is no address that Apprise understands.")
    return chosen


def _sentences(problem: ValidationError) -> Iterator[str]:
    secret = {field.alias for field in Settings.model_fields.values() if not field.repr}
    for error in problem.errors():
        if error["type"] == "default_factory_not_called":  # what follows from an error that is listed
            continue
        name = str(error["loc"][0])
        value = "" if name in secret else f"={error['input']!r}"
        yield f"{name}{value}: {error['msg'].removeprefix('Value error, ')}"
