"""Text of raw records -> the typed columns of a parsed table, as SQL; what does not fit is null and an issue.

A contract's column names the delivered column it comes from and its cast. Text is trimmed as Python's `str.strip` does.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from movies_platform.contracts.text import trimmed

_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_LARGEST = "1e100"  # numbers up to here add up to something finite, however many they are


def date(text: str) -> str:
    """A day written YYYY-MM-DD or MM/DD/YYYY, from the year 1 on."""
    return (
        f"CASE WHEN regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') AND {text}[1:4] != '0000' "
        f"THEN TRY_CAST({text} AS DATE) "
        f"WHEN regexp_full_match({text}, '[0-9]{{2}}/[0-9]{{2}}/[0-9]{{4}}') AND {text}[7:10] != '0000' "
        f"THEN TRY_CAST({text}[7:10] || '-' || {text}[1:2] || '-' || {text}[4:5] AS DATE) END"
    )


def number(text: str) -> str:
    """A number: of either sign, infinite where it is too large for a double."""
    return f"TRY_CAST(CASE WHEN regexp_full_match({text}, '{_NUMBER}') THEN {text} END AS DOUBLE)"


def _same(value: str) -> str:
    return value


@dataclass(frozen=True)
class Cast:
    """How text becomes a value: it is `read`, and what was read is `accept`ed or becomes null.

    Both are SQL of SQL. `issue` is the code where the text does not fit (text always does); with `zero_is_unknown`, 0
    is null and no issue.
    """

    read: Callable[[str], str] = _same
    accept: Callable[[str], str] = _same
    issue: str = ""
    zero_is_unknown: bool = False

    def unfit(self, column: str, text: str, value: str) -> str:
        """SQL: whether `column` is null because trimmed `text`, read as `value`, does not fit."""
        unknown = f" AND NOT coalesce({value} = 0, false)" if self.zero_is_unknown else ""
        return f"({column} IS NULL AND {text} IS NOT NULL{unknown})"


CASTS = {
    "text": Cast(),
    "date": Cast(date, issue="invalid_date"),
    # abs: no negative zero
    "number": Cast(number, lambda v: f"CASE WHEN {v} BETWEEN 0 AND {_LARGEST} THEN abs({v}) END", "invalid_number"),
    "whole": Cast(
        number, lambda v: f"CASE WHEN {v} >= 0 AND {v} = trunc({v}) THEN TRY_CAST({v} AS BIGINT) END", "invalid_number"
    ),
    "amount": Cast(
        number, lambda v: f"CASE WHEN {v} > 0 AND {v} <= {_LARGEST} THEN {v} END", "invalid_number",
        zero_is_unknown=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class CastColumn:
    """A column of a parsed table, the delivered column it comes from, and its cast."""

    name: str
    delivered: str
    cast: Cast


def cast_columns(table: sa.Table) -> list[CastColumn]:
    """The columns of a parsed table that are cast from text."""
    return [
        CastColumn(c.name, c.info["comes_from"][0].rpartition(".")[2], CASTS[c.info["cast"]])
        for c in table.columns
        if c.info["cast"]
    ]


def typed_records(records: str, table: sa.Table, *kept: str) -> str:
    """Query for the columns `kept` of `records` (SQL), the table's cast columns, and the issues of each record.

    `issues` is a list of (column_name, issue, value), empty for nearly all records.
    """
    columns = cast_columns(table)
    judged = [c for c in columns if c.cast.issue]
    # One subquery after another, so that no expression is computed twice.
    texts = ", ".join(f"{trimmed(c.delivered)} AS {c.name}_text" for c in columns)
    values = ", ".join(f"{c.cast.read(f'{c.name}_text')} AS {c.name}_value" for c in columns)
    accepted = ", ".join(f"{c.cast.accept(f'{c.name}_value')} AS {c.name}" for c in columns)
    unfit = {c: c.cast.unfit(c.name, f"{c.name}_text", f"{c.name}_value") for c in judged}
    notes = ", ".join(
        f"CASE WHEN {wrong} THEN {{column_name: '{c.delivered}', issue: '{c.cast.issue}', value: {c.name}_delivered}} "
        "END" for c, wrong in unfit.items()
    )  # fmt: skip
    delivered = ", ".join(f"{c.delivered}[:500] AS {c.name}_delivered" for c in judged)
    names = ", ".join([*kept, *(c.name for c in columns)])
    return (
        f"SELECT {names}, CASE WHEN {' OR '.join(unfit.values())} THEN list_filter([{notes}], lambda n: n IS NOT NULL) "
        f"END AS issues FROM (SELECT *, {accepted} FROM (SELECT *, {values} FROM ("
        f"SELECT {', '.join(kept)}, {texts}, {delivered} FROM {records})))"
    )
