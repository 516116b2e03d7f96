"""How the popularity of genres developed from delivery to delivery, from the history of the movies."""

import pandas as pd

from movies_platform.contracts.metrics import GENRE_POPULARITY_BY_MONTH
from movies_platform.metrics.asset import metric

# `fsum` and `round` (TMDB gives six decimals): the sum of the same numbers in another order is the same number.
# A movie counts in each month from its first delivery on, with the popularity of the version that holds then.
BY_MONTH = """
WITH held AS (
    SELECT movie_id, popularity, unnest(generate_series(
        valid_from,
        coalesce(valid_to - INTERVAL 1 MONTH, (SELECT max(delivery_month) FROM movies)),
        INTERVAL 1 MONTH
    ))::DATE AS month
    FROM movie_history
)
SELECT
    month, genre_id, any_value(genre_name) AS genre_name, count(*) AS movies,
    round(fsum(popularity), 6) AS total_popularity, total_popularity / count(popularity) AS mean_popularity,
    median(popularity) AS median_popularity, max(popularity) AS max_popularity
FROM held JOIN movie_genres USING (movie_id) JOIN genres USING (genre_id)
GROUP BY month, genre_id ORDER BY month, genre_id
"""


@metric(
    GENRE_POPULARITY_BY_MONTH,
    movie_history=["movie_id", "valid_from", "valid_to", "popularity"],
    movies=["movie_id", "delivery_month"],
)
def genre_popularity_by_month(
    movie_history: pd.DataFrame, movies: pd.DataFrame, movie_genres: pd.DataFrame, genres: pd.DataFrame
) -> pd.DataFrame:
    """The popularity of each genre's movies as it was in each month."""
    import duckdb

    with duckdb.connect() as connection:
        for name, frame in {"movie_history": movie_history, "movies": movies, "movie_genres": movie_genres,
                            "genres": genres}.items():  # fmt: skip
            connection.register(name, frame)
        return connection.execute(BY_MONTH).df()
