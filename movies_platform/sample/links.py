"""Records of links.csv in the form of the data set: MovieLens' number of a movie, and IMDb's and TMDB's.

Every movie has a link. One link in 120 is more than that: it leads nowhere, to a movie that the movies' file does not
hold, or a second time to a movie. Lines end with CR and LF.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from movies_platform.contracts.sources import LINKS
from movies_platform.sample.draws import Ints
from movies_platform.sample.ratings import RatedMovies

COLUMNS = tuple(LINKS.columns)
LINE_END = "\r\n"
EVERY, AT = 120, 60  # a further link after each movie whose index is 60 modulo 120
# What they are, by turns, as often as in the real file: of 12 further links, 7 lead nowhere.
FURTHER = (
    "nowhere",
    "unknown",
    "nowhere",
    "again",
    "nowhere",
    "unknown",
    *("nowhere", "unknown") * 2,
    *["nowhere"] * 2,
)
GAP = 4  # between the numbers of two movies at MovieLens; further links have what lies between


@dataclass(frozen=True)
class Links:
    """Links of a block's movies, in the order of the file.

    `movies` are their places in the block; `own` is false for further links.
    """

    rows: list[tuple[str, str, str]]
    movies: Ints
    own: npt.NDArray[np.bool_]

    def rated(self, votes: Ints, averages: Ints) -> RatedMovies:
        """Their movies as users rate them: those with many votes often, all others and further links hardly ever."""
        quality = np.where(averages > 0, averages, 60).astype(np.float64)
        return RatedMovies(
            ids=np.array([int(number) for number, *_ in self.rows]),
            weights=np.where(self.own, votes[self.movies] + 0.3, 0.3),
            quality=quality[self.movies],
        )


def links_of(movies: int) -> int:
    """How many links a file of so many movies has."""
    return movies + (movies + EVERY - AT - 1) // EVERY


def block_links(first: int, places: Ints, movie_ids: Sequence[str]) -> Links:
    """The links of a block's movies: `first` is the index of the first one, `places` theirs in the order of ids."""
    rows: list[tuple[str, str, str]] = []
    movies: list[int] = []
    for index, (place, movie_id) in enumerate(zip(places.tolist(), movie_ids, strict=True), first):
        rows.append((str(GAP * index + 1), f"{place + 1:07d}", movie_id))
        movies.append(index - first)
        if index % EVERY == AT:
            kind = FURTHER[index // EVERY % len(FURTHER)]
            # No movie's id ends in 0.
            tmdb_id = {"nowhere": "", "unknown": str((place + 1) * 10), "again": movie_id}[kind]
            rows.append((str(GAP * index + 3), f"{8_000_000 + index:07d}", tmdb_id))
            movies.append(index - first)
    owners = np.array(movies)
    return Links(rows, owners, np.diff(owners, prepend=-1) > 0)
