"""Checks on money metrics: the shares of a year add up to the total of its movies."""

from functools import partial

from movies_platform.checks.outcomes import Check, Findings, Scope
from movies_platform.contracts import metrics

_TOLERANCE = 1e-9  # relative to the amounts without their signs: rounding does not cancel out as profits do
_AMOUNTS = {"budget": "budget_usd", "revenue": "revenue_usd", "profit": "revenue_usd - budget_usd"}
LINKS = {"genre": "movie_genres", "company": "movie_companies"}


def shares_add_up(scope: Scope, kind: str, amount: str) -> Findings:
    """The shares of a year add up to the total of its movies that have at least one group."""
    worst = scope.fetch(
        "SELECT year, shares, total FROM "
        f"(SELECT year, sum({amount}_share_usd) AS shares FROM {scope.rows} GROUP BY 1) "
        f"FULL JOIN (SELECT release_year AS year, sum({_AMOUNTS[amount]}) AS total, "
        f"sum(abs({_AMOUNTS[amount]})) AS size FROM core.movies "
        f"SEMI JOIN core.{LINKS[kind]} USING (movie_id) WHERE release_year IS NOT NULL GROUP BY 1) USING (year) "
        f"WHERE abs(coalesce(shares, 0) - coalesce(total, 0)) > {_TOLERANCE} * greatest(size, 1) ORDER BY year"
    )
    message = f"{len(worst)} years do not add up." if worst else "The shares of every year add up."
    return Findings(len(worst), message, worst=worst[:5], columns=("year", "sum of shares", "total of movies"))


CHECKS = tuple(
    Check(
        "shares_add_up", getattr(metrics, f"{kind}_{amount}_by_year".upper()),
        f"{shares_add_up.__doc__} A failure is a bug of the platform; nothing was stored.",
        blocking=True, find=partial(shares_add_up, kind=kind, amount=amount),
    )
    for kind in LINKS
    for amount in _AMOUNTS
)  # fmt: skip
