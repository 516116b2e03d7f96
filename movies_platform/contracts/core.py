"""Contracts of the present state: each movie, credit, keyword, link and rating as the newest month has it."""

import sqlalchemy as sa

from movies_platform.contracts import sources
from movies_platform.contracts.columns import Day, Text, Whole, column, delivery_month, movie_id
from movies_platform.contracts.parsed import GENDERS, PARSED_MOVIES, attribute, item_field, items_table, records_table
from movies_platform.contracts.sources import NestedList, Source
from movies_platform.contracts.tables import METADATA, qualified

_PARSED = qualified(PARSED_MOVIES)
_REFERS_TO = {
    "collection_id": "core.collections.collection_id",
    "original_language": "core.languages.language_code",
    "person_id": "core.people.person_id",
    "movielens_id": "core.movie_links.movielens_id",
}


def _movie_columns() -> list[sa.Column[object]]:
    released = (f"{_PARSED}.release_date",)
    year = column("release_year", Whole, "year of the first release", at_least=1, comes_from=released)
    month = column("release_month", Whole, "month of the first release, 1 to 12", at_least=1, comes_from=released)
    columns = _attributes(sources.MOVIES_METADATA)
    after_date = [c.name for c in columns].index("release_date") + 1
    collection = column(
        "collection_id", Whole, "TMDB's number of the movie's collection", refers_to=_REFERS_TO["collection_id"],
        comes_from="parsed.parsed_collections.collection_id",
    )  # fmt: skip
    return [*columns[:after_date], year, month, *columns[after_date:], collection]


def _attributes(source: Source) -> list[sa.Column[object]]:
    """The columns of the file's records, without key and movie_id."""
    parsed = qualified(records_table(source))
    return [
        attribute(a, f"{parsed}.{a.name}", refers_to=_REFERS_TO.get(a.name))
        for a in source.attributes
        if a.name != "movie_id"
    ]


MOVIES = sa.Table(
    "movies", METADATA,
    movie_id(key=True, comes_from=f"{_PARSED}.movie_id"),
    *_movie_columns(),
    delivery_month(comes_from=f"{_PARSED}.delivery_month"),
    schema="core",
    comment="Each movie once: its version in the newest month that delivers it.",
)  # fmt: skip


def _catalogue(nested: NestedList, key: str, *, name_is_known: bool = True) -> sa.Table:
    parsed = qualified(items_table(nested))
    (identifier,) = (field for field in nested.columns if field.name == key)
    name = f"{nested.kind}_name"
    meaning = "its most frequent name in the newest month that delivers it with one"
    return sa.Table(
        nested.plural, METADATA,
        item_field(identifier, f"{parsed}.{key}", key=True),
        column(name, Text, meaning, null=not name_is_known, comes_from=f"{parsed}.{name}"),
        schema="core",
        comment=f"The {nested.plural} of the present movies.",
    )  # fmt: skip


def _links(nested: NestedList) -> sa.Table:
    parsed = qualified(items_table(nested))
    (identifier,) = (field for field in nested.columns if field.name == nested.key)
    return sa.Table(
        f"movie_{nested.plural}", METADATA,
        movie_id(key=True, refers_to="core.movies.movie_id", comes_from=f"{parsed}.movie_id"),
        item_field(identifier, f"{parsed}.{nested.key}", key=True, refers_to=f"core.{nested.plural}.{nested.key}"),
        schema="core",
        comment=f"Which {nested.plural} each present movie has.",
    )  # fmt: skip


def _credits(nested: NestedList) -> sa.Table:
    parsed = qualified(items_table(nested))
    fields = {field.name: field for field in nested.columns}
    own = [name for name in fields if name not in (nested.key, "person_id", "person_name", "gender")]
    return sa.Table(
        f"movie_{nested.plural}", METADATA,
        movie_id(key=True, refers_to="core.movies.movie_id", comes_from=f"{parsed}.movie_id"),
        item_field(fields[nested.key], f"{parsed}.{nested.key}", key=True),
        *(item_field(fields[name], f"{parsed}.{name}", refers_to=_REFERS_TO.get(name)) for name in ("person_id", *own)),
        schema="core",
        comment=f"The {nested.plural} of the present movies, as the newest month with their credits has it.",
    )  # fmt: skip


GENRES, COMPANIES = _catalogue(sources.GENRES, "genre_id"), _catalogue(sources.COMPANIES, "company_id")
MOVIE_GENRES, MOVIE_COMPANIES = _links(sources.GENRES), _links(sources.COMPANIES)
COLLECTIONS = _catalogue(sources.COLLECTIONS, "collection_id")
COUNTRIES = _catalogue(sources.COUNTRIES, "country_code", name_is_known=False)
LANGUAGES = _catalogue(sources.LANGUAGES, "language_code", name_is_known=False)
MOVIE_COUNTRIES, MOVIE_LANGUAGES = _links(sources.COUNTRIES), _links(sources.LANGUAGES)
KEYWORDS, MOVIE_KEYWORDS = _catalogue(sources.KEYWORDS, "keyword_id"), _links(sources.KEYWORDS)
MOVIE_CAST, MOVIE_CREW = _credits(sources.CAST), _credits(sources.CREW)

_CREDITED = tuple(qualified(items_table(nested)) for nested in (sources.CAST, sources.CREW))
PEOPLE = sa.Table(
    "people", METADATA,
    column("person_id", Whole, "TMDB's number of the person", key=True,
           comes_from=tuple(f"{table}.person_id" for table in _CREDITED)),
    column("person_name", Text, "the most frequent name in the newest month that delivers the person", null=False,
           comes_from=tuple(f"{table}.person_name" for table in _CREDITED)),
    column("gender", Text, "the most frequent known one in the newest month that delivers one", one_of=GENDERS,
           comes_from=tuple(f"{table}.gender" for table in _CREDITED)),
    schema="core",
    comment="The people of the present cast and crew.",
)  # fmt: skip

_LINK, _RATING = qualified(records_table(sources.LINKS)), qualified(records_table(sources.RATINGS))
MOVIE_LINKS = sa.Table(
    "movie_links", METADATA,
    attribute(sources.LINKS.key[0], f"{_LINK}.movielens_id", key=True),
    movie_id(refers_to="core.movies.movie_id", comes_from=f"{_LINK}.movie_id"),
    *_attributes(sources.LINKS),
    schema="core",
    comment="Which present movie each of MovieLens' movies is. Several may be one.",
)  # fmt: skip
RATINGS = sa.Table(
    "ratings", METADATA,
    *(
        attribute(a, f"{_RATING}.{a.name}", key=True, refers_to=_REFERS_TO.get(a.name))
        for a in sources.RATINGS.key
    ),
    movie_id(refers_to="core.movies.movie_id", comes_from="core.movie_links.movie_id"),
    *_attributes(sources.RATINGS),
    schema="core",
    comment="What each of MovieLens' users gave to each of the present movies, as the newest month has it.",
)  # fmt: skip

HISTORY_VALUES = ("popularity", "vote_average", "vote_count", "budget_usd", "revenue_usd")
MOVIE_HISTORY = sa.Table(
    "movie_history", METADATA,
    movie_id(key=True, refers_to="core.movies.movie_id", comes_from=f"{_PARSED}.movie_id"),
    column("valid_from", Day, "month of delivery, its first day, from which the values hold", key=True,
           comes_from=f"{_PARSED}.delivery_month"),
    column("valid_to", Day, "first day of the month from which other values hold; null for the present ones",
           comes_from=f"{_PARSED}.delivery_month"),
    *(c for c in _attributes(sources.MOVIES_METADATA) if c.name in HISTORY_VALUES),
    schema="core",
    comment="What changed and when: a row for each movie and month of delivery in which its popularity, votes, budget "
    "or revenue differ from what was delivered before. The row of month m is the one with valid_from <= m < valid_to.",
)  # fmt: skip
