"""Checks on how much a delivery brings, against what the earlier months brought."""

from movies_platform.checks.earlier import months_until, usual_range, whole_history_before
from movies_platform.checks.outcomes import Check, Findings, Scope
from movies_platform.contracts.raw import DATA_ISSUES, DELIVERIES

WIDEST = 2.0  # factor around a single earlier month
# A delta's movies lie scattered over the history; those of a file that was cut off lie in it side by side.
DENSE = 0.9
FEWEST_TO_TELL = 20
USUAL_SHARE = 0.01  # of the records, for each kind of mending, is no matter whatever was before
WIDEST_SHARE = 3.0  # factor around the shares of before
_MENDED = ("repaired", "nulled", "dropped")


def about_as_many_records_as_before(scope: Scope) -> Findings:
    """As many records as earlier deliveries of its kind lead to expect; neither the first delta nor a cut-off file."""
    *before, now = months_until(scope)
    numbers: dict[str, float | int] = {"records": now.records}
    if not before:
        return Findings(0, f"{now.records:,} records; no earlier month to compare with.", numbers)
    kind = "whole history" if now.whole else "delta"
    alike = [m for m in before if m.whole == now.whole]
    message = f"{now.records:,} records; "
    offenders = 0
    if alike:
        low, high = usual_range([m.records for m in alike], WIDEST)
        numbers |= {"fewest_expected": round(low), "most_expected": round(high)}
        message += f"a {kind}; {low:,.0f} to {high:,.0f} are usual after {len(alike)} before."
        offenders += not low <= now.records <= high
    elif now.whole:
        message += "the first whole history."
    else:
        offenders += 1
        message += f"the first delta: far fewer than the {before[-1].records:,} of the month before."
    if not now.whole:
        density = _density(scope)
        numbers["density"] = density
        if density >= DENSE:
            offenders += 1
            message += f" Its movies lie side by side in the whole history before ({density:.0%}): a cut-off file?"
    return Findings(offenders, message, numbers)


def _density(scope: Scope) -> float:
    """Share of the movies here among those of the stretch that they span in the whole history before."""
    known, span = scope.fetch(
        "SELECT count(*), max(b.record_number) - min(b.record_number) + 1 FROM parsed.parsed_movies b "
        "SEMI JOIN (SELECT movie_id FROM parsed.parsed_movies WHERE delivery_month = ?) USING (movie_id) "
        "WHERE b.delivery_month = ?",
        scope.month, whole_history_before(scope),
    )[0]  # fmt: skip
    return known / span if known >= FEWEST_TO_TELL else 0.0


def few_values_are_mended(scope: Scope) -> Findings:
    """The shares of records that were repaired, blanked or lost an item are about those of earlier months."""
    *before, now = months_until(scope)
    counts = scope.fetch(
        "SELECT delivery_month, action, count(DISTINCT (source_file, record_number)) FROM raw.data_issues "
        "WHERE delivery_month <= ? AND action <> 'rejected' GROUP BY ALL",
        scope.month,
    )
    shares = {(month, action): count for month, action, count in counts}
    numbers: dict[str, float] = {}
    told: list[str] = []
    offenders = 0
    for action in _MENDED:
        count = shares.get((now.month, action), 0)
        share = numbers[f"{action}_share"] = count / now.records
        if not before:
            told.append(f"{action} {share:.2%}")
            continue
        highest = _highest([shares.get((m.month, action), 0) / m.records for m in before])
        numbers[f"{action}_share_expected"] = highest
        told.append(f"{action} {share:.2%} (at most {highest:.2%} expected)")
        offenders += count if share > highest and count >= FEWEST_TO_TELL else 0
    worst = _mended(scope) if offenders else []
    message = f"Of {now.records:,} records: {', '.join(told)}."
    return Findings(offenders, message, numbers, worst, ("column", "issue", "action", "rows", "an example"))


def _highest(shares: list[float]) -> float:
    seen = [share for share in shares if share]
    return max(USUAL_SHARE, usual_range(seen, WIDEST_SHARE)[1]) if seen else USUAL_SHARE


def _mended(scope: Scope) -> list[tuple[object, ...]]:
    return scope.fetch(
        "SELECT column_name, issue, action, count(*) AS n, min(value)[:80] FROM raw.data_issues "
        "WHERE delivery_month = ? AND action <> 'rejected' GROUP BY ALL ORDER BY n DESC, 1, 2, 3 LIMIT 20",
        scope.month,
    )


CHECKS = (
    Check(
        "about_as_many_records_as_before", DELIVERIES,
        "As many records as earlier deliveries of its kind (whole histories, deltas) lead to expect. If it warns, "
        "compare the file's size with the provider's and deliver it again if it is not whole; if it is right (the "
        "first delta is), leave it: the bounds learn from it.",
        blocking=False, find=about_as_many_records_as_before,
    ),
    Check(
        "few_values_are_mended", DATA_ISSUES,
        "The shares of records that were repaired, blanked or lost a list item are about those of earlier months. "
        "If it warns, look at the table for the column and ask the provider what has changed in it.",
        blocking=False, find=few_values_are_mended,
    ),
)  # fmt: skip
