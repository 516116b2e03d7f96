"""Raw records -> typed ones, in the staging database, while others store them as they are.

Every record is typed, also those that will be refused; stages of `parsed` choose from here.
"""

import duckdb

from movies_platform.contracts.raw import MOVIE_COLUMNS
from movies_platform.parsed.scalars import SCALARS, positive_integer, trimmed

TYPED = "staging.typed_records"  # record_number, movie_id (null where it is none), the scalars, the lists as text
LISTS = {"genres": ("parsed_genres", "genre"), "production_companies": ("parsed_companies", "company")}
_NOTHING = f"(SELECT 0 AS record_number, {', '.join(f'NULL::VARCHAR AS {name}' for name in MOVIE_COLUMNS)} WHERE false)"


def prepare_typing(staging: duckdb.DuckDBPyConnection) -> None:
    """Make the table of typed records, without any."""
    staging.execute(f"CREATE OR REPLACE TABLE {TYPED} AS {_typed(_NOTHING)}")


def type_records(staging: duckdb.DuckDBPyConnection, relation: str) -> None:
    """Add the typed form of the raw records of `relation` (record_number and the delivered columns)."""
    staging.execute(f"INSERT INTO {TYPED} BY NAME {_typed(relation)}")


def _typed(relation: str) -> str:
    # One subquery after another, so that no expression is computed twice.
    texts = ", ".join(f"{trimmed(s.raw)} AS {name}_text" for name, s in SCALARS.items())
    values = ", ".join(f"{s.read(f'{name}_text')} AS {name}_value" for name, s in SCALARS.items())
    accepted = ", ".join(f"{s.accept(f'{name}_value')} AS {name}" for name, s in SCALARS.items())
    unfit = " OR ".join(
        f"({name} IS NULL AND {s.unfit(f'{name}_text', f'{name}_value')})" for name, s in SCALARS.items() if s.issue
    )
    lists = ", ".join(f"nullif({trimmed(name)}, '[]') AS {name}" for name in LISTS)
    return (
        f"SELECT record_number, movie_id, {', '.join(SCALARS)}, {unfit} AS is_unfit, {', '.join(LISTS)} FROM ("
        f"SELECT *, {accepted} FROM (SELECT *, {positive_integer('id_text')} AS movie_id, {values} FROM ("
        f"SELECT record_number, {trimmed('id')} AS id_text, {texts}, {lists} FROM {relation})))"
    )
