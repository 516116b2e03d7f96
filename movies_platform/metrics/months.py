"""How the popularity of genres developed from delivery to delivery, from the history of the movies."""

from movies_platform.contracts.metrics import GENRE_POPULARITY_BY_MONTH
from movies_platform.contracts.relations import Relation
from movies_platform.metrics.metric import metric
from movies_platform.metrics.releases import named

# Popularity is delivered with six decimals. Rounded to them, a sum of millions is the same whoever adds first.
_TOTAL = "round(fsum(popularity), 6)"


def held_by_month(movie_history: Relation, movies: Relation) -> Relation:
    """Each movie in each calendar month from its first delivery to the newest, with the values that held then."""
    newest = movies.aggregate("max(delivery_month) AS newest")
    last = "coalesce(valid_to - INTERVAL 1 MONTH, newest)"
    month = f"unnest(generate_series(valid_from, {last}, INTERVAL 1 MONTH))::DATE AS month"
    return movie_history.cross(newest).project(f"movie_id, popularity, {month}")


@metric(GENRE_POPULARITY_BY_MONTH)
def genre_popularity_by_month(
    movie_history: Relation, movies: Relation, movie_genres: Relation, genres: Relation
) -> Relation:
    """The popularity of each genre's movies as it was in each month."""
    popularity = held_by_month(movie_history, movies).join(movie_genres, "movie_id").aggregate(
        f"month, genre_id, count(*) AS movies, {_TOTAL} AS total_popularity, "
        f"{_TOTAL} / count(popularity) AS mean_popularity, median(popularity) AS median_popularity, "
        "max(popularity) AS max_popularity",
        "month, genre_id",
    )  # fmt: skip
    return named(popularity, genres)
