"""Records of movies_metadata.csv in the form of the data set: nested columns as Python's `repr` writes them, amounts as
pandas does (`0`, `8.2e-05`, `6.5`), some 770 bytes a record.

Movies come in blocks, so that memory holds one block whatever the size. What never changes about a movie depends on
the seed and its block alone; its amounts go from month to month.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from movies_platform.sample import vocabulary as words
from movies_platform.sample.draws import (
    BLOCK,
    POOL,
    RANKS,
    Floats,
    Ints,
    Texts,
    different,
    image_paths,
    list_texts,
    tail_ranks,
    texts,
    weighted,
)

DECADES = np.arange(1900, 2020, 10)
DECADE_WEIGHTS = (5, 10, 24, 74, 84, 117, 148, 196, 222, 320, 632, 723)
# Companies: a rank gives id and name. A few large studios, then a tail by a shifted Zipf law, in which the number of
# companies grows as the number of credits ** 0.8: some 22,000 in 45,000 movies, as in the real data.
COMPANIES_PER_MOVIE = (0.245, 0.362, 0.176, 0.108, 0.052, 0.026, 0.016, 0.009, 0.006)  # 0, 1 ... 8 of them
COMPANY_SHIFT = 100
# Collections: real ones are one to 27 movies, and a movie in ten is in one.
COLLECTIONS_PER_MOVIE = 0.04


def build_pools(rng: np.random.Generator) -> dict[str, Texts]:
    """What movies draw from: `title`, `sentences`, `tagline` and `homepage`, and nested columns by their names."""

    def phrases(templates: Sequence[str]) -> Texts:
        vocabularies = {
            "adjective": words.ADJECTIVES, "noun": words.NOUNS, "other": words.NOUNS, "name": words.NAMES,
            "name2": words.NAMES, "role": words.ROLES, "place": words.PLACES, "deed": words.DEEDS, "deed2": words.DEEDS,
        }  # fmt: skip
        drawn = {name: rng.choice(texts(some), POOL).tolist() for name, some in vocabularies.items()}
        chosen = rng.choice(texts(templates), POOL).tolist()
        return texts([t.format(**{name: some[row] for name, some in drawn.items()}) for row, t in enumerate(chosen)])

    def lists(entries: Sequence[tuple[Any, ...]], id_name: str, lengths: Sequence[float]) -> Texts:
        # Smallest exponential arrival times: a weighted draw without replacement.
        arrivals = rng.standard_exponential((POOL, len(entries))) / [entry[2] for entry in entries]
        items = [{id_name: key, "name": name} for key, name, *_ in entries]
        sizes = weighted(rng, lengths, POOL).tolist()
        orders = np.argsort(arrivals, axis=1, kind="stable").tolist()
        return texts([repr([items[i] for i in order[:size]]) for order, size in zip(orders, sizes, strict=True)])

    titles, posters, backdrops = phrases(words.TITLES), image_paths(rng, POOL), image_paths(rng, POOL)
    series = [
        {"id": 10_000 + n, "name": f"{titles[n]} Collection", "poster_path": posters[n],
         "backdrop_path": backdrops[n] if n % 4 else None}
        for n in range(POOL)
    ]  # fmt: skip
    return {
        "title": titles,
        "belongs_to_collection": texts([repr(one) for one in series]),
        "sentences": phrases([" ".join(some) for n in (1, 2) for some in permutations(words.SENTENCES, n)]),
        "tagline": texts(words.TAGLINES),
        "homepage": texts([f"http://www.{a}-{b}.com/".lower() for a in words.ADJECTIVES for b in words.NOUNS[:20]]),
        "genres": lists(words.GENRES, "id", (5, 32, 32, 21, 10)),
        "production_countries": lists(words.COUNTRIES, "iso_3166_1", (14, 71, 11, 3, 1)),
        "spoken_languages": lists(words.LANGUAGES, "iso_639_1", (8, 75, 12, 4, 1)),
    }


def fixed_columns(
    rng: np.random.Generator, block: int, movies: int, pools: Mapping[str, Texts]
) -> tuple[dict[str, Texts], Floats]:
    """All columns of a block but its amounts, by name, BLOCK fields each; and how much each movie appeals.

    The first month has `movies` movies. Genres and large studios decide the appeal, on which amounts
    depend. Ids are up to ten times the number of movies; none ends in 0: no movie of the file has those.
    """
    size = BLOCK
    places = movie_places(block, movies)
    languages = texts([code for code, *_ in words.LANGUAGES])[weighted(rng, [w for *_, w in words.LANGUAGES], size)]
    titles = rng.choice(pools["title"], size)
    titles = np.where(rng.random(size) < 0.002, rng.choice(texts(words.ODD_TITLES), size), titles)
    overviews = rng.choice(pools["sentences"], size) + " " + rng.choice(pools["sentences"], size)
    originals = titles.copy()
    for language, native in words.NATIVE_TITLES.items():
        originals = np.where(languages == language, rng.choice(texts(native), size), originals)
    statuses = texts([status for status, _ in words.STATUSES])[weighted(rng, [w for _, w in words.STATUSES], size)]

    def blank(share: float, column: Texts, text: str = "") -> Texts:
        return np.where(rng.random(size) < share, text, column)

    never = texts(["False"] * size)
    some_series = min(POOL, max(10, round(movies * COLLECTIONS_PER_MOVIE)))
    series = (some_series * rng.random(size) ** 1.4).astype(np.int64)
    genres, (companies, owners) = rng.choice(pools["genres"], size), draw_companies(rng, size)
    appeal = np.array([appeal_of(text) for text in genres.tolist()])
    appeal[owners[companies < len(words.STUDIOS)]] += 1.0
    columns = {
        "adult": blank(0.0002, never, "True"),
        "belongs_to_collection": blank(0.901, pools["belongs_to_collection"][series]),
        "genres": genres,
        "homepage": blank(0.829, rng.choice(pools["homepage"], size)),
        "id": texts([str(key) for key in (places * 10 + rng.integers(1, 10, size)).tolist()]),
        "imdb_id": blank(0.0004, texts([f"tt{place + 1:07d}" for place in places.tolist()])),
        "original_language": languages,
        "original_title": originals,
        "overview": blank(0.021, blank(0.005, overviews, 'Two lines.\n\n"The End", as they say.')),
        "poster_path": blank(0.008, image_paths(rng, size)),
        "production_companies": company_lists(companies, owners),
        "production_countries": rng.choice(pools["production_countries"], size),
        "release_date": blank(0.002, release_dates(rng, size)),
        "runtime": blank(0.006, runtimes(rng, size)),
        "spoken_languages": rng.choice(pools["spoken_languages"], size),
        "status": statuses,
        "tagline": blank(0.551, rng.choice(pools["tagline"], size)),
        "title": titles,
        "video": blank(0.0002, never, "True"),
    }
    return columns, appeal


@cache
def appeal_of(genres: str) -> float:
    """How much movies with this list of genres appeal: the mean over them."""
    found = [appeal for _, name, _, appeal in words.GENRES if repr(name) in genres]
    return sum(found) / max(1, len(found))


def movie_places(block: int, movies: int) -> Ints:
    """The places of a block's movies in the order of ids: scattered for the first month's, last for new ones."""
    indexes = np.arange(block * BLOCK, (block + 1) * BLOCK)
    step = max(1, round(movies * 0.618))
    while math.gcd(step, movies) != 1:
        step += 1
    return np.where(indexes < movies, indexes * step % movies, indexes)


def release_dates(rng: np.random.Generator, size: int) -> Texts:
    """From 1900 to 2020, one in 20 the first of January."""
    years = DECADES[weighted(rng, DECADE_WEIGHTS, size)] + rng.integers(0, 10, size)
    years = np.where(rng.random(size) < 0.001, 2020, years)
    days = rng.integers(0, 365, size) * (rng.random(size) >= 0.05)
    dates: npt.NDArray[np.datetime64] = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return np.datetime_as_string(dates + days).astype(object)


def runtimes(rng: np.random.Generator, size: int) -> Texts:
    """Minutes, 0 for one movie in 30."""
    minutes = np.clip(rng.normal(97, 24, size), 1, 360) * (rng.random(size) >= 0.034)
    return texts([f"{n:.0f}.0" for n in minutes.tolist()])


def draw_companies(rng: np.random.Generator, movies: int) -> tuple[Ints, Ints]:
    """Ranks of the companies of each movie (from 0, the largest), none twice in a movie; and the movie of each rank."""
    owners = np.repeat(np.arange(movies), weighted(rng, COMPANIES_PER_MOVIE, movies))
    shares = [share for _, share in words.STUDIOS]
    studios = weighted(rng, [*shares, 100 - sum(shares)], len(owners))
    tail = len(shares) + tail_ranks(rng, COMPANY_SHIFT, len(owners))
    ranks = np.where(studios < len(shares), studios, tail)
    pairs = different(owners * (2 * RANKS) + ranks)
    return pairs % (2 * RANKS), pairs // (2 * RANKS)


def company_name(rank: int) -> str:
    """The company's name, for one in 16 of a kind that careless parsers lose."""
    if rank < len(words.STUDIOS):
        return words.STUDIOS[rank][0]
    mixed = (rank + 1) * 0x9E3779B97F4A7C15 % 2**64 >> 16  # scatters neighbours
    mixed, a = divmod(mixed, len(words.COMPANY_WORDS))
    mixed, b = divmod(mixed, len(words.COMPANY_WORDS) - 1)
    mixed, c = divmod(mixed, len(words.COMPANY_FORMS))
    names = {
        "first": words.COMPANY_WORDS[a], "second": words.COMPANY_WORDS[a - b - 1], "form": words.COMPANY_FORMS[c],
        "initials": f"{chr(65 + mixed % 26)}.{chr(65 + mixed // 26 % 26)}.", "number": 1900 + rank // 16,
    }  # fmt: skip
    if rank % 16 == 7:
        return words.ODD_COMPANIES[rank // 16 % len(words.ODD_COMPANIES)].format(**names)
    # Words alone would not do for a million companies.
    name = (
        "{first} {form}" if rank < 400 else "{first} {second} {form}" if rank < 10_000 else "{initials} {first} {form}"
    )
    return name.format(**names)


def company_lists(ranks: Ints, owners: Ints) -> Texts:
    """`production_companies` of BLOCK movies."""
    distinct, places = np.unique(ranks, return_inverse=True)
    items = texts([repr({"name": company_name(rank), "id": rank + 1}) for rank in distinct.tolist()])
    return list_texts(items[places].tolist(), owners, BLOCK)


@dataclass(frozen=True)
class Amounts:
    """US dollars (0 is unknown), popularity, tenths of a vote, votes: an entry for each movie of a block."""

    budget: Ints
    revenue: Ints
    popularity: Floats
    vote_average: Ints
    vote_count: Ints

    def columns(self) -> dict[str, Texts]:
        """The five columns of the file."""
        columns = {field.name: getattr(self, field.name).tolist() for field in fields(self)}
        return {
            name: texts([str(n / 10) if name == "vote_average" else repr(n) for n in column])
            for name, column in columns.items()
        }


def draw_amounts(rng: np.random.Generator, appeal: Floats) -> Amounts:
    """20 % of the movies have a budget, 16 % a revenue; what appeals costs, earns and is voted on more."""
    size = len(appeal)
    fame = appeal - 0.3 + 0.8 * rng.standard_normal(size)
    known = rng.random(size) < 0.2 * np.exp(0.6 * appeal - 0.2)
    earned = rng.random(size) < np.where(known, 0.6, 0.05)
    votes = np.minimum(np.exp(2.3 + 2.0 * fame + rng.normal(0, 0.9, size)), 14_075).astype(np.int64)
    popularity: Floats = np.exp(0.1 + 1.3 * fame + rng.normal(0, 0.8, size))
    popularity = np.where(popularity > 6, 6 * (popularity / 6) ** 0.6, popularity)
    popularity = np.where(rng.random(size) < 0.03, popularity / 3000, popularity)  # some hardly any, down to 8.2e-05
    return Amounts(
        budget=_dollars(rng, 8e6, fame, 380e6) * known,
        revenue=_dollars(rng, 2e7, fame, 2788e6) * earned,
        popularity=np.round(popularity, 6),
        vote_average=np.clip(np.rint(rng.normal(61, 11, size) + 4 * fame), 5, 100).astype(np.int64) * (votes > 0),
        vote_count=votes,
    )


def _dollars(rng: np.random.Generator, median: float, fame: Floats, most: float) -> Ints:
    amounts = median * np.exp(fame + rng.normal(0, 1, len(fame)))
    rounded = np.where(rng.random(len(fame)) < 0.6, np.round(amounts, -5), amounts)
    return np.clip(rounded, 1, most).astype(np.int64)


def next_month(amounts: Amounts, rng: np.random.Generator) -> Amounts:
    """The amounts a month later: other popularity and votes for 10 % of the movies, other money for 1 %."""
    size = len(amounts.budget)
    seen = rng.random(size) < 0.1
    revised = rng.random(size) < 0.03  # of those whose amount is known; for the others it stays unknown
    votes = amounts.vote_count + seen * (1 + (amounts.vote_count * rng.random(size) * 0.05).astype(np.int64))
    averages = np.where(amounts.vote_average > 0, amounts.vote_average + rng.integers(-1, 2, size), 60)
    popularity = np.round(amounts.popularity * rng.uniform(0.5, 1.6, size) + 1e-6, 6)
    factors = np.where(revised, rng.uniform(0.7, 1.4, size), 1.0)
    return Amounts(
        budget=np.ceil(amounts.budget * factors).astype(np.int64),
        revenue=np.ceil(amounts.revenue * factors).astype(np.int64),
        popularity=np.where(seen, popularity, amounts.popularity),
        vote_average=np.where(seen, np.clip(averages, 5, 100), amounts.vote_average),
        vote_count=votes,
    )
