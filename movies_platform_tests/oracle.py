"""Every table of core and metrics that the specification names, computed again from the deliveries by plain loops.

An oracle for tests: standard library only, and nothing of movies_platform. `oracle_reading` reads the files.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import fsum
from statistics import median
from typing import Any, NamedTuple

from movies_platform_tests.oracle_reading import Account, Delivery, Issue, Month, RefusedError, read_delivery

Row = tuple[Any, ...]

_MONEY = {
    f"metrics.{kind}_{what}_by_year":
        (f"{kind}_id", "year", f"{kind}_name", "movies", f"movies_with_{what}", f"{what}_usd", f"{what}_share_usd")
    for kind in ("company", "genre") for what in ("budget", "revenue", "profit")
}  # fmt: skip
_RATED = ("movies", "votes", "mean_vote", "weighted_rating", "ratings", "mean_rating")
COLUMNS: dict[str, tuple[str, ...]] = {
    "raw.data_issues": Issue._fields,
    "core.movies": (
        "movie_id", "imdb_id", "title", "original_title", "original_language", "release_date", "release_year",
        "release_month", "budget_usd", "revenue_usd", "popularity", "vote_average", "vote_count", "runtime_minutes",
        "status", "delivery_month", "collection_id",
    ),
    "core.genres": ("genre_id", "genre_name"),
    "core.companies": ("company_id", "company_name"),
    "core.movie_genres": ("movie_id", "genre_id"),
    "core.movie_companies": ("movie_id", "company_id"),
    "core.collections": ("collection_id", "collection_name"),
    "core.countries": ("country_code", "country_name"),
    "core.movie_countries": ("movie_id", "country_code"),
    "core.languages": ("language_code", "language_name"),
    "core.movie_languages": ("movie_id", "language_code"),
    "core.people": ("person_id", "person_name", "gender"),
    "core.movie_cast": ("movie_id", "credit_id", "person_id", "character_name", "cast_order"),
    "core.movie_crew": ("movie_id", "credit_id", "person_id", "department", "job"),
    "core.keywords": ("keyword_id", "keyword_name"),
    "core.movie_keywords": ("movie_id", "keyword_id"),
    "core.movie_links": ("movielens_id", "movie_id", "imdb_id"),
    "core.ratings": ("user_id", "movielens_id", "movie_id", "rating", "rated_at"),
    **_MONEY,
    "metrics.company_releases_by_genre_by_year":
        ("company_id", "genre_id", "year", "company_name", "genre_name", "releases"),
    "metrics.company_popularity_by_year":
        ("company_id", "year", "company_name", "movies", "mean_popularity", "median_popularity", "max_popularity"),
    "metrics.genre_popularity_by_year":
        ("genre_id", "year", "genre_name", "movies", "total_popularity", "mean_popularity", "median_popularity",
         "max_popularity"),
    "metrics.most_popular_genre_by_year": ("year", "measure", "genre_id", "genre_name", "popularity", "movies"),
    "metrics.movie_ratings": ("movie_id", *_RATED[1:]),
    "metrics.genre_ratings_by_year": ("genre_id", "year", "genre_name", *_RATED),
    "metrics.company_ratings_by_year": ("company_id", "year", "company_name", *_RATED),
    "metrics.best_rated_genre_by_year": ("year", "measure", "genre_id", "genre_name", "value", "movies"),
}  # fmt: skip


class Refused(NamedTuple):
    """A delivery, by its place in the list, and why it is refused."""

    position: int
    file: str
    reason: str


class Expected(NamedTuple):
    """What the platform must hold.

    `tables` has the rows of each table of COLUMNS, in no order. `rated_at` is in seconds since 1970; sums and means are
    not rounded. `refused` has one entry for each refused delivery; `accounts` one for each file of the months that
    count, by "2017-11" and file.
    """

    tables: dict[str, list[Row]]
    refused: list[Refused]
    accounts: dict[tuple[str, str], Account]


def expected(deliveries: Iterable[Delivery]) -> Expected:
    """All tables after these deliveries; of the accepted ones of a month the last counts, as a whole."""
    months, refused = {}, []
    for position, delivery in enumerate(deliveries):
        try:
            months[delivery.month] = read_delivery(delivery)
        except RefusedError as error:
            refused.append(Refused(position, error.file, error.reason))
    ordered = dict(sorted(months.items()))
    core = Core(ordered)
    tables = {
        "raw.data_issues": [tuple(issue) for month in ordered.values() for issue in month.issues],
        **core.tables(),
        **Metrics(core).tables(),
    }
    accounts = {
        (f"{m:%Y-%m}", file): account for m, found in ordered.items() for file, account in found.accounts.items()
    }
    return Expected(tables, refused, accounts)


def most_frequent(months: Iterable[Iterable[tuple[Any, str | None]]]) -> dict[Any, str]:
    """For each id the most frequent text in the newest month that has one, ties alphabetically first."""
    chosen: dict[Any, str] = {}
    for rows in months:
        counts: dict[Any, Counter[str]] = defaultdict(Counter)
        for key, text in rows:
            if text is not None:
                counts[key][text] += 1
        chosen |= {key: min(texts, key=lambda t, texts=texts: (-texts[t], t)) for key, texts in counts.items()}
    return chosen


class Core:
    """The present state, from months in their order."""

    def __init__(self, months: Mapping[Any, Month]):
        self.months = list(months.values())
        self.movies: dict[int, dict[str, Any]] = {}
        for month, found in months.items():
            self.movies |= {number: {**movie, "delivery_month": month} for number, movie in found.movies.items()}
        self.credits = self._newest("credits")
        self.keywords = self._newest("keywords")
        self.links = {k: link for k, link in self._newest("links").items() if link[0] in self.movies}
        self.ratings = {
            (user, movielens): (self.links[movielens][0], *rating)
            for (user, movielens), rating in self._newest("ratings").items()
            if movielens in self.links
        }
        self.genre_names = self._names_of_items("genres")
        self.company_names = self._names_of_items("companies")

    def _newest(self, kind: str) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for month in self.months:
            found |= getattr(month, kind)
        return found

    def _names_of_items(self, column: str) -> dict[Any, str]:
        return most_frequent((i for m in month.movies.values() for i in m[column]) for month in self.months)

    def _credits(self, part: str) -> Iterator[Row]:
        """(movie_id, *credit) of present movies."""
        for number, credits in self.credits.items():
            if number in self.movies:
                yield from ((number, *item) for item in credits[part])

    def _people(self, used: set[int]) -> list[Row]:
        def said(column: int) -> dict[int, str]:
            return most_frequent(
                ((item[1], item[column]) for c in month.credits.values() for item in (*c["cast"], *c["crew"]))
                for month in self.months
            )

        names, genders = said(2), said(3)
        return [(person, names[person], genders.get(person)) for person in used]

    def tables(self) -> dict[str, list[Row]]:
        """The rows of all tables of core."""
        found: dict[str, list[Row]] = {
            "movies": [tuple(movie[column] for column in COLUMNS["core.movies"]) for movie in self.movies.values()]
        }
        for name in ("genres", "companies", "countries", "languages"):
            pairs = [(number, item[0]) for number, movie in self.movies.items() for item in movie[name]]
            used = {item for _, item in pairs}
            if name == "languages":
                used |= {m["original_language"] for m in self.movies.values()} - {None}
            names = self._names_of_items(name)
            found |= {f"movie_{name}": pairs, name: [(item, names.get(item)) for item in used]}
        collections = self._names_of_items("collections")
        used = {m["collection_id"] for m in self.movies.values()} - {None}
        found["collections"] = [(number, collections[number]) for number in used]
        cast, crew = list(self._credits("cast")), list(self._credits("crew"))
        found["movie_cast"] = [(m, credit, person, character, order)
                               for m, credit, person, _, _, character, order, _, _ in cast]  # fmt: skip
        found["movie_crew"] = [(m, credit, person, dept, job) for m, credit, person, _, _, _, _, dept, job in crew]
        found["people"] = self._people({row[2] for row in (*cast, *crew)})
        pairs = [(m, item[0]) for m, items in self.keywords.items() if m in self.movies for item in items]
        keywords = most_frequent((i for items in month.keywords.values() for i in items) for month in self.months)
        found |= {"movie_keywords": pairs, "keywords": [(k, keywords[k]) for k in {k for _, k in pairs}]}
        found["movie_links"] = [(movielens, *link) for movielens, link in self.links.items()]
        found["ratings"] = [(*key, *rating) for key, rating in self.ratings.items()]
        return {f"core.{name}": rows for name, rows in found.items()}


def mean(values: Sequence[float]) -> float | None:
    return fsum(values) / len(values) if values else None


def percentile_90(values: Iterable[int]) -> float:
    """With linear interpolation between the two nearest."""
    ordered = sorted(values)
    at, tenths = divmod(9 * (len(ordered) - 1), 10)
    return ordered[at] + (ordered[at + 1] - ordered[at]) * tenths / 10 if tenths else float(ordered[at])


def profit(movie: Mapping[str, Any]) -> float | None:
    budget, revenue = movie["budget_usd"], movie["revenue_usd"]
    return None if budget is None or revenue is None else revenue - budget


AMOUNTS: dict[str, Callable[[Mapping[str, Any]], float | None]] = {
    "budget": lambda m: m["budget_usd"],
    "revenue": lambda m: m["revenue_usd"],
    "profit": profit,
}


class Metrics:
    """The questions, over the present state."""

    def __init__(self, core: Core):
        self.movies = core.movies
        self.names = {"genre": core.genre_names, "company": core.company_names}
        self.groups = {"genre": self._by_year("genres"), "company": self._by_year("companies")}
        self.rated: dict[int, list[float]] = defaultdict(list)
        for movie, rating, _ in core.ratings.values():
            self.rated[movie].append(rating)
        self.voted = {
            number: (m["vote_count"], m["vote_average"])
            for number, m in self.movies.items()
            if m["vote_count"] and m["vote_average"] is not None
        }
        self.weighted: dict[int, float] = {}
        if self.voted:
            least = percentile_90(votes for votes, _ in self.voted.values())
            middle = mean([vote for _, vote in self.voted.values()]) or 0.0
            self.weighted = {
                number: v / (v + least) * r + least / (v + least) * middle for number, (v, r) in self.voted.items()
            }

    def _by_year(self, column: str) -> dict[tuple[int, int], list[dict[str, Any]]]:
        found: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
        for movie in self.movies.values():
            if movie["release_year"] is not None:
                for item in movie[column]:
                    found[item[0], movie["release_year"]].append(movie)
        return found

    def _money(self, kind: str, what: str) -> Iterator[Row]:
        column = {"genre": "genres", "company": "companies"}[kind]
        for (group, year), movies in self.groups[kind].items():
            known = [(value, len(m[column])) for m in movies if (value := AMOUNTS[what](m)) is not None]
            full = fsum(value for value, _ in known) if known else None
            share = fsum(value / groups for value, groups in known) if known else None
            yield group, year, self.names[kind][group], len(movies), len(known), full, share

    def _popularity(self, kind: str) -> Iterator[tuple[int, int, list[float], list[float | None]]]:
        """(group, year, known popularities, [total, mean, median, max])."""
        for (group, year), movies in self.groups[kind].items():
            known = [m["popularity"] for m in movies if m["popularity"] is not None]
            yield group, year, known, [fsum(known), mean(known), median(known), max(known)] if known else [None] * 4

    def _most_popular(self) -> Iterator[Row]:
        rivals: dict[tuple[int, str], list[tuple[float, int, int]]] = defaultdict(list)
        for genre, year, known, values in self._popularity("genre"):
            for measure, value in zip(("total", "mean", "median", "max"), values, strict=True):
                if value is not None:
                    rivals[year, measure].append((value, len(known), genre))
        return self._winners(rivals)

    def _best_rated(self, rows: Iterable[Row]) -> Iterator[Row]:
        rivals: dict[tuple[int, str], list[tuple[float, int, int]]] = defaultdict(list)
        for genre, year, _, movies, *values in rows:
            for measure, value in zip(_RATED[1:], values, strict=True):
                if value is not None and value > 0:
                    rivals[year, measure].append((value, movies, genre))
        return self._winners(rivals)

    def _winners(self, rivals: Mapping[tuple[int, str], list[tuple[float, int, int]]]) -> Iterator[Row]:
        for (year, measure), given in rivals.items():
            value, movies, genre = min(given, key=lambda r: (-round(r[0], 9), -r[1], r[2]))
            yield year, measure, genre, self.names["genre"][genre], value, movies

    def _ratings_by_year(self, kind: str) -> Iterator[Row]:
        for (group, year), movies in self.groups[kind].items():
            numbers = [movie["movie_id"] for movie in movies]
            voted = [self.voted[n] for n in numbers if n in self.voted]
            votes = sum(v for v, _ in voted)
            single = list(itertools.chain.from_iterable(self.rated.get(n, ()) for n in numbers))
            yield (
                group, year, self.names[kind][group], len(movies), votes,
                fsum(v * r for v, r in voted) / votes if votes else None,
                mean([self.weighted[n] for n in numbers if n in self.voted]), len(single), mean(single),
            )  # fmt: skip

    def _movie_ratings(self) -> Iterator[Row]:
        for number in self.voted.keys() | self.rated.keys():
            ratings = self.rated.get(number, [])
            votes, vote = self.voted.get(number, (None, None))
            yield number, votes, vote, self.weighted.get(number), len(ratings), mean(ratings)

    def _releases(self) -> Iterator[Row]:
        counts = Counter(
            (company, genre[0], year)
            for (company, year), movies in self.groups["company"].items()
            for movie in movies
            for genre in movie["genres"]
        )
        for (company, genre, year), releases in counts.items():
            yield company, genre, year, self.names["company"][company], self.names["genre"][genre], releases

    def tables(self) -> dict[str, list[Row]]:
        """The rows of all tables of metrics."""
        found: dict[str, Iterable[Row]] = {
            f"{kind}_{what}_by_year": self._money(kind, what) for kind in self.groups for what in AMOUNTS
        }
        for kind, first in (("genre", 0), ("company", 1)):  # companies have no total
            found[f"{kind}_popularity_by_year"] = [
                (group, year, self.names[kind][group], len(self.groups[kind][group, year]), *values[first:])
                for group, year, _, values in self._popularity(kind)
            ]
        genres = list(self._ratings_by_year("genre"))
        found |= {
            "company_releases_by_genre_by_year": self._releases(),
            "most_popular_genre_by_year": self._most_popular(),
            "movie_ratings": self._movie_ratings(),
            "genre_ratings_by_year": genres,
            "company_ratings_by_year": self._ratings_by_year("company"),
            "best_rated_genre_by_year": self._best_rated(genres),
        }
        return {f"metrics.{name}": list(rows) for name, rows in found.items()}
