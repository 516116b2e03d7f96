"""Records of ratings.csv in the form of the data set: users rate movies of the links with half a star to five.

Records are in the order of users, then of movies. A user has rated 96 movies on average, most far fewer, some
thousands. Well-known movies are rated more often. A month later one rating in a hundred is another one, and new users
have come. Lines end with CR and LF.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from movies_platform.contracts.sources import RATINGS
from movies_platform.sample.draws import Floats, Ints, draw_different

COLUMNS = tuple(RATINGS.columns)
LINE_END = "\r\n"
PER_USER = 26_024_289 / 270_896
BLOCK_RATINGS = 200_000  # that are made at once
CHANGING = 0.01  # share of ratings that are others a month later
YEARS_SECONDS = 20 * 31_557_600  # the ratings of the first month are from the twenty years before it
MONTH_SECONDS = 30 * 86_400
VISIT_SECONDS = 3 * 86_400  # within which a user rates all that he rates


class RatedMovies(NamedTuple):
    """MovieLens' numbers of movies, ascending; how often each is rated, in proportion; how good it is, 5 to 100."""

    ids: Ints
    weights: Floats
    quality: Floats

    @classmethod
    def together(cls, blocks: Sequence["RatedMovies"]) -> "RatedMovies":
        """All of some blocks."""
        return cls(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))

    def first(self, count: int) -> "RatedMovies":
        """The first so many of them."""
        return RatedMovies(self.ids[:count], self.weights[:count], self.quality[:count])


class Block(NamedTuple):
    """Ratings that are made at once: its number, its first user, how many users, how many ratings."""

    number: int
    start: int
    users: int
    ratings: int


@dataclass(frozen=True)
class Ratings:
    """Ratings of some users, by user and movie; `stars` are half stars, from 1 to 10, `times` seconds since 1970."""

    users: Ints
    movies: Ints
    stars: Ints
    times: Ints

    def rows(self) -> list[tuple[int, int, float, int]]:
        """The fields of the file."""
        return list(
            zip(self.users.tolist(), self.movies.tolist(), (self.stars / 2).tolist(), self.times.tolist(), strict=True)
        )

    def next_month(self, rng: np.random.Generator, start: int) -> "Ratings":
        """The ratings a month later, which begins at `start`: some users have changed their minds."""
        changing = rng.random(len(self.users)) < CHANGING
        stars = np.where(changing, (self.stars + rng.integers(0, 9, len(changing))) % 10 + 1, self.stars)
        times = np.where(changing, start - rng.integers(1, MONTH_SECONDS, len(changing)), self.times)
        return replace(self, stars=stars, times=np.maximum(times, 0))


def users_of(ratings: int, movies: int) -> int:
    """How many users make so many ratings; more where there are few movies, because nobody rates one twice."""
    return max(1, round(ratings / PER_USER), -(-2 * ratings // _most(movies)))


def blocks_of(ratings: int, users: int) -> Iterator[Block]:
    """Cut ratings into blocks of whole users, who count from 0."""
    blocks = min(users, -(-ratings // BLOCK_RATINGS))
    for number in range(blocks):
        start, end = users * number // blocks, users * (number + 1) // blocks
        yield Block(number, start, end - start, ratings * end // users - ratings * start // users)


def draw_ratings(
    rng: np.random.Generator, movies: RatedMovies, block: Block, first_user: int, start: int, seconds: int
) -> Ratings:
    """Different ratings by a block's users, in `seconds` seconds before `start`; user 0 has number `first_user`."""
    users, ratings = block.users, block.ratings
    sizes = _sizes(rng, users, ratings, _most(len(movies.ids)))
    pairs = _different(rng, movies.weights, np.repeat(np.arange(users), sizes))
    owners, places = np.divmod(pairs, len(movies.ids))
    taste = rng.normal(0, 0.45, users)
    liking = 3.5 + (movies.quality[places] - 62) / 22 + taste[owners] + rng.normal(0, 0.8, ratings)
    halves = rng.random(users) < 0.4  # the others give whole stars only
    stars = np.where(halves[owners], np.rint(2 * liking), 2 * np.rint(liking))
    visits = start - VISIT_SECONDS - rng.integers(0, max(1, seconds - VISIT_SECONDS), users)
    return Ratings(
        users=first_user + block.start + owners,
        movies=movies.ids[places],
        stars=np.clip(stars, np.where(halves[owners], 1, 2), 10).astype(np.int64),
        times=np.maximum(visits[owners] + rng.integers(0, VISIT_SECONDS, ratings), 0),
    )


def _most(movies: int) -> int:
    """How many ratings a user makes at most: of more of the movies it would take long to draw different ones."""
    return max(1, movies // 4)


def _sizes(rng: np.random.Generator, users: int, ratings: int, most: int) -> Ints:
    """How many ratings each user makes: at least one, `ratings` together."""
    shares = rng.lognormal(0, 1.2, users)
    sizes = np.ones(users, dtype=np.int64)
    while left := ratings - int(sizes.sum()):
        open_shares = shares * (sizes < most)
        sizes = np.minimum(sizes + (left * open_shares / open_shares.sum()).astype(np.int64), most)
        if (still := ratings - int(sizes.sum())) == left:  # less than one for each
            sizes[np.flatnonzero(sizes < most)[:still]] += 1
    return sizes


def _different(rng: np.random.Generator, weights: Floats, owners: Ints) -> Ints:
    """A number for each rating, ascending: owner * movies + place of the movie; none twice."""

    def draw(size: int) -> Ints:
        nonlocal weights
        chances = np.cumsum(weights)
        drawn: Ints = np.searchsorted(chances, rng.random(size) * chances[-1], side="right")
        weights = np.sqrt(weights)  # or the most popular movies would be drawn twice again and again
        drawn = np.minimum(drawn, len(weights) - 1)
        return drawn

    return draw_different(owners, len(weights), draw)
