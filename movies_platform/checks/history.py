"""Checks on the history: it ends in the present state and has no gap."""

from movies_platform.checks.outcomes import Check, Findings, Scope
from movies_platform.contracts.core import HISTORY_VALUES, MOVIE_HISTORY

_SHOWN = 5


def ends_in_the_present(scope: Scope) -> Findings:
    """The row without an end has the values that the movie has now."""
    values = {side: ", ".join(f"{side}.{name}" for name in HISTORY_VALUES) for side in "hm"}
    differ = " OR ".join(f"h.{name} IS DISTINCT FROM m.{name}" for name in HISTORY_VALUES)
    worst = scope.fetch(
        f"SELECT movie_id, row({values['h']})::VARCHAR, row({values['m']})::VARCHAR, count(*) OVER () "
        f"FROM (SELECT * FROM {scope.rows} WHERE valid_to IS NULL) h FULL JOIN core.movies m USING (movie_id) "
        f"WHERE h.valid_from IS NULL OR m.delivery_month IS NULL OR {differ} ORDER BY 1 LIMIT {_SHOWN}"
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} movies are not what their history ends with." if count else "The history ends in the present."
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=("movie_id", "history", "present"))


def has_no_gap(scope: Scope) -> Findings:
    """A row ends where the next one of its movie begins."""
    worst = scope.fetch(
        "SELECT movie_id, valid_from, valid_to, following, count(*) OVER () FROM (SELECT movie_id, valid_from, "
        f"valid_to, lead(valid_from) OVER (PARTITION BY movie_id ORDER BY valid_from) AS following FROM {scope.rows}) "
        f"WHERE valid_to IS DISTINCT FROM following ORDER BY 1, 2 LIMIT {_SHOWN}"
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} rows end before or after the next begins." if count else "No gap, nothing twice."
    columns = ("movie_id", "valid_from", "valid_to", "next valid_from")
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=columns)


_ADVICE = "A failure is a bug of the platform; nothing was stored. `movies-platform rebuild` makes the history anew."

CHECKS = (
    Check("ends_in_the_present", MOVIE_HISTORY, f"{ends_in_the_present.__doc__} {_ADVICE}", blocking=True,
          find=ends_in_the_present),
    Check("has_no_gap", MOVIE_HISTORY, f"{has_no_gap.__doc__} {_ADVICE}", blocking=True, find=has_no_gap),
)  # fmt: skip
