"""Money: full credit, split credit, and what is unknown."""

import narwhals as nw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies_platform.metrics.money import with_profit
from movies_platform_tests.frames import Movie, compute, on_pandas, state, tuples

KINDS = pytest.mark.parametrize(
    ("kind", "groups", "links"),
    [("genre", "genres", "movie_genres"), ("company", "companies", "movie_companies")],
    ids=["genres", "companies"],
)
AMOUNTS = pytest.mark.parametrize("amount", ["budget", "revenue"])


@AMOUNTS
@KINDS
def test_a_movie_counts_in_full_and_split_for_each_of_its_groups(kind, groups, links, amount):
    frames = state(Movie(1, 2000, **{amount: 90.0, groups: (1, 2)}), Movie(2, 2000, **{amount: 10.0, groups: (2,)}))
    assert tuples(compute(f"{kind}_{amount}_by_year", frames)) == [
        (2000, 1, f"{kind} 1", 1, 1, 90.0, 45.0),
        (2000, 2, f"{kind} 2", 2, 2, 100.0, 55.0),
    ]


@AMOUNTS
@KINDS
def test_an_unknown_amount_is_null_and_its_movie_is_counted(kind, groups, links, amount):
    frames = state(Movie(1, 2000, **{groups: (1,)}), Movie(2, 2001, **{groups: (1,)}),
                   Movie(3, 2001, **{amount: 5.0, groups: (1,)}))  # fmt: skip
    assert tuples(compute(f"{kind}_{amount}_by_year", frames)) == [
        (2000, 1, f"{kind} 1", 1, 0, None, None),
        (2001, 1, f"{kind} 1", 2, 1, 5.0, 5.0),
    ]


@given(st.lists(st.tuples(st.sampled_from([759141390.0, 1e9 + 1, 3.1, 7e8, 0.01]), st.integers(1, 7)), min_size=2),
       st.randoms(use_true_random=False))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_the_order_of_adding_decides_nothing(amounts, random):
    """Also not the last of six decimals of a billion."""
    movies = [
        Movie(n, 2000, budget=usd, companies=(1, *range(10, 9 + k))) for n, (usd, k) in enumerate(amounts, start=1)
    ]
    shuffled = random.sample(movies, len(movies))
    one, other = (tuples(on_pandas("company_budget_by_year", state(*each)))[0] for each in (movies, shuffled))
    assert one == other


@KINDS
@pytest.mark.parametrize(
    ("budget", "revenue", "profit"),
    [(10.0, 30.0, 20.0), (30.0, 10.0, -20.0), (10.0, 10.0, 0.0), (None, 10.0, None), (10.0, None, None)],
    ids=["gain", "loss", "even", "budget unknown", "revenue unknown"],
)
def test_profit_is_known_where_budget_and_revenue_are(kind, groups, links, budget, revenue, profit):
    frames = state(Movie(1, 2000, budget, revenue, **{groups: (1, 2)}))
    known = profit is not None
    share = profit / 2 if known else None
    assert tuples(compute(f"{kind}_profit_by_year", frames)) == [
        (2000, group, f"{kind} {group}", 1, int(known), profit, share) for group in (1, 2)
    ]


def test_a_group_with_another_year_has_a_row_for_each_year_in_order_of_the_year():
    frames = state(Movie(1, 2001, 1.0, genres=(1,)), Movie(2, 1999, 2.0, genres=(2,)), Movie(3, 2001, 4.0, genres=(2,)))
    assert [row[:2] for row in tuples(compute("genre_budget_by_year", frames))] == [
        (1999, 2),
        (2001, 1),
        (2001, 2),
    ]


def test_gains_and_losses_of_a_billion_that_cancel_out_still_add_up():
    movies = [Movie(n, 2000, 1e9 + n / 3, 2e9 / (n + 1), genres=(1, 2, 3)) for n in range(1, 40)]
    mirrored = [Movie(m.id + 100, 2000, m.revenue, m.budget, genres=(4, 5, 6, 7, 8, 9, 10)) for m in movies]
    shares = compute("genre_profit_by_year", state(*movies, *mirrored))["profit_share_usd"]
    assert abs(shares.sum()) < 1


def test_a_year_without_a_known_amount_is_null_on_every_engine():
    found = compute("genre_budget_by_year", state(Movie(1, 2000, genres=(1, 2))))
    assert found["budget_usd"].isna().all()
    assert found["budget_share_usd"].isna().all()


def test_profit_is_one_more_column():
    movies = nw.from_native(state(Movie(1, 2000, 1.0, 2.5))["movies"]).lazy()
    assert with_profit(movies).collect()["profit_usd"].to_list() == [1.5]
