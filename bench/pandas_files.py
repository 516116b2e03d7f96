"""The whole data set by a pandas script, as an analyst writes it: ast.literal_eval, explode, merge, groupby.

Usage: python pandas_files.py FOLDER OUTDIR

Reads the unpacked files of a delivery and writes movie_ratings, genre_ratings_by_year, people and keywords as CSV. The
nine questions about movies are pandas_script.py's.
"""

import ast
import sys
from pathlib import Path

import pandas as pd


def items(texts: pd.Series) -> pd.DataFrame:
    """The dictionaries of nested lists, a row each, indexed as the texts are."""
    lists = texts.map(_list).explode().dropna()
    return pd.DataFrame(lists.tolist(), index=lists.index)


def _list(text: object) -> list:
    try:
        value = ast.literal_eval(text) if isinstance(text, str) else []
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    return value if isinstance(value, list) else []


def by_movie(path: Path) -> pd.DataFrame:
    """The records of a file, the last one of each movie, indexed by movie."""
    records = pd.read_csv(path, dtype=str, on_bad_lines="skip", lineterminator="\n")
    records["movie_id"] = pd.to_numeric(records["id"], errors="coerce")
    return records.dropna(subset="movie_id").drop_duplicates("movie_id", keep="last").set_index("movie_id")


def main(folder: Path, outdir: Path) -> None:
    """Compute and write the answers."""
    outdir.mkdir(parents=True, exist_ok=True)
    movies = by_movie(folder / "movies_metadata.csv")
    credits = by_movie(folder / "credits.csv")
    credits = credits[credits.index.isin(movies.index)]
    people = pd.concat([items(credits[column])[["id", "name", "gender"]] for column in ("cast", "crew")])
    people.groupby("id").agg(lambda values: values.mode().iloc[0]).to_csv(outdir / "people.csv")
    keywords = items(by_movie(folder / "keywords.csv")["keywords"])
    keywords.drop_duplicates("id")[["id", "name"]].to_csv(outdir / "keywords.csv", index=False)

    links = pd.read_csv(folder / "links.csv", dtype=str, on_bad_lines="skip")
    links = links.apply(pd.to_numeric, errors="coerce").dropna(subset=["movieId", "tmdbId"])
    links = links[links["tmdbId"].isin(movies.index)]
    ratings = pd.read_csv(folder / "ratings.csv", dtype=str, on_bad_lines="skip").apply(pd.to_numeric, errors="coerce")
    ratings = ratings[ratings["rating"].between(0, 5, inclusive="right")]
    ratings = ratings.drop_duplicates(["userId", "movieId"], keep="last").merge(links, on="movieId")
    rated = ratings.groupby("tmdbId")["rating"].agg(["count", "mean"])
    rated.to_csv(outdir / "movie_ratings.csv")

    genres = items(movies["genres"])["id"].rename("genre_id").to_frame()
    genres["year"] = pd.to_datetime(movies["release_date"], errors="coerce").dt.year.reindex(genres.index)
    yearly = genres.join(rated).dropna(subset="year")
    yearly["stars"] = yearly["count"] * yearly["mean"]
    sums = yearly.groupby(["year", "genre_id"])[["count", "stars"]].sum()
    sums.assign(mean_rating=sums["stars"] / sums["count"]).to_csv(outdir / "genre_ratings_by_year.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
