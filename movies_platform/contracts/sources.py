"""The delivered files, each declared once: names, columns, key, nested lists, what may be broken in them.

The reader, the raw tables, the parsed lists, their checks and the made-up samples derive from these declarations.
Source: The Movies Dataset (Kaggle, rounakbanik/the-movies-dataset).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class NestedList:
    """A delivered column with a list of items, each an integer `id` and a `name`.

    `kind` and `plural` name what the items are: columns `company_id` and `company_name`, tables `parsed_companies`,
    `companies` and `movie_companies`.
    """

    column: str
    kind: str
    plural: str


@dataclass(frozen=True)
class Source:
    """A file of the data set.

    `name` is the file's, without `.csv`; `subject` names its tables (`raw_movies`, `parsed_movies`); `columns` are
    the required ones, in the order of the data set, with what they hold; `key` identifies a record. Records that a
    stray line break in column `breaks_in` tore apart are joined again.
    """

    name: str
    subject: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    nested: tuple[NestedList, ...] = ()
    breaks_in: str | None = None


GENRES = NestedList("genres", "genre", "genres")
COMPANIES = NestedList("production_companies", "company", "companies")

MOVIES_METADATA = Source(
    "movies_metadata",
    "movies",
    columns={
        "adult": "True or False",
        "belongs_to_collection": "nested: the series the movie belongs to",
        "budget": "US dollars; 0 means unknown",
        "genres": "nested: list of {id, name}",
        "homepage": "the movie's own page",
        "id": "TMDB's number of the movie",
        "imdb_id": "IMDb's number of the movie",
        "original_language": "two-letter code",
        "original_title": "title in the original language",
        "overview": "what happens in the movie",
        "popularity": "TMDB's popularity score",
        "poster_path": "path of the poster at TMDB",
        "production_companies": "nested: list of {id, name}",
        "production_countries": "nested: list of {iso_3166_1, name}",
        "release_date": "YYYY-MM-DD or MM/DD/YYYY",
        "revenue": "US dollars; 0 means unknown",
        "runtime": "minutes",
        "spoken_languages": "nested: list of {iso_639_1, name}",
        "status": "Released, Rumored, ...",
        "tagline": "the line on the poster",
        "title": "title in English",
        "video": "True or False",
        "vote_average": "mean of the votes, 0 to 10",
        "vote_count": "number of votes",
    },
    key=("id",),
    nested=(GENRES, COMPANIES),
    breaks_in="overview",
)

ARCHIVE = "the-movies-dataset.zip"  # all files of a delivery in one
# Every file that a delivery may bring; of the others nothing is read yet.
FILE_NAMES = (MOVIES_METADATA.name, "credits", "keywords", "links", "links_small", "ratings", "ratings_small")
