"""Records of keywords.csv in the form of the data set: 3.4 keywords for each movie, none for one in three.

A rank gives a keyword's id and name. Few keywords are in thousands of movies, most in one: some 20,000 in 45,000
movies.
"""

import numpy as np

from movies_platform.contracts.sources import KEYWORD_LISTS
from movies_platform.sample import vocabulary as words
from movies_platform.sample.draws import (
    BLOCK,
    Ints,
    Texts,
    draw_different,
    list_texts,
    tail_ranks,
    texts,
    weighted,
    with_item,
)

COLUMNS = tuple(KEYWORD_LISTS.columns)
# 0, 1 ... 30 of them, as often as in the real file; 65 of its movies have more.
KEYWORDS_PER_MOVIE = (
    14353, 6469, 4728, 4200, 3246, 2822, 1943, 1477, 1039, 854, 758, 666, 593, 396, 322, 280, 241, 207, 164, 125, 129,
    92, 83, 65, 36, 27, 25, 25, 11, 15, 7,
)  # fmt: skip
SHIFT, DIFFERENT = 14, 24_000  # ranks beyond so many keywords begin with the first again
GAINING = 0.01  # share of movies that gain a keyword in a month


def draw_keywords(rng: np.random.Generator) -> Texts:
    """`keywords` of a block's movies, none twice in a movie."""
    owners = np.repeat(np.arange(BLOCK), weighted(rng, KEYWORDS_PER_MOVIE, BLOCK))
    pairs = draw_different(owners, DIFFERENT, lambda size: tail_ranks(rng, SHIFT, size) % DIFFERENT)
    return list_texts(_items(pairs % DIFFERENT), pairs // DIFFERENT, BLOCK)


def more_keywords(rng: np.random.Generator, month: int, keywords: Texts) -> Texts:
    """The keywords a month later: one movie in a hundred has one more, which is new in the `month`-th month."""
    keywords = keywords.copy()
    for movie in np.flatnonzero(rng.random(BLOCK) < GAINING).tolist():
        keywords[movie] = with_item(keywords[movie], repr({"id": DIFFERENT + month, "name": f"rediscovered {month}"}))
    return keywords


def keyword_name(rank: int) -> str:
    """The keyword's name: a word of its own for the frequent ones, then two or three words."""
    if rank < len(words.KEYWORDS):
        return words.KEYWORDS[rank]
    place, subject = divmod(rank, len(words.KEYWORD_SUBJECTS))
    place, kind = divmod(place, len(words.KEYWORD_KINDS))
    name = f"{words.KEYWORD_KINDS[kind]} {words.KEYWORD_SUBJECTS[subject]}"
    return name if place == 0 else f"{name} {place + 1}"


def _items(ranks: Ints) -> list[str]:
    distinct, places = np.unique(ranks, return_inverse=True)
    items = texts([repr({"id": rank + 1, "name": keyword_name(rank)}) for rank in distinct.tolist()])
    return list(items[places].tolist())
