"""Contracts -> checks: columns and their ranges, unique keys, references that exist."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from movies_platform.checks.outcomes import Check, Findings, Scope
from movies_platform.contracts.tables import key_of, qualified, references_of

_SHOWN = 5
_COUNTED = ("what is wrong", "rows")
_STORED_AS = {sa.Text: "VARCHAR", sa.BigInteger: "BIGINT", sa.Double: "DOUBLE", sa.Date: "DATE"}


def contract_checks(table: sa.Table) -> Iterator[Check]:
    """The checks that the table's contract implies."""
    yield Check(
        "columns_hold_what_is_declared", table,
        "The table has the declared columns with their types, no required value is missing and every value is in "
        "its range. A failure is a bug of the platform or a hole in the specification: nothing was stored. A column "
        "that an older version left behind goes with `movies-platform rebuild`.",
        blocking=True, find=lambda scope: _columns(scope, table),
    )  # fmt: skip
    if key_of(table):
        yield Check(
            "key_is_unique", table,
            f"No two rows have the same {', '.join(key_of(table))}. A failure is a bug of the platform; "
            "nothing was stored.",
            blocking=True, find=lambda scope: _key(scope, table),
        )  # fmt: skip
    if references_of(table):
        yield Check(
            "references_exist", table,
            "Every id that refers to another table is there. A failure is a bug of the platform; nothing was "
            "stored.",
            blocking=True, find=lambda scope: _references(scope, table),
        )  # fmt: skip


def violations(column: sa.Column[Any]) -> Iterator[tuple[str, str]]:
    """(what is wrong, condition in SQL) for the values a column must not hold."""
    if not column.nullable:
        yield f"{column.name} is missing", f"{column.name} IS NULL"
    if (least := column.info.get("at_least")) is not None:
        yield f"{column.name} is below {least}", f"{column.name} < {least}"
    if choices := column.info.get("one_of"):
        known = ", ".join(f"'{choice}'" for choice in choices)
        yield f"{column.name} is none of {', '.join(choices)}", f"{column.name} NOT IN ({known})"


def misdeclared(scope: Scope, table: sa.Table) -> Iterator[str]:
    """What is wrong with the columns themselves: missing, not declared, of another type."""
    declared = {column.name: _STORED_AS[type(column.type)] for column in table.columns}
    stored = dict(scope.columns())
    for name in sorted({*declared, *stored}):
        if name not in declared:
            yield f"column {name} is not declared"
        elif name not in stored:
            yield f"column {name} does not exist"
        elif declared[name] != stored[name]:
            yield f"column {name} is {stored[name]}, not {declared[name]}"


def _columns(scope: Scope, table: sa.Table) -> Findings:
    if wrong := list(misdeclared(scope, table)):
        return Findings(len(wrong), "; ".join(wrong), worst=[(each,) for each in wrong], columns=["what is wrong"])
    rules = [rule for column in table.columns for rule in violations(column)]
    counts = scope.fetch(
        f"SELECT {', '.join(f'count(*) FILTER ({condition})' for _, condition in rules)} FROM {scope.rows}"
    )[0]
    broken = [(what, count) for (what, _), count in zip(rules, counts, strict=True) if count]
    message = "; ".join(f"{what}: {count:,} rows" for what, count in broken) or "All values are as declared."
    return Findings(sum(count for _, count in broken), message, worst=broken, columns=_COUNTED)


def _key(scope: Scope, table: sa.Table) -> Findings:
    key = ", ".join(key_of(table))
    doubles = f"(SELECT {key}, count(*) AS rows FROM {scope.rows} GROUP BY {key} HAVING count(*) > 1)"
    count = scope.value(f"SELECT count(*) FROM {doubles}")
    worst = scope.fetch(f"SELECT * FROM {doubles} ORDER BY rows DESC, {key} LIMIT {_SHOWN}") if count else []
    message = f"{count:,} values of ({key}) stand in several rows." if count else f"({key}) is unique."
    return Findings(count, message, worst=worst, columns=[*key_of(table), "rows"])


def _references(scope: Scope, table: sa.Table) -> Findings:
    broken: list[tuple[str, int]] = []
    for own, other, theirs in references_of(table):
        condition = " AND ".join(f"a.{a} = b.{b}" for a, b in zip(own, theirs, strict=True))
        count = scope.value(f"SELECT count(*) FROM {scope.rows} a ANTI JOIN {qualified(other)} b ON {condition}")
        if count:
            broken.append((f"{', '.join(own)} not in {qualified(other)}", count))
    message = "; ".join(f"{what}: {count:,} rows" for what, count in broken) or "Every reference exists."
    return Findings(sum(count for _, count in broken), message, worst=broken, columns=_COUNTED)
