"""The shape of the code: stages that do not know each other, small modules, nothing done at import."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import movies_platform

ROOT = Path(movies_platform.__file__).parent
STAGES = ("raw", "parsed", "core", "metrics", "published", "loaded", "report")
SHARED = {"contracts", "engines", "resources", "errors", "landing", "settings"}
READS = {"loaded": {"published"}, "report": {"checks"}}  # what databases are loaded with; what the page shows
PRIVATE = {"resources/dagster_sqlite.py", "resources/io_manager.py"}  # may import dagster._...
LONGEST = 400
MODULES = sorted(ROOT.rglob("*.py"))
each_module = pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
each_stage_module = pytest.mark.parametrize(
    "path",
    [p for p in MODULES if p.relative_to(ROOT).parts[0] in STAGES],
    ids=lambda p: str(p.relative_to(ROOT)),
)


def imported(path: Path) -> Iterator[str]:
    """Full names of the package's own modules that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("movies_platform"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import"
            if node.module == "movies_platform":
                yield from (f"movies_platform.{alias.name}" for alias in node.names)
            elif (node.module or "").startswith("movies_platform."):
                yield str(node.module)


@each_stage_module
def test_a_stage_knows_what_is_shared_and_no_other_stage(path: Path):
    own = path.relative_to(ROOT).parts[0]
    parts = {name.split(".")[1] for name in imported(path)}
    assert parts - SHARED - READS.get(own, set()) - {own} == set()


@each_module
def test_dagsters_private_modules_are_imported_where_nothing_else_does_it(path: Path):
    names = [
        name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None)])
    ]
    private = any(re.match(r"dagster(_\w+)?\._", name or "") for name in names)
    assert not private or str(path.relative_to(ROOT)) in PRIVATE


@pytest.mark.parametrize("part", ["contracts", "engines", "resources", "checks", "landing", "sample"])
def test_what_is_shared_knows_no_stage(part: str):
    for path in (ROOT / part).rglob("*.py"):
        assert {name.split(".")[1] for name in imported(path)} & set(STAGES) == set(), path


def test_the_api_knows_contracts_and_the_snapshot_reader():
    known = {"api", "contracts.", "published.read", "published.store", "errors", "settings"}
    for path in (ROOT / "api").rglob("*.py"):
        names = {name.removeprefix("movies_platform.") for name in imported(path)}
        assert [name for name in names if not any(f"{name}.".startswith(each) for each in known)] == [], path


@each_module
def test_a_module_is_short(path: Path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{lines} lines"


@each_module
def test_a_module_says_what_it_is_about(path: Path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
