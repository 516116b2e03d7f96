"""Raw records -> typed records, as SQL, each with the issues found in it."""

from collections.abc import Sequence

from movies_platform.contracts.casts import CASTS
from movies_platform.contracts.ddl import literal
from movies_platform.contracts.sources import Attribute
from movies_platform.contracts.tables import quoted
from movies_platform.contracts.text import trimmed

_ISSUES = "STRUCT(column_name VARCHAR, issue VARCHAR, value VARCHAR)[]"


def typed_records(records: str, key: Sequence[Attribute], attributes: Sequence[Attribute], *kept: str) -> str:
    """Query for the columns `kept` of `records` (SQL), the typed key and attributes, and the issues of each record.

    `issues` is a list of (column_name, issue, value), null for nearly all records.
    """
    # One subquery after another, so that no expression is computed twice.
    columns = [*key, *attributes]
    casts = {a.name: CASTS[a.cast] for a in columns}
    judged = [a for a in attributes if casts[a.name].issue and not a.required]
    texts = ", ".join(f"{trimmed(quoted(a.delivered))} AS {a.name}_text" for a in columns)
    values = ", ".join(f"{casts[a.name].read(f'{a.name}_text')} AS {a.name}_value" for a in columns)
    accepted = ", ".join(f"{casts[a.name].accept(f'{a.name}_value')} AS {a.name}" for a in columns)
    delivered = ", ".join([*kept, *(f"{quoted(a.delivered)}[:500] AS {a.name}_delivered" for a in judged)])
    unfit = {a: casts[a.name].unfit(a.name, f"{a.name}_text", f"{a.name}_value") for a in judged}
    notes = ", ".join(
        f"CASE WHEN {wrong} THEN {{column_name: {literal(a.delivered)}, issue: '{casts[a.name].issue}', "
        f"value: {a.name}_delivered}} END" for a, wrong in unfit.items()
    )  # fmt: skip
    found = f"CASE WHEN {' OR '.join(unfit.values())} THEN list_filter([{notes}], lambda n: n IS NOT NULL) END"
    names = ", ".join([*kept, *(a.name for a in columns)])
    return (
        f"SELECT {names}, {found if judged else f'NULL::{_ISSUES}'} AS issues FROM "
        f"(SELECT *, {accepted} FROM (SELECT *, {values} FROM (SELECT {delivered}, {texts} FROM {records})))"
    )
