"""Checks on the present state: no movie lost or outdated, catalogues that fit the links."""

from functools import partial

from movies_platform.checks.outcomes import Check, Findings, Scope
from movies_platform.contracts.core import COMPANIES, GENRES, MOVIES


def every_movie_is_newest(scope: Scope) -> Findings:
    """Every movie ever delivered is there once, as the newest month has it."""
    worst = scope.fetch(
        "SELECT * FROM (SELECT movie_id, max(p.delivery_month) AS newest FROM parsed.parsed_movies p GROUP BY 1) n "
        f"FULL JOIN {scope.rows} m USING (movie_id) WHERE m.delivery_month IS DISTINCT FROM n.newest LIMIT 5"
    )
    message = "Movies are missing or outdated." if worst else "Every movie is as its newest month has it."
    return Findings(len(worst), message, worst=[row[:2] for row in worst],
                    columns=("movie_id", "newest month"))  # fmt: skip


def holds_exactly_the_linked_ids(scope: Scope, links: str, kind: str) -> Findings:
    """The ids are exactly those that the present links use."""
    worst = scope.fetch(
        f"SELECT {kind}_id, a.{kind}_id IS NOT NULL, b.{kind}_id IS NOT NULL, count(*) OVER () FROM {scope.rows} a "
        f"FULL JOIN (SELECT DISTINCT {kind}_id FROM core.{links}) b USING ({kind}_id) "
        f"WHERE a.{kind}_id IS NULL OR b.{kind}_id IS NULL ORDER BY 1 LIMIT 5"
    )
    count = worst[0][-1] if worst else 0
    message = f"{count:,} ids are only here or only in core.{links}."
    return Findings(count, message, worst=[row[:-1] for row in worst], columns=(f"{kind}_id", "is here", "is linked"))


_ADVICE = "A failure is a bug of the platform; nothing was stored."

CHECKS = (
    Check("every_movie_is_newest", MOVIES, f"{every_movie_is_newest.__doc__} {_ADVICE}", blocking=True,
          find=every_movie_is_newest),
    *(
        Check("holds_exactly_the_linked_ids", table, f"{holds_exactly_the_linked_ids.__doc__} {_ADVICE}",
              blocking=True, find=partial(holds_exactly_the_linked_ids, links=links, kind=kind))
        for table, links, kind in ((GENRES, "movie_genres", "genre"), (COMPANIES, "movie_companies", "company"))
    ),
)  # fmt: skip
