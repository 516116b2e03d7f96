"""Rows as people and programs read them: a table that never cuts a value, CSV, JSON."""

import csv
import datetime as dt
import decimal
import io
import itertools
import json
import math
import shutil
import sys
from collections.abc import Sequence
from typing import Any

FORMATS = ("table", "csv", "json")
Rows = Sequence[tuple[Any, ...]]


def rendered(columns: Sequence[str], rows: Rows, form: str) -> str:
    """Rows as a table for people, as CSV or as JSON; two columns of one name are told apart by a number."""
    names = _distinct(columns)
    if form == "json":
        records = [dict(zip(names, map(_json, row), strict=True)) for row in rows]
        return json.dumps(records, ensure_ascii=False, indent=1, allow_nan=False)
    if form == "csv":
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([names, *([_csv(value) for value in row] for row in rows)])
        return text.getvalue().removesuffix("\n")
    return table(names, rows) if rows else "no rows"


def table(columns: Sequence[str], rows: Rows) -> str:
    """A table for people: as wide as it needs to be, on its side where the terminal is too narrow for that."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    cells = [[_cell(name, value) for name, value in zip(columns, row, strict=True)] for row in rows]
    widest = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(columns)]
    if width and sum(widest) + 3 * len(widest) > width:
        return _on_its_side(columns, cells)
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD)
    for place, name in enumerate(columns):
        is_number = any(isinstance(row[place], int | float | decimal.Decimal) for row in rows)
        drawn.add_column(Text(name), justify="right" if is_number else "left", no_wrap=True)
    for row in cells:
        drawn.add_row(*map(Text, row))
    console = Console(width=2 * (sum(widest) + 4 * len(widest)) + 10, color_system=None)
    with console.capture() as captured:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n"))


def _on_its_side(columns: Sequence[str], cells: list[list[str]]) -> str:
    longest = max(map(len, columns), default=0)
    blocks = ["\n".join(f"{name:<{longest}}  {cell}" for name, cell in zip(columns, row, strict=True)) for row in cells]
    return "\n\n".join(blocks)


def _cell(column: str, value: Any) -> str:
    """A value without anything that a terminal would act on; numbers with separators, and never rounded to nothing."""
    if value is None:
        return ""
    if isinstance(value, bool | dt.date):
        return str(value)
    if isinstance(value, int):
        return (
            str(value) if column in ("year", "month") or column.endswith(("_id", "_year", "_month")) else f"{value:,}"
        )
    if isinstance(value, float | decimal.Decimal):
        if not math.isfinite(value):
            return str(value)
        if float(value).is_integer() and abs(float(value)) < 1e15:
            return f"{int(value):,}"
        short = f"{value:,.2f}" if column.endswith("_usd") else f"{value:,.3f}".rstrip("0").rstrip(".")
        return short if float(short.replace(",", "")) else f"{value:.3g}"
    return "".join(letter if letter.isprintable() else " " for letter in str(value))


def _csv(value: Any) -> Any:
    """A value of CSV: an amount without `.0`."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def _json(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, decimal.Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {str(name): _json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _distinct(columns: Sequence[str]) -> list[str]:
    names: list[str] = []
    for name in columns:
        numbered = (f"{name}_{number}" for number in itertools.count(1))
        taken = {*columns, *names}
        names.append(next(each for each in numbered if each not in taken) if name in names else name)
    return names
