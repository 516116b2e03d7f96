"""The delivered files, each declared once: columns, key, what they become, nested lists, what may be broken in them.

The reader, the raw and parsed tables, their assets and checks derive from these declarations.
Source: The Movies Dataset (Kaggle, rounakbanik/the-movies-dataset).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Attribute:
    """A typed column: `cast` (`parsed.casts`) makes the values of column `name` from those of column `delivered`.

    A record whose required value does not fit its cast is rejected; another value is nulled.
    """

    delivered: str
    name: str
    cast: str
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class ItemField:
    """A value of a list's items: the key `delivered` of an item becomes column `name`.

    `kind` says what it may be: an `id` or a `count` (whole numbers, of either sign and from 0), `text`, TMDB's number
    of a `gender`, or `ignored`. An item without a required value is dropped.
    """

    delivered: str
    name: str = ""
    kind: Literal["id", "count", "text", "gender", "ignored"] = "ignored"
    meaning: str = ""
    required: bool = False


@dataclass(frozen=True)
class NestedList:
    """A delivered column with a list of items, or with one item where it `is_single`.

    `kind` and `plural` name what the items are: columns `company_id` and `company_name`, tables `parsed_companies`,
    `companies` and `movie_companies`. `fields` are in the order in which the data set writes them; `key` is the column
    that is unique in a list.
    """

    column: str
    kind: str
    plural: str
    fields: tuple[ItemField, ...]
    key: str
    is_single: bool = False

    @property
    def columns(self) -> tuple[ItemField, ...]:
        """The fields that become columns, the key first."""
        return tuple(sorted((f for f in self.fields if f.name), key=lambda f: f.name != self.key))


@dataclass(frozen=True)
class Source:
    """A file of the data set.

    `names` are the file's, without `.csv`, the preferred one first; `subject` names its raw table (`raw_movies`) and
    its table of typed records (`parsed_movies`), unless `records` does. `columns` are the required ones, in the order
    of the data set, with what they hold; `key` identifies a record, `attributes` are its other values. Records that a
    stray line break in column `breaks_in` tore apart are joined again.
    """

    names: tuple[str, ...]
    subject: str
    columns: Mapping[str, str]
    key: tuple[Attribute, ...]
    attributes: tuple[Attribute, ...] = ()
    nested: tuple[NestedList, ...] = ()
    breaks_in: str | None = None
    records: str = ""
    optional: bool = True

    @property
    def name(self) -> str:
        """The name of the file that is preferred."""
        return self.names[0]

    @property
    def movie_id(self) -> str | None:
        """The delivered column with TMDB's number of the movie, if there is one."""
        found = (a.delivered for a in (*self.key, *self.attributes) if a.name == "movie_id")
        return next(found, None)


def _named_items(column: str, kind: str, plural: str, *, name_first: bool = False) -> NestedList:
    fields = (
        ItemField("id", f"{kind}_id", "id", f"TMDB's number of the {kind}", required=True),
        ItemField("name", f"{kind}_name", "text", f"name of the {kind} in this record", required=True),
    )
    return NestedList(column, kind, plural, fields[::-1] if name_first else fields, f"{kind}_id")


def _coded_items(column: str, kind: str, plural: str, code: str) -> NestedList:
    meaning = f"code of the {kind} ({code.replace('_', ' ').upper()})"
    fields = (
        ItemField(code, f"{kind}_code", "text", meaning, required=True),
        ItemField("name", f"{kind}_name", "text", f"name of the {kind} in this record"),
    )
    return NestedList(column, kind, plural, fields, f"{kind}_code")


_PERSON = (
    ItemField("gender", "gender", "gender", "female, male or non-binary; null when unknown"),
    ItemField("id", "person_id", "id", "TMDB's number of the person", required=True),
)
_CREDIT_ID = ItemField("credit_id", "credit_id", "text", "TMDB's key of the credit", required=True)
_PERSON_NAME = ItemField("name", "person_name", "text", "name of the person in this record", required=True)
_MOVIE = Attribute("id", "movie_id", "id", "TMDB's number of the movie")
_MOVIELENS = Attribute("movieId", "movielens_id", "id", "MovieLens' number of the movie")

GENRES = _named_items("genres", "genre", "genres")
COMPANIES = _named_items("production_companies", "company", "companies", name_first=True)
COUNTRIES = _coded_items("production_countries", "country", "countries", "iso_3166_1")
LANGUAGES = _coded_items("spoken_languages", "language", "languages", "iso_639_1")
COLLECTIONS = NestedList(
    "belongs_to_collection", "collection", "collections",
    (
        ItemField("id", "collection_id", "id", "TMDB's number of the collection", required=True),
        ItemField("name", "collection_name", "text", "name of the collection in this record", required=True),
        ItemField("poster_path"),
        ItemField("backdrop_path"),
    ),
    key="collection_id",
    is_single=True,
)  # fmt: skip
CAST = NestedList(
    "cast", "person", "cast",
    (
        ItemField("cast_id"),
        ItemField("character", "character_name", "text", "who is played"),
        _CREDIT_ID,
        *_PERSON,
        _PERSON_NAME,
        ItemField("order", "cast_order", "count", "place in the billing, from 0"),
        ItemField("profile_path"),
    ),
    key="credit_id",
)  # fmt: skip
CREW = NestedList(
    "crew", "person", "crew",
    (
        _CREDIT_ID,
        ItemField("department", "department", "text", "department of the job"),
        *_PERSON,
        ItemField("job", "job", "text", "what the person did"),
        _PERSON_NAME,
        ItemField("profile_path"),
    ),
    key="credit_id",
)  # fmt: skip
KEYWORDS = _named_items("keywords", "keyword", "keywords")

MOVIES_METADATA = Source(
    ("movies_metadata",),
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
    key=(_MOVIE,),
    attributes=(
        Attribute("imdb_id", "imdb_id", "text", "IMDb's number of the movie"),
        Attribute("title", "title", "text", "title in English"),
        Attribute("original_title", "original_title", "text", "title in the original language"),
        Attribute("original_language", "original_language", "text", "two-letter code of the original language"),
        Attribute("release_date", "release_date", "date", "first release"),
        Attribute("budget", "budget_usd", "amount", "budget in US dollars; null when unknown"),
        Attribute("revenue", "revenue_usd", "amount", "revenue in US dollars; null when unknown"),
        Attribute("popularity", "popularity", "number", "TMDB's popularity score"),
        Attribute("vote_average", "vote_average", "number", "mean of the votes, 0 to 10"),
        Attribute("vote_count", "vote_count", "whole", "number of votes"),
        Attribute("runtime", "runtime_minutes", "number", "runtime in minutes"),
        Attribute("status", "status", "text", "Released, Rumored, ..."),
    ),
    nested=(GENRES, COMPANIES, COUNTRIES, LANGUAGES, COLLECTIONS),
    breaks_in="overview",
    optional=False,
)
CREDITS = Source(
    ("credits",),
    "credits",
    columns={
        "cast": "nested: list of {credit_id, id, name, character, order, ...}",
        "crew": "nested: list of {credit_id, id, name, department, job, ...}",
        "id": "TMDB's number of the movie",
    },
    key=(_MOVIE,),
    nested=(CAST, CREW),
)
KEYWORD_LISTS = Source(
    ("keywords",),
    "keywords",
    columns={"id": "TMDB's number of the movie", "keywords": "nested: list of {id, name}"},
    key=(_MOVIE,),
    nested=(KEYWORDS,),
    records="keyword_lists",
)
LINKS = Source(
    ("links", "links_small"),
    "links",
    columns={
        "movieId": "MovieLens' number of the movie",
        "imdbId": "IMDb's number of the movie, without tt",
        "tmdbId": "TMDB's number of the movie",
    },
    key=(_MOVIELENS,),
    attributes=(
        Attribute("tmdbId", "movie_id", "id", "TMDB's number of the movie; null where the link leads nowhere"),
        Attribute("imdbId", "imdb_id", "imdb_id", "IMDb's number of the movie: tt and at least seven digits"),
    ),
)
RATINGS = Source(
    ("ratings", "ratings_small"),
    "ratings",
    columns={
        "userId": "MovieLens' number of the user",
        "movieId": "MovieLens' number of the movie",
        "rating": "stars, above 0 and at most 5",
        "timestamp": "seconds since 1970",
    },
    key=(Attribute("userId", "user_id", "id", "MovieLens' number of the user"), _MOVIELENS),
    attributes=(
        Attribute("rating", "rating", "rating", "stars, above 0 and at most 5", required=True),
        Attribute("timestamp", "rated_at", "seconds", "when it was given (UTC)"),
    ),
)

SOURCES = (MOVIES_METADATA, CREDITS, KEYWORD_LISTS, LINKS, RATINGS)
ARCHIVE = "the-movies-dataset.zip"  # all files of a delivery in one
FILE_NAMES = tuple(name for source in SOURCES for name in source.names)  # that a delivery may bring
