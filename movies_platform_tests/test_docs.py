"""Docs that are made from the code are as the code is."""

import re
from pathlib import Path

import pytest

from movies_platform import docs
from movies_platform.cli import cli
from movies_platform.contracts.published import published_tables
from movies_platform.contracts.tables import references_of
from movies_platform.resources import settings

ROOT = Path(__file__).parents[1]
STALE = "run 'python -m movies_platform.docs'"


@pytest.mark.parametrize("name", ["tables.md", "model.md", "assets.md"])
def test_a_page_that_is_made_from_the_code_is_fresh(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == docs.pages()[name], STALE


def test_the_model_has_every_table_column_and_reference() -> None:
    tables = published_tables()
    lines = docs.entities(tables).splitlines()
    assert lines[0] == "erDiagram"
    assert sum(line.endswith("{") for line in lines) == len(tables)
    columns = [line for line in lines if re.fullmatch(r"    [A-Z_]+ [a-z_]+( PK| FK| PK, FK)?", line)]
    assert len(columns) == sum(len(table.columns) for table in tables)
    assert [line for line in lines if "||--o{" in line] == [
        f"  {other.name} ||--o{{ {table.name} : {own[0]}" for table in tables for own, other, _ in references_of(table)
    ]


def test_every_asset_is_in_the_graph() -> None:
    from movies_platform.definitions import defs

    lines = docs.asset_graph().splitlines()
    names = {key.path[-1] for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert {line.strip() for line in lines if line.startswith("    ")} == names
    assert "  raw_movies --> parsed_movies" in lines


@pytest.mark.parametrize("command", cli.list_commands(None))  # type: ignore[arg-type]
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"| `{command}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_readme() -> None:
    names = {line.split()[1] for line in (settings.__doc__ or "").splitlines() if line.startswith("| MOVIES")}
    assert names
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {name for name in names if f"| `{name}`" not in text} == set()


def test_every_dependency_earns_its_place_in_a_line() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    names = [d.split("==")[0].split(">")[0] for d in project["dependencies"]]
    assert [name for name in names if name not in text] == []
