"""Docs that are made from the code are as the code is."""

from pathlib import Path

import pytest

from movies_platform import docs
from movies_platform.cli import cli
from movies_platform.resources import settings

ROOT = Path(__file__).parents[1]
STALE = "run 'python -m movies_platform.docs'"


def test_the_page_of_tables_is_fresh() -> None:
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == docs.tables_page(), STALE


@pytest.mark.parametrize("name", docs.model_files())
def test_the_data_model_is_fresh(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == docs.model_files()[name], STALE


def test_the_asset_graph_in_the_readme_is_fresh() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "flowchart LR" in text
    assert text == docs.readme(), STALE


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
