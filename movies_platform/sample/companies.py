"""Invented production companies, without a list of them: a company is a rank, rank gives id and name.

Ranks follow a shifted Zipf law, P(rank) ~ (rank + SHIFT) ** -1.25. Distinct companies among n links
then grow as n ** 0.8 (Heaps' law), with no state: some 22,000 among the links of 45,000 movies, and
the largest with 1 % of the links, both as in the real data.
"""

from itertools import pairwise

import numpy as np

from movies_platform.sample import words
from movies_platform.sample.text import Ints, weighted

SHIFT = 28
RANKS = 50_000_000
# Weight of a movie with 0, 1, 2 ... 8 companies: mean 1.55.
LINKS_PER_MOVIE = (0.245, 0.362, 0.176, 0.108, 0.052, 0.026, 0.016, 0.009, 0.006)


def draw_ranks(rng: np.random.Generator, size: int) -> Ints:
    """Company ranks of `size` links, from 0 (the most frequent) to RANKS - 1."""
    ranks = SHIFT * (rng.random(size) ** -4.0 - 1.0)
    # 3 % of the law's tail lies beyond any id worth having: nearly each is a company of its own.
    spread = rng.integers(RANKS // 10, RANKS, size)
    return np.where(ranks < RANKS, np.minimum(ranks, RANKS - 1), spread).astype(np.int64)


def draw_links(rng: np.random.Generator, movies: int) -> tuple[Ints, Ints]:
    """Ranks of all links, movie after movie, none twice in a movie, and `movies` + 1 offsets."""
    owners = np.repeat(np.arange(movies), weighted(rng, LINKS_PER_MOVIE, movies))
    ranks = draw_ranks(rng, len(owners))
    _, first = np.unique(owners * RANKS + ranks, return_index=True)
    first.sort()
    offsets = np.searchsorted(owners[first], np.arange(movies + 1))
    return ranks[first], offsets.astype(np.int64)


def company_name(rank: int) -> str:
    """The company's name, sometimes of a kind that careless parsers lose."""
    mixed = (rank + 1) * 0x9E3779B97F4A7C15 % 2**64 >> 16
    mixed, a = divmod(mixed, len(words.COMPANY_WORDS))
    mixed, b = divmod(mixed, len(words.COMPANY_WORDS) - 1)
    mixed, c = divmod(mixed, len(words.COMPANY_SUFFIXES))
    first, second, suffix = words.COMPANY_WORDS[a], words.COMPANY_WORDS[a - b - 1], words.COMPANY_SUFFIXES[c]
    if rank % 16 == 3:
        return f"{words.SURNAMES[mixed % len(words.SURNAMES)]}'s {first} {second} {suffix}"
    if rank % 25 == 7:
        return _odd_name(rank // 25, first, second, suffix)
    if rank < 20_000:
        return (f"{first} {second} {suffix}", f"{first} {suffix}", f"{first} {second}")[mixed % 3]
    # Words alone would not do for a million companies.
    letters = f"{chr(65 + mixed % 26)}.{chr(65 + mixed // 26 % 26)}."
    return (f"{letters} {first} {second} {suffix}", f"{first} {letters} {second}")[rank % 2]


def _odd_name(number: int, first: str, second: str, suffix: str) -> str:
    accents = words.COMPANY_ACCENTS[number // 10 % len(words.COMPANY_ACCENTS)]
    japanese = words.COMPANY_JAPANESE[number // 10 % len(words.COMPANY_JAPANESE)]
    return (
        f'{first}\'s "{second}" {suffix}',
        accents if number < 100 else f"{accents} {second}",
        f'{first} "{second[0]}" {suffix}',
        japanese if number < 60 else f"{japanese} {first}",
        f"\xa0{first} {suffix}",
        f"{first}, a {second} {suffix}",
        f"{first} {suffix}\\",
        f"{first}\t{second}",
        f"\u200b{first.upper()} {second.upper()}",
        str(1900 + number // 10),
    )[number % 10]


def company_item(rank: int) -> str:
    """The company as it stands in `production_companies`, escaped for a quoted CSV field."""
    return f"{{'name': {company_name(rank)!r}, 'id': {rank + 1}}}".replace('"', '""')


def company_fields(ranks: Ints, offsets: Ints) -> list[str]:
    """`production_companies` of each movie as CSV fields."""
    present, places = np.unique(ranks, return_inverse=True)
    known = [company_item(rank) for rank in present.tolist()]
    items = [known[place] for place in places.tolist()]
    bounds = offsets.tolist()
    return [f'"[{", ".join(items[start:end])}]"' if end > start else "[]" for start, end in pairwise(bounds)]
