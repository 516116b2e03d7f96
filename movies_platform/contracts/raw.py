"""Contracts of what was delivered, before anybody interprets it."""

import sqlalchemy as sa

from movies_platform.contracts.columns import Text, Whole, column, delivery_month, movie_id, record_number
from movies_platform.contracts.sources import MOVIES_METADATA, SOURCES, Source
from movies_platform.contracts.tables import METADATA

ISSUES = {
    "broken_record": "broken by an unquoted line break in overview; joined again",
    "column_count": "too few or too many columns, not repairable",
    "invalid_id": "an id that is not a positive integer",
    "duplicate_id": "a later record of the file has the same key",
    "invalid_date": "neither YYYY-MM-DD nor MM/DD/YYYY, or no day of the calendar",
    "invalid_number": "not a number, or negative where it cannot be",
    "invalid_list": "neither a list of items nor JSON",
    "invalid_item": "an item without a usable id, code or name",
    "duplicate_item": "the same item a second time in one movie",
}
ACTIONS = ("rejected", "repaired", "nulled", "dropped")


def _source_file(*, key: bool = False) -> sa.Column[str]:
    return column("source_file", Text, "file of the delivery", key=key, null=False)


def raw_table(source: Source) -> sa.Table:
    """The table of a file's records as delivered."""
    return METADATA.tables[f"raw.raw_{source.subject}"]


def _records_of(source: Source) -> sa.Table:
    joined = "; broken records joined" if source.breaks_in else ""
    return sa.Table(
        f"raw_{source.subject}", METADATA,
        delivery_month(key=True),
        _source_file(key=True),
        record_number(key=True),
        *(column(name, Text, meaning) for name, meaning in source.columns.items()),
        schema="raw",
        info={"has_long_texts": bool(source.nested)},
        comment=f"Every record of {' or '.join(source.names)} as delivered, as text{joined}. "
        "Records whose columns do not add up are in data_issues only.",
    )  # fmt: skip


DELIVERIES = sa.Table(
    "deliveries", METADATA,
    delivery_month(key=True),
    _source_file(key=True),
    column("delivery_id", Text, "identifies the delivery: a digest of its files", null=False),
    column("size_bytes", Whole, "size as delivered; of the archive, where the file is in one", null=False, at_least=0),
    column("digest", Text, "of the same: BLAKE2b-256 in a folder, the ETag on S3", null=False),
    column("records", Whole, "records as an ordinary CSV reader counts them; null where not read", at_least=0),
    column("joined_records", Whole, "records that were the rest of a broken one", at_least=0),
    column("accepted_records", Whole, "records that were accepted", at_least=0),
    column("rejected_records", Whole, "records in data_issues as rejected", at_least=0),
    column("extra_columns", Text, "columns that nobody declared, comma separated"),
    schema="raw",
    comment="The files of each month's present delivery, with the account of their records: "
    "records = accepted + rejected + joined.",
)  # fmt: skip

for _source in SOURCES:
    _records_of(_source)
RAW_MOVIES = raw_table(MOVIES_METADATA)

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
