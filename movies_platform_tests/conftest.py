"""Fixtures that several test modules share."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from movies_platform.sample import write_sample
from movies_platform_tests.api import InProcess, in_process, serve_from
from movies_platform_tests.buckets import Store, s3_server, speak_to
from movies_platform_tests.published_states import State, make_states, states_in
from movies_platform_tests.shell import Shell

_KEPT = {"MOVIES_REAL_DATA"}  # where the tests themselves look


def _forget_settings(patch: pytest.MonkeyPatch) -> None:
    patch.setenv("DAGSTER_HOME", "")  # so that it is forgotten again when a command in this process has set it
    for name in list(os.environ):
        if (name.startswith("MOVIES_") or name == "DAGSTER_HOME") and name not in _KEPT:
            patch.delenv(name)


# A test is slow (and not run by `make test-fast`) when it uses one of these fixtures or stands in one of these modules:
# servers, browsers, whole processes of the platform, published snapshots.
_SLOW_FIXTURES = {"s3_url", "shell", "states", "new_database", "refreshed", "reported", "api"}
_SLOW_MODULES = {
    "test_home.py",
    "test_interruptions.py",
    "test_run_monitoring.py",
    "test_spark.py",
    "test_ui_browser.py",
    "test_unattended.py",
}
_LONGEST = {
    name: place
    for place, name in enumerate(
        ["test_spark.py", "test_interruptions.py", "test_loaded.py", "test_real_months.py", "test_cli_end_to_end.py",
         "test_unattended.py", "test_published.py", "test_lake_s3.py", "test_definitions.py"]
    )
}  # fmt: skip


def _is_slow(item: pytest.Item) -> bool:
    chosen = getattr(item, "callspec", None)  # a fixture may ask for the S3 server only with this parameter
    on_s3 = chosen is not None and "s3" in chosen.params.values()
    return on_s3 or item.path.name in _SLOW_MODULES or bool(_SLOW_FIXTURES & {*getattr(item, "fixturenames", ())})


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow tests and those on real data; begin with the longest modules, so that no processor waits at the end."""
    for item in items:
        if _is_slow(item):
            item.add_marker(pytest.mark.slow)
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real)
    items.sort(key=lambda item: _LONGEST.get(item.path.name, len(_LONGEST)))


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them; a refresh does not publish by itself."""
    _forget_settings(monkeypatch)
    # Publishing takes seconds; tests of what is published switch it on.
    monkeypatch.setenv("MOVIES_NO_PUBLISH", "1")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of the platform; every place lies under it."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("MOVIES_HOME", str(folder))
    return folder


@pytest.fixture
def shell(home: Path) -> Shell:
    """The command line in an empty home."""
    return Shell(home)


def _made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object], **settings: str) -> Path:
    """A folder that the first worker that needs it fills, for all of them; what is in it is copied or read."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, made = shared / name, shared / f"{name}.made"
    with (shared / f"{name}.lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _forget_settings(patch)
            for setting, value in settings.items():
                patch.setenv(setting, value)
            shutil.rmtree(folder, ignore_errors=True)  # of another worker that failed
            folder.mkdir()
            make(folder)
            made.touch()
    return folder


@pytest.fixture(scope="session")
def months(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three made-up months of 300 movies, each a folder."""
    made = _made_once(tmp_path_factory, "made", lambda folder: write_sample(folder, months=3, movies=300, seed=7))
    return sorted(made.iterdir())


@pytest.fixture(scope="session")
def home_of_a_month(months: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the first made-up month was delivered as 2017-11 and refreshed; to be copied or read."""

    def make(home: Path) -> None:
        shell = Shell(home)
        shell("deliver", months[0], "--month", "2017-11")
        shell("refresh")

    return _made_once(tmp_path_factory, "month", make, MOVIES_NO_PUBLISH="1")


@pytest.fixture(scope="session")
def home_of_two_months(months: list[Path], home_of_a_month: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the second made-up month too, as 2017-12; to be copied or read."""

    def make(home: Path) -> None:
        shutil.copytree(home_of_a_month, home, dirs_exist_ok=True)
        shell = Shell(home)
        shell("deliver", months[1], "--month", "2017-12")
        shell("refresh")

    return _made_once(tmp_path_factory, "two_months", make, MOVIES_NO_PUBLISH="1")


@pytest.fixture
def month_shell(shell: Shell, home_of_a_month: Path) -> Shell:
    """The command line in a home in which the first made-up month was delivered as 2017-11 and refreshed."""
    shutil.copytree(home_of_a_month, shell.home, dirs_exist_ok=True)
    return shell


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data, which is never part of the project."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MOVIES_REAL_DATA", default))
    if not (folder / "the-movies-dataset" / "movies_metadata.csv.gz").is_file():
        pytest.skip(f"the real data is not in {folder}; set MOVIES_REAL_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> tuple[State, State]:
    """The tables after one made-up month and after three, each published in a folder of its own."""
    return states_in(_made_once(tmp_path_factory, "states", make_states))


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """A real HTTP server that speaks S3, SNS and SQS."""
    with s3_server() as url:
        yield url


@pytest.fixture
def store(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty bucket, and the AWS environment that leads to it."""
    speak_to(s3_url, monkeypatch)
    return Store(s3_url, f"movies-{uuid.uuid4().hex}")


@pytest.fixture
def bucket(store: Store) -> str:
    """Where snapshots are published in an empty bucket."""
    return f"s3://{store.bucket}/snapshots"


@pytest.fixture(scope="session")
def api_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the API keeps its files: they are built once for all tests of a process."""
    return tmp_path_factory.mktemp("api") / "cache"


@pytest.fixture
def api(states: tuple[State, State], api_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcess]:
    """The API in this process, on the snapshot of three months."""
    serve_from(monkeypatch, states[1].published, api_cache)
    with in_process() as running:
        yield running
