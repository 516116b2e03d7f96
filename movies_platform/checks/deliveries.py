"""Checks on a delivery: nothing lost, not too much refused, columns that are known."""

from movies_platform.checks.outcomes import Check, Findings, Scope
from movies_platform.contracts.raw import DATA_ISSUES, DELIVERIES, RAW_MOVIES

HIGHEST_REJECTED_SHARE = 0.05
_SHOWN = 20


def every_record_is_accounted_for(scope: Scope) -> Findings:
    """The reader's count of records = movies accepted + records rejected + rests of broken records."""
    read, joined = scope.fetch(
        "SELECT sum(records)::BIGINT, sum(joined_records)::BIGINT FROM raw.deliveries WHERE delivery_month = ?",
        scope.month,
    )[0]
    accepted = scope.value("SELECT count(*) FROM parsed.parsed_movies WHERE delivery_month = ?", scope.month)
    rejected = scope.value(
        "SELECT count(*) FROM raw.data_issues WHERE delivery_month = ? AND action = 'rejected'", scope.month
    )
    difference = read - accepted - rejected - joined
    message = (
        f"{read:,} records = {accepted:,} accepted + {rejected:,} rejected + {joined:,} joined to the one before"
        + (f" + {difference:,} lost" if difference else "")
        + "."
    )
    numbers = {"records": read, "accepted": accepted, "rejected": rejected, "joined": joined}
    return Findings(abs(difference), message, numbers)


def few_records_are_rejected(scope: Scope) -> Findings:
    """At most 5 % of the records were rejected."""
    read = scope.value("SELECT sum(records)::BIGINT FROM raw.deliveries WHERE delivery_month = ?", scope.month)
    rejected = scope.value(
        "SELECT count(*) FROM raw.data_issues WHERE delivery_month = ? AND action = 'rejected'", scope.month
    )
    share = rejected / read
    worst = scope.fetch(
        "SELECT source_file, record_number, issue, value[:80] FROM raw.data_issues "
        f"WHERE delivery_month = ? AND action = 'rejected' ORDER BY record_number LIMIT {_SHOWN}",
        scope.month,
    )
    too_many = share > HIGHEST_REJECTED_SHARE
    message = f"{rejected:,} of {read:,} records rejected ({share:.1%}; at most {HIGHEST_REJECTED_SHARE:.0%})."
    if too_many:
        file, record, issue, value = worst[0]
        message += f" The first: record {record} of {file}: {issue}: {value!r}."
    return Findings(rejected if too_many else 0, message, {"rejected_share": share},
                    worst if too_many else (), ("file", "record", "issue", "value"))  # fmt: skip


def columns_are_known(scope: Scope) -> Findings:
    """No column that nobody declared (it is not read)."""
    extra = scope.fetch(
        "SELECT source_file, extra_columns FROM raw.deliveries WHERE delivery_month = ? AND extra_columns IS NOT NULL",
        scope.month,
    )
    message = "; ".join(f"{file} has unknown columns, not read: {columns}" for file, columns in extra)
    return Findings(len(extra), message or "All columns are known.", worst=extra, columns=("file", "unknown columns"))


CHECKS = (
    Check(
        "every_record_is_accounted_for", RAW_MOVIES,
        "Each record read is accepted, rejected or was joined to a broken one. A failure is a bug of the platform: "
        "report it with the delivery; nothing was stored.",
        blocking=True, find=every_record_is_accounted_for,
    ),
    Check(
        "few_records_are_rejected", DATA_ISSUES,
        "At most 5 % of the records are rejected. When it fails, the delivery goes to failed/ and no table "
        "changes: ask the provider for a corrected file and deliver it for the same month.",
        blocking=True, find=few_records_are_rejected,
    ),
    Check(
        "columns_are_known", DELIVERIES,
        "Every column is declared. An unknown one is not read: add it to the contract if it is wanted.",
        blocking=False, find=columns_are_known,
    ),
)  # fmt: skip
