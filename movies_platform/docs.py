"""Contracts and definitions -> docs/tables.md, the data model and the asset graph in the README.

`python -m movies_platform.docs` writes them; a test fails when they are stale.
"""

import re
from pathlib import Path

import sqlalchemy as sa

from movies_platform.contracts.catalogue import column_description
from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.tables import STAGES, all_tables, key_of, qualified, references_of

_ROOT = Path(__file__).parents[1]
_GRAPH = re.compile(r"(?<=<!-- asset graph -->\n).*?(?=<!-- /asset graph -->)", re.DOTALL)


def tables_page() -> str:
    """docs/tables.md: every table with its key, references and the meaning of every column."""
    from movies_platform.contracts.published import SNAPSHOT

    sections = [_section(table) for table in [*all_tables(), SNAPSHOT]]
    head = "# Tables\n\nMade from the contracts by `python -m movies_platform.docs`; do not edit.\n"
    return "\n".join([head, *sections])


def asset_graph() -> str:
    """The asset graph as a Mermaid flowchart."""
    from movies_platform.definitions import defs

    lines, edges = ["```mermaid", "flowchart LR"], []
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
    return "\n".join([*lines, "```", ""])


def readme() -> str:
    """The README with the present asset graph."""
    text = (_ROOT / "README.md").read_text(encoding="utf-8")
    return _GRAPH.sub(lambda _: asset_graph(), text)


def model_files() -> dict[str, str]:
    """The data model of what is published: a page with a picture and Mermaid, the picture, and DBML."""
    from movies_platform.contracts.published import published_tables
    from movies_platform.model.diagram import diagram
    from movies_platform.model.text import dbml, mermaid

    tables = published_tables()
    return {
        "model.md": _MODEL_PAGE.format(mermaid=mermaid(tables), questions=_questions()),
        "model.svg": diagram(tables),
        "model.dbml": dbml(tables),
    }


def _questions() -> str:
    lines = []
    for path in sorted((_ROOT / "docs" / "questions").glob("*.sql")):
        asked = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("-- ")
        lines.append(f"- [{asked}](questions/{path.name}) (`metrics.{path.stem}`)")
    return "\n".join(lines)


_MODEL_PAGE = """\
# The data model

Made from the contracts by `python -m movies_platform.docs`; do not edit. What every column means is in
[tables.md](tables.md); the same model as DBML is in [model.dbml](model.dbml).

![Tables, columns and references](model.svg)

## The questions in SQL

From the core tables alone, one text for DuckDB, PostgreSQL, MySQL, MariaDB and SQLite. A test runs each on all of
them and compares it with the metric table of its name. Tables are named without a schema: in PostgreSQL, first
`SET search_path TO core, metrics, raw, published`; `movies-platform query` and `open_snapshot()` have done so.

{questions}

## As Mermaid

```mermaid
{mermaid}```
"""


def main() -> None:
    """Write the generated docs."""
    for name, text in model_files().items():
        (_ROOT / "docs" / name).write_text(text, encoding="utf-8")
    (_ROOT / "docs" / "tables.md").write_text(tables_page(), encoding="utf-8")
    (_ROOT / "README.md").write_text(readme(), encoding="utf-8")


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
