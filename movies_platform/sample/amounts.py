"""Money, popularity and votes of a block of movies, and how they change from one month to the next."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from movies_platform.sample.text import Flags, Ints, texts

Floats = npt.NDArray[np.float64]

TENTHS = texts([str(n / 10) for n in range(101)])


@dataclass(frozen=True)
class Amounts:
    """One entry for each movie: US dollars (0 is unknown), popularity, tenths of a vote, votes."""

    budget: Ints
    revenue: Ints
    popularity: Floats
    vote_tenths: Ints
    vote_count: Ints


def _dollars(rng: np.random.Generator, median: float, below: float, above: float, size: int) -> Floats:
    """Amounts whose logarithm spreads further below the median than above it."""
    z = rng.standard_normal(size)
    spread: Floats = np.exp(z * np.where(z < 0, below, above))
    return median * spread


def _budgets(rng: np.random.Generator, size: int) -> Ints:
    dollars = _dollars(rng, 8e6, 2.2, 1.3, size)
    rounded = np.where(dollars < 1e6, np.round(dollars, -4), np.round(dollars, -6))
    dollars = np.where(rng.random(size) < 0.75, rounded, dollars)
    return np.clip(dollars, 1, 380_000_000).astype(np.int64)


def _revenues(rng: np.random.Generator, size: int) -> Ints:
    return np.clip(_dollars(rng, 1.68e7, 2.9, 1.6, size), 1, 2_787_965_087).astype(np.int64)


def _popularities(rng: np.random.Generator, size: int) -> Floats:
    values: Floats = np.exp(rng.normal(0.1, 1.7, size))
    values = np.where(values > 6, 6 * (values / 6) ** 0.6, values)
    # Some have hardly any, down to the form 8.2e-05.
    faint: Flags = rng.random(size) < 0.03
    values = np.where(faint, values / 3000, values)
    return np.round(values, 6)


def draw_amounts(rng: np.random.Generator, size: int) -> Amounts:
    """Amounts of `size` movies: 20 % have a budget, 16 % a revenue, most of these both."""
    has_budget = rng.random(size) < 0.196
    has_revenue = rng.random(size) < np.where(has_budget, 0.6, 0.053)
    votes = np.minimum(np.exp(rng.normal(2.3, 2.2, size)) + 0.5, 14_075).astype(np.int64)
    tenths = np.clip(np.rint(rng.normal(61, 12, size)), 5, 100).astype(np.int64)
    return Amounts(
        budget=_budgets(rng, size) * has_budget,
        revenue=_revenues(rng, size) * has_revenue,
        popularity=_popularities(rng, size),
        vote_tenths=tenths * (votes > 0),
        vote_count=votes,
    )


def next_month(amounts: Amounts, rng: np.random.Generator) -> Amounts:
    """The amounts one month later: other popularity and votes for 10 %, other money for 1 %."""
    size = len(amounts.budget)
    seen: Flags = rng.random(size) < 0.1
    votes = amounts.vote_count + seen * (1 + (amounts.vote_count * rng.random(size) * 0.05).astype(np.int64))
    tenths = np.where(amounts.vote_tenths > 0, amounts.vote_tenths + rng.integers(-1, 2, size), 60)
    popularity = np.round(amounts.popularity * rng.uniform(0.5, 1.6, size) + 1e-6, 6)
    known: Flags = (amounts.budget > 0) | (amounts.revenue > 0)
    # Mostly corrections: were it 1 % of all, soon every movie would have a budget.
    revised: Flags = rng.random(size) < np.where(known, 0.034, 0.0025)
    return Amounts(
        budget=np.where(revised & ((amounts.budget > 0) | ~known), _budgets(rng, size), amounts.budget),
        revenue=np.where(revised & (amounts.revenue > 0), _revenues(rng, size), amounts.revenue),
        popularity=np.where(seen, popularity, amounts.popularity),
        vote_tenths=np.where(seen, np.clip(tenths, 5, 100), amounts.vote_tenths),
        vote_count=votes,
    )


def amount_columns(amounts: Amounts) -> dict[str, list[str]]:
    """The five columns as CSV fields, as pandas wrote them: `0`, `8.2e-05`, `6.5`."""
    return {
        "budget": [str(n) for n in amounts.budget.tolist()],
        "revenue": [str(n) for n in amounts.revenue.tolist()],
        "popularity": [repr(x) for x in amounts.popularity.tolist()],
        "vote_average": TENTHS[amounts.vote_tenths].tolist(),
        "vote_count": [str(n) for n in amounts.vote_count.tolist()],
    }
