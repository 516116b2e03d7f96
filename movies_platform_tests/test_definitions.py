"""Everything together: it loads, it is complete, and loading it does nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from movies_platform.checks.registry import all_checks

import movies_platform
from movies_platform.automation.jobs import MONTH_JOB, REFRESH_JOB
from movies_platform.contracts import all_tables, qualified
from movies_platform.contracts.catalogue import RHYTHM, asset_key, column_schema
from movies_platform.contracts.tables import STAGES
from movies_platform.definitions import defs
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
    assert node.tags["stage"] == table.schema
    assert node.freshness_policy == RHYTHM
    assert node.metadata["dagster/column_schema"] == column_schema(table)
    assert node.metadata["dagster/table_name"] == qualified(table)


@TABLES
def test_an_asset_links_to_the_function_that_makes_it(table):
    (reference,) = GRAPH.get(asset_key(table)).metadata["dagster/code_references"].code_references
    code = Path(reference.file_path).read_text(encoding="utf-8").splitlines()[reference.line_number - 1 :]
    assert code[0].startswith("@")
    assert Path(reference.file_path).is_relative_to(Path(movies_platform.__file__).parent)


@TABLES
def test_raw_and_parsed_are_monthly_and_the_others_are_not(table):
    node = GRAPH.get(asset_key(table))
    assert node.is_partitioned == (table.schema in ("raw", "parsed"))


@TABLES
def test_an_asset_reads_only_what_comes_before_it(table):
    order = STAGES.index(table.schema)
    assert all(STAGES.index(key.path[0]) <= order for key in GRAPH.get(asset_key(table)).parent_keys)


def test_every_check_is_declared_and_blocks_as_it_says():
    declared = {
        (key.asset_key, key.name): GRAPH.get(key).blocking
        for key in GRAPH.asset_check_keys
        if key.asset_key.path[0] in STAGES
    }
    assert declared == {(asset_key(c.table), c.name): c.blocking for c in all_checks()}


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


REFRESH = """
import sys
from movies_platform.cli import main

for arguments in (["sample", "--months", "2", "--movies", "300"], ["refresh"]):
    sys.argv = ["movies-platform", *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
    imported = [name for name in sys.modules if name.split(".")[0] == "pandas"]
    print("imported", len(imported))
"""


def test_a_refresh_does_without_pandas(tmp_path: Path):
    said = run(tmp_path, REFRESH)
    assert "checks    all passed" in said
    assert re.findall("imported .*", said) == ["imported 0"] * 2
