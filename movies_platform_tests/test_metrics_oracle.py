"""Money, releases and popularity of random small states, compared with a slow reading of the specification.

The oracle shares nothing with the platform: plain loops over plain tuples, exact fractions.
"""

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from statistics import median

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies_platform.metrics import votes
from movies_platform_tests.frames import METRICS, Movie, compute, functions_of, on_pandas, state

Row = dict[str, object]
AMOUNTS: dict[str, Callable[[Movie], float | None]] = {
    "budget": lambda m: m.budget,
    "revenue": lambda m: m.revenue,
    "profit": lambda m: None if m.budget is None or m.revenue is None else m.revenue - m.budget,
}
GROUPS = {"genre": "genres", "company": "companies"}


def random_movies(seed: int) -> list[Movie]:
    dice = random.Random(seed)

    def maybe(values: list[float]) -> float | None:
        return dice.choice([None, *values])

    def some(ids: range) -> tuple[int, ...]:
        return tuple(dice.sample(ids, dice.randint(0, 3)))

    return [
        Movie(
            number, dice.choice([None, 1999, 2000, 2001]), maybe([1.0, 10.0, 2.5e8]),
            maybe([1.0, 7.0, 2.7e9]), maybe([0.0, 0.5, 2.0, 2.0, 8.25]), some(range(1, 6)), some(range(11, 17)),
        )
        for number in range(1, dice.randint(1, 60))
    ]  # fmt: skip


def grouped(movies: list[Movie], kind: str) -> Iterator[tuple[Row, list[Movie]]]:
    for year in sorted({m.year for m in movies if m.year is not None}):
        for group in sorted({g for m in movies for g in getattr(m, GROUPS[kind])}):
            made = [m for m in movies if m.year == year and group in getattr(m, GROUPS[kind])]
            if made:
                yield {"year": year, f"{kind}_id": group, f"{kind}_name": f"{kind} {group}"}, made


def money(movies: list[Movie], kind: str, amount: str) -> Iterator[Row]:
    for key, made in grouped(movies, kind):
        known = [(Fraction(v), m) for m in made if (v := AMOUNTS[amount](m)) is not None]
        yield {
            **key, "movies": len(made), f"movies_with_{amount}": len(known),
            f"{amount}_usd": float(sum(v for v, _ in known)) if known else None,
            f"{amount}_share_usd":
                float(sum(v / len(getattr(m, GROUPS[kind])) for v, m in known)) if known else None,
        }  # fmt: skip


def measures(made: list[Movie]) -> dict[str, float | None]:
    known = [m.popularity for m in made if m.popularity is not None]
    if not known:
        return dict.fromkeys(("total", "mean", "median", "max"))
    return {"total": sum(known), "mean": sum(known) / len(known), "median": median(known), "max": max(known)}


def popularity(movies: list[Movie], kind: str) -> Iterator[Row]:
    for key, made in grouped(movies, kind):
        found = {f"{m}_popularity": v for m, v in measures(made).items() if kind == "genre" or m != "total"}
        yield {**key, "movies": len(made), **found}


def most_popular(movies: list[Movie]) -> Iterator[Row]:
    groups = list(grouped(movies, "genre"))
    for year in sorted({key["year"] for key, _ in groups}):
        for measure in ("max", "mean", "median", "total"):
            rivals = [
                (-value, -sum(m.popularity is not None for m in made), key["genre_id"])
                for key, made in groups
                if key["year"] == year and (value := measures(made)[measure]) is not None
            ]
            if rivals:
                value, count, genre = min(rivals)
                yield {"year": year, "measure": measure, "genre_id": genre, "genre_name": f"genre {genre}",
                       "popularity": -value, "movies": -count}  # fmt: skip


def releases(movies: list[Movie]) -> Iterator[Row]:
    for key, made in grouped(movies, "company"):
        for genre in range(1, 6):
            if count := sum(genre in m.genres for m in made):
                yield {**key, "genre_id": genre, "genre_name": f"genre {genre}", "releases": count}


def by_month(movies: list[Movie]) -> Iterator[Row]:
    for genre in range(1, 6):
        if made := [m for m in movies if genre in m.genres]:
            yield {"month": pd.Timestamp("2017-11-01"), "genre_id": genre, "genre_name": f"genre {genre}",
                   "movies": len(made), **{f"{k}_popularity": v for k, v in measures(made).items()}}  # fmt: skip


ORACLES: dict[str, Callable[[list[Movie]], Iterator[Row]]] = {
    **{f"{k}_{a}_by_year": lambda m, k=k, a=a: money(m, k, a) for k in GROUPS for a in AMOUNTS},
    **{f"{k}_popularity_by_year": lambda m, k=k: popularity(m, k) for k in GROUPS},
    "genre_popularity_by_month": by_month,
    "most_popular_genre_by_year": most_popular,
    "company_releases_by_genre_by_year": releases,
}


@pytest.mark.parametrize("seed", range(6))
def test_all_answers_are_what_a_slow_reading_of_the_specification_gives(seed: int):
    movies = random_movies(seed)
    frames = state(*movies)
    assert set(ORACLES) == set(METRICS) - set(functions_of([votes]))  # these are in `oracle`
    for name, oracle in ORACLES.items():
        found = compute(name, frames)
        expected = pd.DataFrame(list(oracle(movies)), columns=list(found.columns)).astype(found.dtypes)
        pd.testing.assert_frame_equal(found, expected, rtol=1e-12, atol=1e-6, obj=name)


amounts = st.none() | st.floats(0.01, 1e10)
groups = st.lists(st.integers(1, 9), max_size=5, unique=True).map(tuple)
movie = st.tuples(st.just(0), st.sampled_from([None, 1999, 2000]), amounts, amounts, st.none(), groups, st.just(()))


@settings(max_examples=60, deadline=None)
@given(st.lists(movie.map(Movie._make), max_size=12), st.sampled_from(sorted(AMOUNTS)))
def test_the_shares_of_a_year_add_up_to_the_total_of_its_movies_with_a_group(drawn: list[Movie], amount: str):
    movies = [m._replace(id=number) for number, m in enumerate(drawn, start=1)]
    frames = state(*movies)
    found = on_pandas(f"genre_{amount}_by_year", frames)
    shares = found.groupby("year")[f"{amount}_share_usd"].sum()
    for year in found["year"].unique():
        total = sum(AMOUNTS[amount](m) or 0 for m in movies if m.year == year and m.genres)
        assert shares[year] == pytest.approx(total, rel=1e-9, abs=1e-3)
