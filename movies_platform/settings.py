"""Every setting, read from the environment when it is asked for, never at import.

One is enough, `MOVIES_HOME`; each place under it can be moved on its own. The README's table is made from here.
"""

import difflib
import logging
import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from movies_platform.errors import SettingsError

_PREFIX = "MOVIES_"
LOAD_URLS = (
    "write postgresql://user:password@host/database, mysql://user:password@host/database, mariadb://... or "
    "sqlite:////path/file.db, and an @ in the password as %40"
)
WAREHOUSES = {"duckdb": "warehouse.duckdb", "spark": "lake.ducklake"}  # by engine: its file in the home
_LEAST_MEMORY = 10 * 10**6
_NOT_OURS = {"MOVIES_REAL_DATA", "MOVIES_NO_PUBLISH", "MOVIES_API_METRICS_FOLDER"}  # of the tests, an option, a parent


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


def _size(text: str) -> str:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT])(i?)B", text, re.IGNORECASE)
    if text and not found:
        raise ValueError("is not a size, for example 1GB")
    if found and float(found[1]) * (1024 if found[3] else 1000) ** (1 + "KMGT".index(found[2].upper())) < _LEAST_MEMORY:
        raise ValueError(f"is too little for the database to work with: at least {_LEAST_MEMORY // 10**6}MB")
    return text


def _databases(urls: tuple[str, ...]) -> tuple[str, ...]:
    for url in urls:
        if not re.match(r"(postgresql|mysql|mariadb|sqlite)(\+\w+)?://", url):  # what follows may be a password
            raise ValueError(f"{url.partition(':')[0]}:... is no database to load; {LOAD_URLS}")
    return urls


def _misunderstood(addresses: tuple[str, ...]) -> str | None:
    """The first of the addresses that Apprise does not understand, without what may be secret in it."""
    import apprise

    log = logging.getLogger("apprise")
    was_disabled, log.disabled = log.disabled, True  # what it says of an address itself would stand before our words
    wrong = (url for url in addresses if not apprise.Apprise.instantiate(url, suppress_exceptions=True))
    first = next(wrong, None)
    log.disabled = was_disabled
    return first and (first.partition("://")[0] if "://" in first else "a word without ://")


def _issuer(url: str) -> str:
    local = re.match(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)", url)
    if url and not url.startswith("https://") and not local:
        raise ValueError("must begin with https://, because the keys that tokens are verified with come from there")
    return url


def _engine(name: str) -> str:
    if name == "spark" and not all(map(find_spec, ("pyspark", "duckdb_extension_ducklake"))):
        raise ValueError("needs the extra 'spark': pip install 'movies-platform[spark]'")
    return name


def _lake(place: str) -> str:
    if place.startswith("s3://") and not find_spec("duckdb_extension_httpfs"):
        raise ValueError("needs the extra 'spark': pip install 'movies-platform[spark]'")
    return place


def _redis(url: str) -> str:
    try:
        port = urlsplit(url).port
    except ValueError:  # it is no number; the message may show a part of a password
        port = 0
    if url and (port == 0 or not re.match("(rediss?|unix)://", url)):
        raise ValueError("must be redis://host:port/number, rediss://... or unix://path, and an @ in a password %40")
    return url


def _origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d+)?", origin):
            raise ValueError(f"{origin} is no origin; browsers write it as https://films.example.com, without a path")
    return origins


def _history(url: str) -> str:
    if url and not url.startswith("postgresql+psycopg2://"):
        raise ValueError("must begin with postgresql+psycopg2://")
    if url and not find_spec("dagster_postgres"):
        raise ValueError("needs the extra 'postgres': pip install 'movies-platform[postgres]'")
    return url


Folder = Annotated[Path, BeforeValidator(_local_path)]
Place = Annotated[str, BeforeValidator(_local_or_s3)]
Words = Annotated[tuple[str, ...], BeforeValidator(lambda text: tuple(text.split()) if isinstance(text, str) else text)]
Globs = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda text: tuple(text.replace(",", " ").split()) if isinstance(text, str) else text),
]
Month = Annotated[str, _matching(r"(19|20)\d\d-(0[1-9]|1[0-2])", "a month, YYYY-MM")]
Size = Annotated[str, AfterValidator(_size)]
WebAddress = Annotated[str, _matching(r"(https?://[^\s/]+(/\S*)?)?", "an address that begins with http:// or https://")]


class Settings(BaseModel):
    """The settings of this process; paths are absolute. `load_to`, `alerts`,
    `history_url` and `api_redis` may hold secrets."""

    model_config = ConfigDict(frozen=True, validate_default=True, alias_generator=lambda name: _PREFIX + name.upper())

    home: Folder = Field(Path("data"), description="the home of everything below")
    landing: Place = Field(
        default_factory=lambda given: given["home"] / "landing",
        description="where deliveries arrive and are kept: a folder or `s3://bucket/prefix`",
    )
    engine: Annotated[str, _matching("duckdb|spark", "duckdb or spark"), AfterValidator(_engine)] = Field(
        "duckdb",
        description="who makes the tables: `duckdb`, or `spark` (extra `spark`), whose tables lie in a lake",
    )
    spark: Annotated[
        str, _matching(r"local(\[(\d+|\*)\])?|spark://.+|sc://.+", "local[4], spark://... or sc://...")
    ] = Field(
        "local[*]", description="where Spark is: `local[4]`, `spark://host:7077` or `sc://host:15002` (Connect, Sail)"
    )
    lake: Annotated[Place, AfterValidator(_lake)] = Field(
        default_factory=lambda given: given["home"] / "lake",
        description="the Parquet files of the lake: a folder that every machine of a cluster sees, or `s3://bucket/prefix`",
    )
    warehouse: Folder = Field(
        default_factory=lambda given: given["home"] / WAREHOUSES[given["engine"]], description="the tables"
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
    cores: int = Field(0, ge=0, le=4096, description="cores to use (all)")
    wait: float = Field(600, ge=0, le=604_800, description="seconds to wait while another process writes the warehouse")
    keep_snapshots: int = Field(5, ge=2, description="published snapshots that stay")
    publish_without: Globs = Field((), description="tables without CSV files, for example `core.ratings,core.movie_c*`")
    keep_runs_days: int = Field(
        400,
        ge=1,
        le=36_500,
        description="days after which Dagster's history forgets runs, but for those of months",
    )
    load_to: Annotated[Words, AfterValidator(_databases)] = Field(
        (), repr=False, description="URLs of databases to load, separated by spaces"
    )
    load_without: Globs = Field((), description="tables that databases do not get")
    settle_seconds: float = Field(
        10, ge=0, le=86_400, description="a delivery is complete when nothing was written to it for so many seconds"
    )
    marker: Annotated[str, _matching(r"|_SUCCESS|manifest\.json", "_SUCCESS or manifest.json")] = Field(
        "",
        description="`_SUCCESS` or `manifest.json`, if the provider writes one last: a delivery waits for it",
    )
    poll_seconds: int = Field(5, ge=1, le=9999, description="seconds between two ticks of the sensors")
    queue_url: WebAddress = Field(
        "", description="an SQS queue with the bucket's event notifications, read instead of listing"
    )
    alerts: Words = Field(
        (),
        repr=False,
        description="who is told: [Apprise URLs](https://github.com/caronc/apprise/wiki), separated by spaces",
    )
    expected_day: int = Field(0, ge=0, le=28, description="day of the month by which its delivery must have arrived")
    ui_url: Annotated[WebAddress, AfterValidator(lambda url: url.rstrip("/"))] = Field(
        "", description="address of the Dagster UI, for links in messages"
    )
    history_url: Annotated[str, AfterValidator(_history)] = Field(
        "", repr=False,
        description="`postgresql+psycopg2://...`: Dagster keeps its runs there instead of in SQLite (extra `postgres`)",
    )  # fmt: skip

    api_auth: Annotated[str, _matching("none|keys|jwt|both", "none, keys, jwt or both")] = Field(
        "none", description="who may read: `none` (everybody; on loopback only), `keys`, `jwt` or `both`"
    )
    api_keys: Folder = Field(
        default_factory=lambda given: given["home"] / "api-keys.json",
        description="the file with the digests of API keys, which `movies-platform keys` writes",
    )
    api_issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        "", description="OIDC issuer of JWTs, as its tokens name it (https; http on loopback)"
    )
    api_audience: str = Field("", description="audience that a JWT must name")
    api_quota: int = Field(
        6_000, ge=1, description="units a minute for each caller; an answer costs one for each hundred rows it may have"
    )
    api_redis: Annotated[str, AfterValidator(_redis)] = Field(
        "", repr=False, description="`redis://...`: quotas are counted there, for all workers and nodes together"
    )
    api_cache: Folder = Field(
        default_factory=lambda given: given["home"] / "api-cache",
        description="where the SQLite files are kept that answers are read from; safe to delete",
    )
    api_max_rows: int = Field(5_000_000, ge=0, description="tables with more rows are served as files only")
    api_metrics_port: int = Field(
        9464, ge=0, le=65535, description="port of Prometheus' `/metrics`, on the same address; 0: none"
    )
    api_origins: Annotated[Words, AfterValidator(_origins)] = Field(
        (), description="origins that browsers may call from (CORS), separated by spaces"
    )

    @property
    def is_lake(self) -> bool:
        """Whether the tables lie in a lake."""
        return self.engine == "spark"

    @property
    def other_warehouse(self) -> Path | None:
        """The warehouse of the other engine, where this home has that one and not its own."""
        if self.warehouse.name != WAREHOUSES[self.engine] or self.warehouse.exists():
            return None
        others = (self.warehouse.with_name(name) for engine, name in WAREHOUSES.items() if engine != self.engine)
        return next((other for other in others if other.exists()), None)

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
    if chosen.warehouse.is_dir():
        raise SettingsError(
            f"MOVIES_WAREHOUSE: {chosen.warehouse} is a folder. Name a file, for example "
            f"{chosen.warehouse / 'warehouse.duckdb'}."
        )
    for name in ("home", "landing", "lake", "published", "dagster_home"):
        place = f"{getattr(chosen, name)}"
        if "://" not in place and Path(place).is_file():
            raise SettingsError(f"{names()[name]}: {place} is a file. Name a folder.")
    for name in ("publish_without", "load_without"):
        if globs := getattr(chosen, name):  # only then: it imports the contracts, which short commands do not need
            _check_globs(names()[name], globs)
    if chosen.alerts and (scheme := _misunderstood(chosen.alerts)):
        raise SettingsError(f"MOVIES_ALERTS: {scheme} is no address that Apprise understands.")
    return chosen


def _check_globs(setting: str, globs: tuple[str, ...]) -> None:
    from movies_platform.contracts.published import is_chosen, published_tables
    from movies_platform.contracts.tables import qualified

    tables = published_tables()
    for glob in globs:
        if not any(is_chosen(table, [glob]) for table in tables):
            meant = difflib.get_close_matches(glob, map(qualified, tables), n=1)
            suggestion = f" {meant[0]} was probably meant." if meant else ""
            raise SettingsError(
                f"{setting}: {glob} fits no published table.{suggestion} Names are written with their schema; "
                "docs/tables.md has all of them."
            )


def _sentences(problem: ValidationError) -> Iterator[str]:
    secret = {field.alias for field in Settings.model_fields.values() if not field.repr}
    for error in problem.errors():
        if error["type"] == "default_factory_not_called":  # what follows from an error that is listed
            continue
        name = str(error["loc"][0])
        value = "" if name in secret else f"={error['input']!r}"
        yield f"{name}{value}: {error['msg'].removeprefix('Value error, ')}"
