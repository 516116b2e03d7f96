"""Contracts of what was delivered, before anybody interprets it."""

import sqlalchemy as sa

from movies_platform.contracts.columns import Text, Whole, column, delivery_month, movie_id, record_number
from movies_platform.contracts.sources import MOVIES_METADATA, Source
from movies_platform.contracts.tables import METADATA

ISSUES = {
    "broken_record": "broken by an unquoted line break in overview; joined again",
    "column_count": "too few or too many columns, not repairable",
    "invalid_id": "the id is not a positive integer",
    "duplicate_id": "a later record of the file has the same id",
    "invalid_date": "neither YYYY-MM-DD nor MM/DD/YYYY, or no day of the calendar",
    "invalid_number": "not a number, or negative where it cannot be",
    "invalid_list": "neither a list of items nor JSON",
    "invalid_item": "an item without an integer id or with an empty name",
    "duplicate_item": "the same item a second time in one movie",
}
ACTIONS = ("rejected", "repaired", "nulled", "dropped")


def _source_file(*, key: bool = False) -> sa.Column[str]:
    return column("source_file", Text, "file of the delivery", key=key, null=False)


def _records_of(source: Source) -> sa.Table:
    return sa.Table(
        f"raw_{source.subject}", METADATA,
        delivery_month(key=True),
        _source_file(key=True),
        record_number(key=True),
        *(column(name, Text, meaning) for name, meaning in source.columns.items()),
        schema="raw",
        comment=f"Every record of {source.name} as delivered, as text; broken records joined. Records whose "
        "columns do not add up are in data_issues only.",
    )  # fmt: skip


DELIVERIES = sa.Table(
    "deliveries", METADATA,
    delivery_month(key=True),
    _source_file(key=True),
    column("delivery_id", Text, "identifies the delivery: a digest of its files", null=False),
    column("size_bytes", Whole, "size as delivered", null=False, at_least=0),
    column("digest", Text, "of the file as delivered: BLAKE2b-256 in a folder, the ETag on S3", null=False),
    column("records", Whole, "records as an ordinary CSV reader counts them; null where not read", at_least=1),
    column("joined_records", Whole, "records that were the rest of a broken one", at_least=0),
    column("accepted_records", Whole, "records that became movies", at_least=0),
    column("rejected_records", Whole, "records in data_issues as rejected", at_least=0),
    column("extra_columns", Text, "columns that nobody declared, comma separated"),
    schema="raw",
    comment="The files of each month's present delivery, with the account of their records: "
    "records = accepted + rejected + joined.",
)  # fmt: skip

RAW_MOVIES = _records_of(MOVIES_METADATA)

DATA_ISSUES = sa.Table(
    "data_issues", METADATA,
    delivery_month(),
    _source_file(),
    record_number(),
    movie_id(null=True),
    column("column_name", Text, "column in question; null when the whole record is meant"),
    column("issue", Text, "what is wrong", null=False, one_of=tuple(ISSUES)),
    column("action", Text, "what was done about it", null=False, one_of=ACTIONS),
    column("value", Text, "the offending text, at most 500 characters"),
    column("found_by", Text, "the table whose step found it", null=False),
    schema="raw",
    comment="One row for each thing that was refused, repaired or blanked:\n\n"
    + "\n".join(f"- `{code}`: {meaning}" for code, meaning in ISSUES.items()),
)  # fmt: skip
