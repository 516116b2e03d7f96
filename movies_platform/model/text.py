"""The data model as text that other tools draw: Mermaid (`erDiagram`) and DBML."""

from collections.abc import Sequence

import sqlalchemy as sa

from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.tables import key_of, qualified, references_of


def mermaid(tables: Sequence[sa.Table]) -> str:
    """An entity-relationship diagram for Mermaid."""
    lines = ["erDiagram"]
    for table in tables:
        referring = {name for own, _, _ in references_of(table) for name in own}
        lines.append(f"  {table.name} {{")
        for column in table.columns:
            marks = [*(["PK"] if column.name in key_of(table) else []), *(["FK"] if column.name in referring else [])]
            lines.append(f"    {column_type(column).replace(' ', '_')} {column.name} {', '.join(marks)}".rstrip())
        lines.append("  }")
    for table in tables:
        lines += [f"  {other.name} ||--o{{ {table.name} : {own[0]}" for own, other, _ in references_of(table)]
    return "\n".join([*lines, ""])


def dbml(tables: Sequence[sa.Table]) -> str:
    """The tables in DBML, with what every column means."""
    blocks = []
    for table in tables:
        key = key_of(table)
        lines = [f'Table "{table.schema}"."{table.name}" {{']
        for column in table.columns:
            settings = [*(["pk"] if [column.name] == key else []), *([] if column.nullable else ["not null"])]
            settings.append(f"note: {_quoted(column.comment)}")
            lines.append(f'  "{column.name}" "{column_type(column)}" [{", ".join(settings)}]')
        if len(key) > 1:
            lines += ["  indexes {", f"    ({', '.join(key)}) [pk]", "  }"]
        lines += [f"  Note: {_quoted(table.comment)}", "}"]
        blocks.append("\n".join(lines))
    references = [
        f"Ref: {_place(table, own)} > {_place(other, theirs)}"
        for table in tables
        for own, other, theirs in references_of(table)
    ]
    return "\n\n".join([*blocks, "\n".join(references)]) + "\n"


def _place(table: sa.Table, columns: list[str]) -> str:
    schema, name = qualified(table).split(".")
    return f'"{schema}"."{name}".' + (f'"{columns[0]}"' if len(columns) == 1 else f"({', '.join(columns)})")


def _quoted(text: str | None) -> str:
    plain = (text or "").replace("\\", "\\\\").replace("'", "\\'")
    return f"'''{plain}'''" if "\n" in plain else f"'{plain}'"
