"""Queries with values, asked without pandas.

DuckDB looks whether a value that Python gives it is one of pandas', and imports pandas for that at the first one. This
takes longer than most steps of a refresh, which has no frames. So values go to it as literals of SQL, to a prepared
query: as safe as parameters, and understood alike.
"""

import duckdb

from movies_platform.contracts.ddl import literal


def ask(connection: duckdb.DuckDBPyConnection, query: str, *values: object) -> duckdb.DuckDBPyConnection:
    """Run a query with values for its parameters, `?` or `$1`; DuckDB prepares no CREATE TABLE.

    For days, numbers and names; whatever comes out of a file goes through `warehouse.append` (SQL has no NUL).
    """
    if not values:
        return connection.execute(query)
    return connection.execute(f"PREPARE asked AS {query}; EXECUTE asked({', '.join(map(literal, values))})")
