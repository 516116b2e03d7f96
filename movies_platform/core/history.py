"""Parsed movies of all months -> core.movie_history: what changed, and from which month on.

A movie's values hold from the month that first delivers them until a later month delivers others.
"""

from collections.abc import Sequence

import narwhals as nw

from movies_platform.contracts.catalogue import table_asset
from movies_platform.contracts.core import HISTORY_VALUES, MOVIE_HISTORY


def changes(versions: nw.LazyFrame, key: str, values: Sequence[str]) -> nw.LazyFrame:
    """The rows of `versions` in which one of the `values` differs from the month before that has the `key`.

    Columns: key, valid_from (the row's delivery_month), valid_to (that of the next change, null for the last), values.
    """
    # A window finds the month before, a join its values: a window for each value takes Sail three times as long.
    versions = versions.select(key, "delivery_month", *values)
    before = nw.col("delivery_month").shift(1).over(key, order_by="delivery_month")
    earlier = versions.rename({"delivery_month": "month_before"} | {name: f"{name}_before" for name in values})
    marked = versions.with_columns(before.alias("month_before")).join(earlier, on=[key, "month_before"], how="left")
    is_first = nw.col("month_before").is_null()
    changed = marked.filter(nw.any_horizontal(is_first, *map(_differs, values), ignore_nulls=False))
    return changed.select(key, nw.col("delivery_month").alias("valid_from"), *values).with_columns(
        nw.col("valid_from").shift(-1).over(key, order_by="valid_from").alias("valid_to")
    )


def _differs(name: str) -> nw.Expr:
    """Whether a value is another than before, null being a value; never null itself."""
    now, before = nw.col(name), nw.col(f"{name}_before")
    both_known = ~now.is_null() & ~before.is_null()  # plain pandas has NaN for null, which differs from itself
    return (now.is_null() != before.is_null()) | (both_known & (now != before).fill_null(False))


@table_asset(MOVIE_HISTORY)
def movie_history(parsed_movies: nw.LazyFrame) -> nw.LazyFrame:
    """How popularity, votes, budget and revenue of each movie changed from delivery to delivery."""
    return changes(parsed_movies, "movie_id", HISTORY_VALUES)
