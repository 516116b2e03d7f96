"""The assets of stage core: six tables, replaced together in one transaction."""

from collections.abc import Iterator

import dagster as dg

from movies_platform.checks.outcomes import Outcome, results_of
from movies_platform.checks.registry import kept_if_sound, specs_of
from movies_platform.contracts.catalogue import asset_key, table_spec
from movies_platform.contracts.core import COMPANIES, GENRES, MOVIE_COMPANIES, MOVIE_GENRES, MOVIE_HISTORY, MOVIES
from movies_platform.contracts.parsed import PARSED_COMPANIES, PARSED_GENRES, PARSED_MOVIES
from movies_platform.core.history import extend_history
from movies_platform.core.present import compute_present
from movies_platform.resources.builds import deliveries_fingerprint, note_build
from movies_platform.resources.facts import table_facts
from movies_platform.resources.io_manager import Warehouse
from movies_platform.resources.warehouse import ensure, row_count

TABLES = (MOVIES, GENRES, COMPANIES, MOVIE_GENRES, MOVIE_COMPANIES, MOVIE_HISTORY)
SOURCES = {
    MOVIES: [PARSED_MOVIES],
    GENRES: [PARSED_GENRES],
    COMPANIES: [PARSED_COMPANIES],
    MOVIE_GENRES: [PARSED_MOVIES, PARSED_GENRES],
    MOVIE_COMPANIES: [PARSED_MOVIES, PARSED_COMPANIES],
    MOVIE_HISTORY: [PARSED_MOVIES],
}


@dg.multi_asset(
    name="present_state",
    specs=[dg.AssetSpec(**table_spec(t), deps=[asset_key(s) for s in SOURCES[t]]) for t in TABLES],
    check_specs=specs_of(TABLES),
    pool="duckdb",
)
def present_state(warehouse: Warehouse) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """The present version of every movie, with its genres and companies."""
    rows, outcomes = refresh_core(warehouse)
    # The rows first: a check counts for the materialization that it follows.
    for table in () if any(outcome.blocks for outcome in outcomes) else TABLES:
        yield dg.MaterializeResult(asset_key=asset_key(table), metadata=table_facts(table, rows[table.name]))
    yield from results_of(outcomes)


def refresh_core(warehouse: Warehouse) -> tuple[dict[str, int], list[Outcome]]:
    """Replace the core tables; rows by table and the outcomes of their checks.

    When a blocking check fails, nothing is stored and the rows are what they were.
    """
    with warehouse.transaction() as connection:
        for table in [*TABLES, PARSED_MOVIES, PARSED_GENRES, PARSED_COMPANIES]:
            ensure(connection, table)
        compute_present(connection)
        extend_history(connection)
        outcomes = kept_if_sound(connection, TABLES)
        if not any(outcome.blocks for outcome in outcomes):
            for table in TABLES:
                note_build(connection, table, deliveries_fingerprint(connection))
        return {t.name: row_count(connection, t) for t in TABLES}, outcomes
