"""Checks on the values of a month, movie by movie against the newest earlier whole history."""

from functools import partial

from movies_platform.checks.earlier import whole_history_before
from movies_platform.checks.outcomes import Check, Findings, Scope
from movies_platform.contracts.parsed import PARSED_COMPANIES, PARSED_GENRES, PARSED_MOVIES

HIGHEST_RISE_OF_UNKNOWN = 0.05
WIDEST_DRIFT = 2.0
HIGHEST_NEW_SHARE = {"genre": 0.0, "company": 0.5}
HIGHEST_RENAMED_SHARE = {"genre": 0.0, "company": 0.01}
_AMOUNTS = ("budget", "revenue")
_FIRST = "no earlier month to compare with."
_SHOWN = 20
_LOST = ("movie_id", "title", "budget before", "budget now", "revenue before", "revenue now")
_PAIRS = (
    "(SELECT * FROM parsed.parsed_movies WHERE delivery_month = ?) n "
    "LEFT JOIN (SELECT * FROM parsed.parsed_movies WHERE delivery_month = ?) b USING (movie_id)"
)


def _unknown(scope: Scope, amount: str) -> tuple[int, int, int, int, int, int]:
    """Movies, unknown now; movies delivered before, of them unknown now, unknown before, lost since."""
    now, before = f"n.{amount}_usd IS NULL", f"b.{amount}_usd IS NULL"
    known = "b.movie_id IS NOT NULL"
    (row,) = scope.fetch(
        f"SELECT count(*), count(*) FILTER ({now}), count(*) FILTER ({known}), count(*) FILTER ({known} AND {now}), "
        f"count(*) FILTER ({known} AND {before}), count(*) FILTER ({known} AND {now} AND NOT {before}) FROM {_PAIRS}",
        scope.month, whole_history_before(scope),
    )  # fmt: skip
    return row


def _lost_amounts(scope: Scope) -> list[tuple[object, ...]]:
    """The movies that lost most: movie_id, title, budget and revenue before and now."""
    return scope.fetch(
        f"SELECT movie_id, n.title, b.budget_usd, n.budget_usd, b.revenue_usd, n.revenue_usd FROM {_PAIRS} "
        "WHERE (b.budget_usd IS NOT NULL AND n.budget_usd IS NULL) OR (b.revenue_usd IS NOT NULL "
        "AND n.revenue_usd IS NULL) ORDER BY greatest(b.budget_usd, b.revenue_usd) DESC NULLS LAST, movie_id "
        f"LIMIT {_SHOWN}",
        scope.month, whole_history_before(scope),
    )  # fmt: skip


def amounts_stay_known(scope: Scope) -> Findings:
    """Budget and revenue are unknown for about the same share of the same movies as before."""
    numbers: dict[str, float] = {}
    told: list[str] = []
    offenders = 0
    for amount in _AMOUNTS:
        movies, unknown, same, now, before, lost = _unknown(scope, amount)
        numbers[f"{amount}_unknown_share"] = unknown / max(movies, 1)
        told.append(f"{amount} unknown for {unknown / max(movies, 1):.1%} of {movies:,} movies")
        if same:
            rise = (now - before) / same
            numbers[f"{amount}_unknown_rise"] = rise
            numbers[f"{amount}_lost_share"] = lost / (same - before) if same > before else 0.0
            told[-1] += f" (of the {same:,} delivered before: {before / same:.1%} then, {now / same:.1%} now)"
            offenders += max(now - before, 0) if rise > HIGHEST_RISE_OF_UNKNOWN else 0
    message = ", ".join(told).capitalize() + "."
    return Findings(offenders, message, numbers, _lost_amounts(scope) if offenders else (), _LOST)


def popularity_keeps_its_scale(scope: Scope) -> Findings:
    """The median movie's popularity is between half and double of what it was before."""
    month = scope.value("SELECT median(popularity) FROM parsed.parsed_movies WHERE delivery_month = ?", scope.month)
    both = "n.popularity > 0 AND b.popularity > 0"
    since = whole_history_before(scope)
    pair = (scope.month, since)
    compared, ratio = scope.fetch(
        f"SELECT count(*), median(n.popularity / b.popularity) FROM {_PAIRS} WHERE {both}", *pair
    )[0]
    numbers: dict[str, float | int] = {"median_popularity": month or 0.0, "movies_compared": compared}
    if not compared:
        return Findings(0, f"Median popularity {month or 0:.3f}; {_FIRST}", numbers)
    numbers["median_ratio_to_before"] = ratio
    drifted = not 1 / WIDEST_DRIFT <= ratio <= WIDEST_DRIFT
    message = (
        f"Median popularity {month or 0:.3f}; the median of {compared:,} movies has {ratio:.2f} times its popularity "
        f"of {since:%Y-%m} ({1 / WIDEST_DRIFT:g} to {WIDEST_DRIFT:g} times is usual)."
    )
    worst = scope.fetch(
        "SELECT movie_id, n.title, b.popularity, n.popularity, round(n.popularity / b.popularity, 4) "
        f"FROM {_PAIRS} WHERE {both} ORDER BY abs(ln(n.popularity / b.popularity)) DESC, movie_id "
        f"LIMIT {_SHOWN}", *pair
    ) if drifted else []  # fmt: skip
    return Findings(
        int(drifted), message, numbers, worst, ("movie_id", "title", "popularity before", "popularity now", "ratio")
    )


def ids_are_known(scope: Scope, items: str, kind: str) -> Findings:
    """New ids are rare (genres) or a part (companies) of the month's ids."""
    since = whole_history_before(scope)
    count = scope.value(f"SELECT count(DISTINCT {kind}_id) FROM {items} WHERE delivery_month = ?", scope.month)
    if since is None:
        return Findings(0, f"{count:,} ids; {_FIRST}", {"ids": count, "new_ids": 0})
    found = scope.fetch(
        f"SELECT {kind}_id, min({kind}_name), count(*) AS movies, count(*) OVER () FROM {items} n "
        f"ANTI JOIN (SELECT {kind}_id FROM {items} WHERE delivery_month >= ? AND delivery_month < ?) b "
        f"USING ({kind}_id) WHERE delivery_month = ? GROUP BY 1 ORDER BY movies DESC, 1 LIMIT {_SHOWN}",
        since, scope.month, scope.month,
    )  # fmt: skip
    new = found[0][-1] if found else 0
    message = f"{new:,} of {count:,} ids are new since {since:%Y-%m}."
    offenders = new if new > HIGHEST_NEW_SHARE[kind] * count else 0
    worst = [row[:-1] for row in found]
    return Findings(offenders, message, {"ids": count, "new_ids": new}, worst, (f"{kind}_id", "name", "movies"))


def names_stay_with_their_ids(scope: Scope, items: str, kind: str) -> Findings:
    """An id has a name that it had before."""
    since = whole_history_before(scope)
    if since is None:
        return Findings(0, f"Names; {_FIRST}", {"renamed_ids": 0})
    pairs = f"SELECT DISTINCT {kind}_id AS id, {kind}_name AS name FROM {items} WHERE delivery_month = ?"
    renamed = scope.fetch(
        f"WITH now AS ({pairs}), before AS ({pairs}), kept AS (SELECT id FROM now JOIN before USING (id, name)) "
        "SELECT id, min(before.name), min(now.name), count(*) OVER () FROM now JOIN before USING (id) "
        f"ANTI JOIN kept USING (id) GROUP BY id ORDER BY id LIMIT {_SHOWN}",
        scope.month, since,
    )  # fmt: skip
    count = renamed[0][-1] if renamed else 0
    ids = scope.value(f"SELECT count(DISTINCT {kind}_id) FROM {items} WHERE delivery_month = ?", scope.month)
    message = f"{count:,} of {ids:,} ids have another name than in {since:%Y-%m}."
    offenders = count if count > HIGHEST_RENAMED_SHARE[kind] * ids else 0
    return Findings(offenders, message, {"renamed_ids": count}, [row[:-1] for row in renamed],
                    (f"{kind}_id", "name before", "name now"))  # fmt: skip


_ITEMS = {"genre": (PARSED_GENRES, "parsed.parsed_genres"), "company": (PARSED_COMPANIES, "parsed.parsed_companies")}
_NEW = {
    "genre": "A new genre is rare. If it warns, see whether it is a genre at all: ids of another list are new, too.",
    "company": "New companies are usual, most of a month's are not. If it warns, ask the provider whether the ids "
    "were numbered anew.",
}
_RENAMED = {
    "genre": "A genre keeps its name. If it warns, tell the readers of the metrics, which show the new name.",
    "company": "At most 1 % of the companies have a new name. If it warns, ids may have been given to others: ask the "
    "provider before comparing years of a company.",
}

CHECKS = (
    Check(
        "amounts_stay_known", PARSED_MOVIES,
        "Budget and revenue are unknown for about the same share of the same movies as in the whole history before "
        "(at most 5 points more). If it warns, sums of this month are lower because less is known: ask the provider.",
        blocking=False, find=amounts_stay_known,
    ),
    Check(
        "popularity_keeps_its_scale", PARSED_MOVIES,
        "The median movie's popularity is between half and double of what it was. If it warns, TMDB may score in "
        "another way: do not compare popularity across this month.",
        blocking=False, find=popularity_keeps_its_scale,
    ),
    *(
        Check("ids_are_known", table, _NEW[kind], blocking=False,
              find=partial(ids_are_known, items=items, kind=kind))
        for kind, (table, items) in _ITEMS.items()
    ),
    *(
        Check("names_stay_with_their_ids", table, _RENAMED[kind], blocking=False,
              find=partial(names_stay_with_their_ids, items=items, kind=kind))
        for kind, (table, items) in _ITEMS.items()
    ),
)  # fmt: skip
