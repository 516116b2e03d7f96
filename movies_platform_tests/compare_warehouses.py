"""Compares two warehouses, DuckDB files or catalogues of a lake, table by table and cell by cell.

    python -m movies_platform_tests.compare_warehouses OLD.duckdb NEW.duckdb
    python -m movies_platform_tests.compare_warehouses home/warehouse.duckdb other/lake.ducklake

Prints every table with its rows and what differs, with examples. Exit status: 0 when nothing differs, 1 when
something does, 2 when a file cannot be read. Tests call `differences`.

- Rows are matched by the key that the contract declares, in any order. A table without a key (data_issues) is
  compared as a multiset of its rows.
- Text, whole numbers and dates have to be equal. Floats may differ by 1e-9 of the larger one or by 1e-6, because
  one of the two versions may round its sums to six decimals.
- Both files are opened read-only. Schemas of the platform's own notes (`platform`) are not compared.
"""

import argparse
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from movies_platform.contracts.ddl import literal
from movies_platform.contracts.tables import all_tables, key_of, qualified
from movies_platform.engines import lake

SCHEMAS = ("raw", "parsed", "core", "metrics")
# Tables (schema.table) and columns (schema.table.column) that only one of the two may have.
OPTIONAL = frozenset({"raw.data_issues.found_by"})
EXAMPLES = 3
RELATIVE, ABSOLUTE = 1e-9, 1e-6
_NUMBERS = {"DOUBLE", "FLOAT", "BIGINT", "INTEGER"}
_FLOATS = {"DOUBLE", "FLOAT"}

Columns = dict[str, str]  # name -> type, as DuckDB spells it


@dataclass(frozen=True)
class Comparison:
    """A table in both warehouses; rows are None where it is missing, differences are sentences."""

    table: str
    old_rows: int | None
    new_rows: int | None
    differences: Sequence[str]


def differences(old: Path, new: Path, *, optional: Collection[str] = OPTIONAL) -> list[str]:
    """What differs between two warehouses, a sentence each; empty when they are equal."""
    return [f"{found.table}: {text}" for found in compare(old, new, optional=optional) for text in found.differences]


def compare(old: Path, new: Path, *, optional: Collection[str] = OPTIONAL) -> list[Comparison]:
    """Compare all tables of the stages; raises duckdb.Error where a file cannot be read.

    `optional` names tables and columns that only one side may have; where both have them they are compared.
    """
    with duckdb.connect() as connection:
        _attach(connection, old, "old")
        _attach(connection, new, "new")
        old_tables, new_tables = _tables(connection, "old"), _tables(connection, "new")
        return [
            _compare_table(connection, name, old_tables.get(name), new_tables.get(name), optional)
            for name in sorted({*old_tables, *new_tables}, key=lambda n: (SCHEMAS.index(n.split(".")[0]), n))
        ]


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    if path.suffix == ".ducklake":
        lake.attach(connection, path, str(path.with_name("lake")), name, read_only=True)
    else:
        connection.execute(f"ATTACH {literal(path)} AS {name} (READ_ONLY)")


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, Columns]:
    tables: dict[str, Columns] = {}
    for schema, table, column, kind in connection.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = ? AND list_contains(?, schema_name) ORDER BY schema_name, table_name, column_index",
        [database, [*SCHEMAS]],
    ).fetchall():  # fmt: skip
        tables.setdefault(f"{schema}.{table}", {})[column] = kind
    return tables


def _compare_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    old: Columns | None,
    new: Columns | None,
    optional: Collection[str],
) -> Comparison:
    old_rows = _number(connection, f"FROM old.{name}") if old else None
    new_rows = _number(connection, f"FROM new.{name}") if new else None
    if not old or not new:
        missing = [] if name in optional else [f"the table is only in the {'old' if old else 'new'} warehouse"]
        return Comparison(name, old_rows, new_rows, missing)
    found = [
        f"column {column} is only in the {'old' if column in old else 'new'} table"
        for column in sorted({*old} ^ {*new})
        if f"{name}.{column}" not in optional
    ]
    shared = [column for column in old if column in new]
    found += [f"column {c} is {old[c]} in the old table, {new[c]} in the new" for c in shared if old[c] != new[c]]
    if old_rows != new_rows:
        found.append(f"{old_rows:,} rows in the old table, {new_rows:,} in the new")
    comparable = {column: old[column] for column in shared if old[column] == new[column]}
    comparable |= {
        column: "DOUBLE" for column in shared if old[column] != new[column] and {old[column], new[column]} <= _NUMBERS
    }
    keys = {qualified(table): key_of(table) for table in all_tables()}.get(name)
    if keys and {*keys} <= {*comparable}:
        found += _compare_by_key(connection, name, keys, comparable)
    else:
        found += _compare_as_multiset(connection, name, [*comparable])
    return Comparison(name, old_rows, new_rows, found)


def _compare_by_key(
    connection: duckdb.DuckDBPyConnection, name: str, keys: Sequence[str], columns: Columns
) -> list[str]:
    found = [
        f"{repeated:,} rows of the {side} table repeat a key"
        for side in ("old", "new")
        if (repeated := _number(connection, f"FROM (SELECT {', '.join(keys)} FROM {side}.{name} GROUP BY ALL "
                                            f"HAVING count(*) > 1)"))
    ]  # fmt: skip
    cells = [column for column in columns if column not in keys]
    same = {column: _same(f"o.{column}", f"n.{column}", columns[column]) for column in cells}
    both = "in_old AND in_new"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE different AS SELECT "
        + ", ".join([*(f"coalesce(o.{key}, n.{key}) AS {key}" for key in keys),
                     *(f"o.{column} AS old_{column}, n.{column} AS new_{column}" for column in cells),
                     "o.here IS NOT NULL AS in_old, n.here IS NOT NULL AS in_new",
                     *(f"{condition} AS same_{column}" for column, condition in same.items())])
        + f" FROM (SELECT *, true AS here FROM old.{name}) o FULL JOIN (SELECT *, true AS here FROM new.{name}) n"
        f" ON {' AND '.join(f'o.{key} = n.{key}' for key in keys)}"
        f" WHERE o.here IS NULL OR n.here IS NULL OR NOT ({' AND '.join(same.values()) or 'true'})"
    )  # fmt: skip
    key = ", ".join(keys)
    for side, only in (("old", "NOT in_new"), ("new", "NOT in_old")):
        if rows := _number(connection, f"FROM different WHERE {only}"):
            found.append(
                f"{rows:,} keys are only in the {side} table, e.g. {_examples(connection, key, 'different', only)}"
            )
    for column in cells:
        differs = f"{both} AND NOT same_{column}"
        if rows := _number(connection, f"FROM different WHERE {differs}"):
            columns_shown = f"{key}, old_{column}, new_{column}"
            found.append(
                f"{rows:,} values of {column} differ, e.g. {_examples(connection, columns_shown, 'different', differs)}"
            )
    return found


def _compare_as_multiset(connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str]) -> list[str]:
    chosen, found = ", ".join(columns), []
    for side, other in (("old", "new"), ("new", "old")):
        rest = f"(SELECT {chosen} FROM {side}.{name} EXCEPT ALL SELECT {chosen} FROM {other}.{name})"
        if rows := _number(connection, f"FROM {rest}"):
            found.append(f"{rows:,} rows are only in the {side} table, e.g. {_examples(connection, '*', rest)}")
    return found


def _same(old: str, new: str, kind: str) -> str:
    equal = f"{old} IS NOT DISTINCT FROM {new}"
    if kind not in _FLOATS:
        return f"({equal})"
    allowed = f"greatest({ABSOLUTE}, {RELATIVE} * greatest(abs({old}), abs({new})))"
    close = f"isfinite({old}) AND isfinite({new}) AND abs({old} - {new}) <= {allowed}"
    return f"({equal} OR coalesce({close}, false))"


def _number(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    row = connection.execute(f"SELECT count(*) {source}").fetchone()
    assert row is not None
    return int(row[0])


def _examples(connection: duckdb.DuckDBPyConnection, columns: str, source: str, condition: str = "true") -> str:
    found = connection.execute(f"SELECT {columns} FROM {source} WHERE {condition} ORDER BY ALL LIMIT {EXAMPLES}")
    names = [column[0] for column in found.description or ()]
    return "; ".join(
        ", ".join(f"{name}={_shown(value)}" for name, value in zip(names, row, strict=True))
        for row in found.fetchall()
    )  # fmt: skip


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str | float | None) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def main() -> None:
    """Compare the two files on the command line and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, metavar="OLD.duckdb")
    parser.add_argument("new", type=Path, metavar="NEW.duckdb")
    parser.add_argument("--optional", nargs="*", default=sorted(OPTIONAL), metavar="SCHEMA.TABLE[.COLUMN]",
                        help="tables and columns that only one side may have (default: %(default)s)")  # fmt: skip
    options = parser.parse_args()
    try:
        compared = compare(options.old, options.new, optional=options.optional)
    except duckdb.Error as problem:
        parser.exit(2, f"{problem}\n")
    for found in compared:
        old, new = ("-" if rows is None else f"{rows:,}" for rows in (found.old_rows, found.new_rows))
        print(f"{found.table:<48} {old:>12} {new:>12}  {'DIFFERENT' if found.differences else 'equal'}")
        for text in found.differences:
            print(f"    {text}")
    if not compared:
        parser.exit(2, f"no tables of {', '.join(SCHEMAS)} in either file\n")
    sys.exit(1 if any(found.differences for found in compared) else 0)


if __name__ == "__main__":
    main()
