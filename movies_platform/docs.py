"""Contracts and definitions -> docs/tables.md and the asset graph in the README.

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
    sections = [_section(table) for table in all_tables()]
    head = "# Tables\n\nMade from the contracts by `python -m movies_platform.docs`; do not edit.\n"
    return "\n".join([head, *sections])


def asset_graph() -> str:
    """The asset graph as a Mermaid flowchart."""
    from movies_platform.definitions import defs

    lines = ["```mermaid", "flowchart LR"]
    graph = defs.resolve_asset_graph()
    groups = {stage: [table.name for table in all_tables() if table.schema == stage] for stage in STAGES}
    for key in sorted(graph.get_all_asset_keys()):
        if key.path[0] not in STAGES:
            groups.setdefault(graph.get(key).group_name or "", []).append(key.path[-1])
    for group, names in groups.items():
        lines += [f"  subgraph {group}", *(f"    {name}" for name in names), "  end"]
    edges = sorted(
        (parent.path[-1], key.path[-1]) for key in graph.get_all_asset_keys() for parent in graph.get(key).parent_keys
    )
    lines += [f"  {parent} --> {child}" for parent, child in edges]
    return "\n".join([*lines, "```", ""])


def readme() -> str:
    """The README with the present asset graph."""
    text = (_ROOT / "README.md").read_text(encoding="utf-8")
    return _GRAPH.sub(lambda _: asset_graph(), text)


def main() -> None:
    """Write the generated docs."""
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
