"""Docs that are made from the code are as the code is."""

import re
from pathlib import Path

import pytest

from movies_platform import docs, settings
from movies_platform.cli import cli
from movies_platform.contracts.published import published_tables
from movies_platform.contracts.tables import references_of

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


def test_the_tables_of_settings_are_fresh_and_have_every_one() -> None:
    pages = (docs.README, docs.SERVING, docs.SCALING)
    for page in pages:
        assert docs.with_settings(page) == page.read_text(encoding="utf-8"), STALE
    assert sum(docs.settings_table(page).count("\n| `") for page in pages) == len(settings.names())


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 1_200


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_screenshot_is_shown() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    assert [f.name for f in (ROOT / "docs" / "screenshots").iterdir() if f"screenshots/{f.name}" not in text] == []


def test_decisions_that_the_code_names_exist() -> None:
    known = {path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md")}
    sources = [p.read_text(encoding="utf-8") for p in (ROOT / "movies_platform").rglob("*.py")]
    assert {number for text in sources for number in re.findall(r"docs/decisions/(\d{4})", text)} <= known


def test_every_dependency_earns_its_place_in_a_line() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    wanted = [*project["dependencies"], *project["optional-dependencies"]["api"]]
    names = [d.split("==")[0].split(">")[0] for d in wanted]
    assert [name for name in names if name not in text] == []
