"""Contracts, definitions and settings -> docs/tables.md, docs/model.md, docs/assets.md, the tables of settings in
the README and in docs/serving.md.

`python -m movies_platform.docs` writes them; a test fails when they are stale.
"""

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from movies_platform import settings
from movies_platform.contracts.catalogue import column_description
from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.published import SNAPSHOT, published_tables
from movies_platform.contracts.tables import STAGES, all_tables, key_of, qualified, references_of

DOCS = Path(__file__).parents[1] / "docs"
README = DOCS.parent / "README.md"
SERVING, SCALING = DOCS / "serving.md", DOCS / "scaling.md"
_OF_SPARK = ("engine", "spark", "lake")
_SETTINGS = ("<!-- settings: made by `make docs` -->\n", "<!-- /settings -->")
_MADE = "by `python -m movies_platform.docs`; do not edit."
_MODEL_PAGE = """\
# The data model

Made from the contracts {made} What every column means is in [tables.md](tables.md).

```mermaid
{mermaid}
```

## The questions in SQL

From the core tables alone, one text for DuckDB, PostgreSQL, MySQL, MariaDB and SQLite. A test runs each on all of
them and compares it with the metric table of its name. Tables are named without a schema: in PostgreSQL, first
`SET search_path TO core, metrics, raw, published`; `movies-platform query` and `open_snapshot()` have done so.

{questions}
"""


def pages() -> dict[str, str]:
    """Every page that is made from the code, by its name in docs/."""
    return {"tables.md": tables_page(), "model.md": model_page(), "assets.md": assets_page()}


def tables_page() -> str:
    """Every table with its key, references and the meaning of every column."""
    sections = [_section(table) for table in [*all_tables(), SNAPSHOT]]
    return "\n".join([f"# Tables\n\nMade from the contracts {_MADE}\n", *sections])


def model_page() -> str:
    """What is published as an entity-relationship diagram, and the questions in SQL."""
    return _MODEL_PAGE.format(made=_MADE, mermaid=entities(published_tables()), questions=_questions())


def assets_page() -> str:
    """The asset graph."""
    return f"# The asset graph\n\nMade from the definitions {_MADE}\n\n```mermaid\n{asset_graph()}\n```\n"


def entities(tables: Sequence[sa.Table]) -> str:
    """An entity-relationship diagram for Mermaid."""
    lines = ["erDiagram"]
    for table in tables:
        referring = {name for own, _, _ in references_of(table) for name in own}
        lines.append(f"  {table.name} {{")
        for column in table.columns:
            marks = ["PK"] * (column.name in key_of(table)) + ["FK"] * (column.name in referring)
            lines.append(f"    {column_type(column).replace(' ', '_')} {column.name} {', '.join(marks)}".rstrip())
        lines.append("  }")
    for table in tables:
        lines += [f"  {other.name} ||--o{{ {table.name} : {own[0]}" for own, other, _ in references_of(table)]
    return "\n".join(lines)


def asset_graph() -> str:
    """The asset graph as a Mermaid flowchart."""
    from movies_platform.definitions import defs

    lines, edges = ["flowchart LR"], []
    graph = defs.resolve_asset_graph()
    keys = graph.get_all_asset_keys()
    members = {stage: [table.name for table in all_tables() if table.schema == stage] for stage in STAGES}
    for key in sorted(keys):
        if key.path[0] not in STAGES:
            members.setdefault(key.path[0], []).append(key.path[-1])
    for stage, names in members.items():
        lines += [f"  subgraph {stage}", *(f"    {name}" for name in names), "  end"]
    for child in sorted(keys, key=lambda k: k.path[-1]):
        parents = {parent.path[-1] for parent in graph.get(child).parent_keys}
        # one arrow from a stage of which everything is read
        whole = [stage for stage, names in members.items() if len(names) > 1 and parents.issuperset(names)]
        parents -= {name for stage in whole for name in members[stage]}
        edges += [(parent, child.path[-1]) for parent in [*whole, *parents]]
    lines += [f"  {parent} --> {child}" for parent, child in sorted(edges)]
    return "\n".join(lines)


def settings_table(page: Path) -> str:
    """The settings that a page explains: defaults and meanings, as a Markdown table."""
    lines = ["| setting | what (default) |", "|---|---|"]
    given = {"home": Path("$MOVIES_HOME"), "engine": "duckdb"}
    for name, field in settings.Settings.model_fields.items():
        explained = SCALING if name in _OF_SPARK else SERVING if name.startswith("api_") else README
        if explained != page:
            continue
        default = field.get_default(call_default_factory=True, validated_data=given)
        shown = f" (`{default}`)" if default else ""
        lines.append(f"| `{settings.names()[name]}` | {field.description}{shown} |")
    return "\n".join(lines) + "\n"


def with_settings(page: Path) -> str:
    """The text of a page with its table of settings as it is now."""
    begin, end = _SETTINGS
    before, rest = page.read_text(encoding="utf-8").split(begin)
    return f"{before}{begin}{settings_table(page)}{end}{rest.split(end)[1]}"


def main() -> None:
    """Write the generated docs."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
    for page in (README, SERVING, SCALING):
        page.write_text(with_settings(page), encoding="utf-8")


def _questions() -> str:
    lines = []
    for path in sorted((DOCS / "questions").glob("*.sql")):
        asked = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("-- ")
        lines.append(f"- [{asked}](questions/{path.name}) (`metrics.{path.stem}`)")
    return "\n".join(lines)


def _section(table: sa.Table) -> str:
    key = ", ".join(f"`{name}`" for name in key_of(table)) or "none"
    lines = [f"## {qualified(table)}\n", f"{table.comment}\n", f"Key: {key}."]
    lines += [f"`{', '.join(own)}` refers to `{qualified(other)}`." for own, other, _ in references_of(table)]
    lines += ["", "| column | type | null | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{c.name}` | {column_type(c)} | {'yes' if c.nullable else 'no'} | {column_description(c)} |"
        for c in table.columns
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
