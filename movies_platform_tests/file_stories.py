"""For each check on credits, keywords, links and ratings: what makes it pass, what makes it fail.

As in `data_stories`: the month that is judged is MONTH, the whole history before it BEFORE.
"""

import datetime as dt

from movies_platform_tests.data_stories import BEFORE, MONTH, Connection, Story, deliver, many
from movies_platform_tests.test_contracts_rows import add


def ratings(connection: Connection, month: dt.date, count: int, **given: object) -> None:
    """A delivery with `count` ratings, each by a user of its own; 4 stars in May 2017, the first of them in June."""
    deliver(connection, month, count, "ratings.csv")
    may = "CASE WHEN i = 1 THEN TIMESTAMP '2017-06-01' ELSE TIMESTAMP '2017-05-01 12:00:00' END"
    values = {"user_id": "i", "movielens_id": "1", "record_number": "i", "rating": "4", "rated_at": may}
    many(connection, "parsed.parsed_ratings", count, delivery_month=month, **{**values, **given})


def rated(now: int, before: int, **given: object) -> Story:
    """So many ratings now and in the whole history before; the values now."""

    def tell(connection: Connection) -> None:
        ratings(connection, BEFORE, before)
        ratings(connection, MONTH, now, **given)

    return tell


def credited(group: str, people: int) -> Story:
    """A movie with ten people before and so many now, and one without any, both times."""

    def tell(connection: Connection) -> None:
        for month, count in ((BEFORE, 10), (MONTH, people)):
            deliver(connection, month, 2, "credits.csv")
            many(connection, "parsed.parsed_credits", 2, delivery_month=month, movie_id="i", record_number="i")
            many(connection, f"parsed.parsed_{group}", count, delivery_month=month, credit_id="i")

    return tell


def of_movies(kind: str, unknown: int, unknown_before: int) -> Story:
    """1,000 records of a kind of file, now and before, of which so many are of movies that are not present."""
    file = {"keyword_lists": "keywords.csv"}.get(kind, f"{kind}.csv")
    key = "movielens_id" if kind == "ratings" else "movie_id"
    own = {"links": "movielens_id", "ratings": "user_id"}.get(kind)

    def tell(connection: Connection) -> None:
        many(connection, "core.movies", 1_000, movie_id="i")
        many(connection, "core.movie_links", 1_000, movielens_id="i", movie_id="i")
        for month, count in ((BEFORE, unknown_before), (MONTH, unknown)):
            deliver(connection, month, 1_000, file)
            many(connection, f"parsed.parsed_{kind}", 1_000, delivery_month=month, record_number="i",
                 **{key: f"i + {count}", **({own: "i"} if own else {})})  # fmt: skip

    return tell


def linked(**stored: object) -> Story:
    """A link whose movie is now 2, one that now leads nowhere, and what core holds."""

    def tell(connection: Connection) -> None:
        for number in (1, 2):
            add(connection, "core.movies", movie_id=number)
        for month, movie, nowhere in ((BEFORE, 1, 1), (MONTH, 2, None)):
            add(connection, "parsed.parsed_links", delivery_month=month, movielens_id=1, movie_id=movie, imdb_id="tt1")
            add(connection, "parsed.parsed_links", delivery_month=month, movielens_id=2, movie_id=nowhere)
        add(connection, "core.movie_links", **{"movielens_id": 1, "movie_id": 2, "imdb_id": "tt1", **stored})

    return tell


def starred(**stored: object) -> Story:
    """A rating that is now 5, one of a movie without a link, and what core holds."""

    def tell(connection: Connection) -> None:
        add(connection, "core.movie_links", movielens_id=1, movie_id=7)
        for month, stars in ((BEFORE, 3.0), (MONTH, 5.0)):
            add(connection, "parsed.parsed_ratings", delivery_month=month, rating=stars, rated_at=None)
        add(connection, "parsed.parsed_ratings", movielens_id=2)
        add(connection, "core.ratings", **{"movie_id": 7, "rating": 5.0, "rated_at": None, **stored})

    return tell


def opinions(*movies: int, votes: int = 8, ratings: int = 2) -> Story:
    """Movie 1 has 8 votes and 2 ratings, 2 has ratings only, 3 nothing: those that metrics has, and what of 1."""

    def tell(connection: Connection) -> None:
        for movie, vote_count in ((1, 8), (2, 0), (3, None)):
            add(connection, "core.movies", movie_id=movie, vote_count=vote_count)
        for user in (1, 2):
            add(connection, "core.ratings", user_id=user, movielens_id=1, movie_id=1)
            add(connection, "core.ratings", user_id=user, movielens_id=2, movie_id=2)
        for movie in movies:
            first = {"votes": votes, "ratings": ratings} if movie == 1 else {"votes": None, "ratings": 2}
            add(connection, "metrics.movie_ratings", movie_id=movie, **first)

    return tell


def best(**values: float) -> Story:
    """A year in which genres have votes up to 9 and mean_rating up to 4, but nothing else, and who won."""

    def tell(connection: Connection) -> None:
        none = {"mean_vote": None, "weighted_rating": None, "ratings": 0}
        for genre, votes, stars in ((1, 9, None), (2, 0, 4.0)):
            add(connection, "metrics.genre_ratings_by_year", year=2000, genre_id=genre, votes=votes, mean_rating=stars,
                **none)  # fmt: skip
        for measure, value in values.items():
            add(connection, "metrics.best_rated_genre_by_year", year=2000, measure=measure, value=value)

    return tell


def yearly_votes(kind: str, votes: int, ratings: int) -> Story:
    """A movie with 8 votes and 2 ratings in two groups, one without any, and what the first group has."""
    links = {"genre": "core.movie_genres", "company": "core.movie_companies"}[kind]

    def tell(connection: Connection) -> None:
        for movie, year in ((1, 2000), (2, 2000), (3, None)):
            add(connection, "core.movies", movie_id=movie, release_year=year)
            for group in (1, 2):
                add(connection, links, movie_id=movie, **{f"{kind}_id": group})
        for movie in (1, 3):
            add(connection, "metrics.movie_ratings", movie_id=movie, votes=8, ratings=2)
        for group, of_group in ((1, (votes, ratings)), (2, (8, 2))):
            add(connection, f"metrics.{kind}_ratings_by_year", year=2000, votes=of_group[0], ratings=of_group[1],
                **{f"{kind}_id": group})  # fmt: skip

    return tell


FILE_STORIES: dict[tuple[str, str], tuple[Story, Story]] = {
    ("raw.raw_ratings", "ratings_are_not_fewer"): (rated(976, 1_000), rated(975, 1_000)),
    ("parsed.parsed_ratings", "ratings_by_month_stay"): (
        rated(600, 1_000, rating="3.5"), rated(600, 1_000, rating="3.4"),
    ),
    ("core.movie_links", "every_link_is_newest"): (linked(), linked(movie_id=1)),
    ("core.ratings", "every_rating_is_newest"): (starred(), starred(rating=3.0)),
    ("metrics.movie_ratings", "movies_are_those_voted_on_or_rated"): (opinions(1, 2), opinions(1)),
    ("metrics.best_rated_genre_by_year", "each_year_has_its_best"): (
        best(votes=9.0, mean_rating=4.0), best(votes=9.0),
    ),
}  # fmt: skip
for _group in ("cast", "crew"):
    FILE_STORIES[f"parsed.parsed_{_group}", "movies_keep_their_people"] = credited(_group, 5), credited(_group, 4)
for _table, _kind in (
    ("movie_cast", "credits"), ("movie_keywords", "keyword_lists"), ("movie_links", "links"), ("ratings", "ratings")
):  # fmt: skip
    FILE_STORIES[f"core.{_table}", "records_are_of_known_movies"] = of_movies(_kind, 30, 10), of_movies(_kind, 31, 10)
for _kind in ("genre", "company"):
    FILE_STORIES[f"metrics.{_kind}_ratings_by_year", "votes_add_up"] = (
        yearly_votes(_kind, 8, 2), yearly_votes(_kind, 8, 1),
    )  # fmt: skip
