"""Everything together: it loads, it is complete, and loading it does nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

import movies_platform
from movies_platform.automation.jobs import MONTH_JOB, REFRESH_JOB
from movies_platform.checks.contract import NAME
from movies_platform.contracts import all_tables, qualified
from movies_platform.contracts.catalogue import RHYTHM, asset_key, column_schema
from movies_platform.contracts.raw import DELIVERIES, raw_table
from movies_platform.contracts.sources import SOURCES
from movies_platform.contracts.tables import STAGES
from movies_platform.definitions import defs
from movies_platform_tests.shell import Shell
from movies_platform_tests.test_contracts_rows import TABLES

GRAPH = defs.resolve_asset_graph()


def test_the_definitions_load():
    dg.Definitions.validate_loadable(defs)


def test_every_table_of_a_stage_is_an_asset_and_every_asset_a_table():
    keys = {key for key in GRAPH.materializable_asset_keys if key.path[0] in STAGES}
    assert keys == {asset_key(table) for table in all_tables()}


@TABLES
def test_an_asset_is_grouped_described_owned_and_shows_its_columns(table):
    node = GRAPH.get(asset_key(table))
    assert node.group_name == table.schema
    assert node.description.startswith(table.comment)
    assert f"movies-platform show {table.name}" in node.description
    assert node.owners
    assert "duckdb" in node.kinds
    assert node.freshness_policy == RHYTHM
    assert node.metadata["dagster/column_schema"] == column_schema(table)
    assert node.metadata["dagster/table_name"] == qualified(table)


@TABLES
def test_an_asset_links_to_the_function_that_makes_it(table):
    (reference,) = GRAPH.get(asset_key(table)).metadata["dagster/code_references"].code_references
    code = Path(reference.file_path).read_text(encoding="utf-8").splitlines()[reference.line_number - 1 :]
    assert code[0].lstrip().startswith("@")
    assert Path(reference.file_path).is_relative_to(Path(movies_platform.__file__).parent)


@TABLES
def test_raw_and_parsed_are_monthly_and_the_others_are_not(table):
    node = GRAPH.get(asset_key(table))
    assert node.is_partitioned == (table.schema in ("raw", "parsed"))


@TABLES
def test_an_asset_reads_only_what_comes_before_it(table):
    # data_issues is filled by the steps of raw and of parsed, and comes after both
    order = STAGES.index("parsed" if table.name == "data_issues" else table.schema)
    assert all(STAGES.index(key.path[0]) <= order for key in GRAPH.get(asset_key(table)).parent_keys)


@TABLES
def test_every_table_has_the_check_of_its_contract(table):
    key = dg.AssetCheckKey(asset_key(table), NAME)
    assert not GRAPH.get(key).blocking  # what can block is enforced on write, and catalogues come after links
    assert "A failure is a bug of the platform" in GRAPH.get(key).description


def test_every_check_has_a_description_that_says_what_to_do():
    for key in GRAPH.asset_check_keys:
        assert len(GRAPH.get(key).description) > 60, key


@TABLES
def test_an_asset_is_a_step_of_its_own(table):
    """Only the raw tables and the account of their files, which are taken or refused together, share one."""
    together = set(defs.resolve_assets_def(asset_key(table)).keys)
    shared = {asset_key(t) for t in (DELIVERIES, *map(raw_table, SOURCES))}
    assert together == (shared if asset_key(table) in shared else {asset_key(table)})


@pytest.mark.parametrize(
    ("job", "groups"),
    [(MONTH_JOB, {"raw", "parsed"}), (REFRESH_JOB, {"core", "metrics"})],
    ids=["month", "refresh"],
)
def test_a_job_computes_its_stages(job: str, groups: set[str]):
    resolved = defs.resolve_job_def(job)
    keys = resolved.asset_layer.executable_asset_keys
    assert {k for k in keys if k.path[0] in STAGES} == {asset_key(t) for t in all_tables() if t.schema in groups}
    assert (resolved.partitions_def is not None) == (job == MONTH_JOB)


def run(home: Path, code: str) -> str:
    """Standard output of Python code in a process of its own, with an empty home and folder."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MOVIES_", "DAGSTER_"))}
    environment["PYTHONPATH"] = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_loading_the_definitions_creates_nothing(tmp_path: Path):
    run(tmp_path, "import movies_platform.definitions")
    assert list(tmp_path.iterdir()) == []


def test_the_shell_starts_without_heavy_libraries(tmp_path: Path):
    code = "import sys, movies_platform.cli; print(sorted({'dagster', 'pandas', 'sqlalchemy'} & set(sys.modules)))"
    assert run(tmp_path, code) in ("[]", "['sqlalchemy']")


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which a made-up month was refreshed, published and loaded into a database."""
    folder = tmp_path_factory.mktemp("refreshed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOVIES_HOME", str(folder))
        patch.setenv("MOVIES_LOAD_TO", f"sqlite:///{folder}/movies.db")
        patch.delenv("MOVIES_NO_PUBLISH", raising=False)
        shell = Shell(folder)
        shell("sample", "--months", "1", "--movies", "60")
        shell("refresh")
        yield folder


@pytest.mark.parametrize("key", sorted(GRAPH.materializable_asset_keys), ids=lambda key: "/".join(key.path))
def test_every_asset_is_materialized_alone(refreshed: Path, monkeypatch: pytest.MonkeyPatch, key: dg.AssetKey):
    monkeypatch.setenv("MOVIES_HOME", str(refreshed))
    monkeypatch.setenv("MOVIES_LOAD_TO", f"sqlite:///{refreshed}/movies.db")
    monkeypatch.setenv("DAGSTER_HOME", str(refreshed / "dagster"))
    selection = dg.AssetSelection.assets(key).without_checks()
    with dg.DagsterInstance.get() as instance:
        result = dg.materialize(
            list(defs.assets or []), selection=selection, resources=defs.resources, instance=instance,
            partition_key="2017-11" if GRAPH.get(key).is_partitioned else None,
        )  # fmt: skip
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [key]


def test_a_month_without_a_delivery_changes_nothing_and_turns_nothing_red(refreshed: Path, monkeypatch):
    monkeypatch.setenv("MOVIES_HOME", str(refreshed))
    monkeypatch.setenv("DAGSTER_HOME", str(refreshed / "dagster"))
    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_job_def(MONTH_JOB).execute_in_process(instance=instance, partition_key="2016-05")
    assert result.success
    warned = [found for found in result.get_asset_check_evaluations() if not found.passed]
    assert [(found.check_name, found.severity.value) for found in warned] == [("delivery_arrived", "WARN")]
    assert "2016-05" in warned[0].description
    told = {event.materialization.metadata["dagster/partition_row_count"].value
            for event in result.get_asset_materialization_events()}  # fmt: skip
    assert told == {0}
