"""Columns of one block of movies that stay the same from month to month.

A column is a list of CSV fields, one for each movie of the block; a block depends on the seed and on
its number alone (ids also on the number of movies of the first month).
"""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from movies_platform.sample import COLUMNS, words
from movies_platform.sample.companies import company_fields, draw_links
from movies_platform.sample.text import BLOCK, Ints, Pools, Texts, csv_field, stream, texts, weighted

BLOCK_MOVIES = 8192
IMDB_PRIME = 9_999_991
COLLECTIONS = 400  # in a block, for its 800 or so movies that belong to one
ALPHABET = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", dtype=np.uint8)
DECADES = range(1900, 2020, 10)
DECADE_WEIGHTS = (5, 10, 24, 74, 84, 117, 148, 196, 222, 320, 632, 723)
SENTENCE_WEIGHTS = (14, 22, 22, 18, 12, 7, 3, 2)  # of 1, 2 ... 8 sentences in an overview
RUNTIMES = texts([f"{minutes}.0" for minutes in range(361)])
STATUSES = texts(["Released", "Rumored", "Post Production", "", "In Production", "Planned"])
STATUS_WEIGHTS = (45014, 230, 98, 81, 20, 15)


def movie_slots(indexes: Ints, movies: int) -> Ints:
    """The place of each movie in the order of ids: scattered for the first month's, last for new ones."""
    step = max(1, round(movies * 0.618))
    while math.gcd(step, movies) != 1:
        step += 1
    return np.where(indexes < movies, indexes * step % movies, indexes)


def blank(rng: np.random.Generator, column: list[str], share: float, text: str = "") -> list[str]:
    """Replace a share of a column's fields, in place."""
    for row in np.flatnonzero(rng.random(len(column)) < share).tolist():
        column[row] = text
    return column


def pick(rng: np.random.Generator, pool: Texts, size: int) -> list[str]:
    """Fields drawn evenly from a pool."""
    drawn: list[str] = pool[rng.integers(0, len(pool), size)].tolist()
    return drawn


def image_paths(rng: np.random.Generator, size: int) -> list[str]:
    """Paths as TMDB has them, 32 characters."""
    letters = ALPHABET[rng.integers(0, len(ALPHABET), 27 * size, dtype=np.uint8)].tobytes().decode("ascii")
    return [f"/{letters[start : start + 27]}.jpg" for start in range(0, 27 * size, 27)]


def collection_fields(rng: np.random.Generator, block: int, pools: Pools, size: int) -> list[str]:
    """`belongs_to_collection`, filled for one movie in ten; a backdrop is often None."""
    names = pick(rng, pools.title_tails, COLLECTIONS)
    posters, backdrops = image_paths(rng, COLLECTIONS), image_paths(rng, COLLECTIONS)
    first = 10_000 + block * COLLECTIONS
    fields = [
        csv_field(
            f"{{'id': {first + n}, 'name': {name + ' Collection'!r}, "
            f"'poster_path': {posters[n]!r}, 'backdrop_path': {backdrops[n] if n % 4 else None!r}}}"
        )
        for n, name in enumerate(names)
    ]
    column = [""] * size
    for row in np.flatnonzero(rng.random(size) < 0.099).tolist():
        column[row] = fields[row % COLLECTIONS]
    return column


def overview_fields(rng: np.random.Generator, pools: Pools, size: int) -> list[str]:
    """Overviews of one to eight sentences; one in 200 has a quoted line break and a quotation."""
    counts = weighted(rng, SENTENCE_WEIGHTS, size) + 1
    chosen = rng.integers(0, len(pools.sentences), int(counts.sum()))
    ends = np.cumsum(counts)
    quotes = np.add.reduceat(pools.sentence_needs_quotes[chosen], ends - counts) > 0
    sentences = pools.sentences[chosen].tolist()
    bounds = [0, *ends.tolist()]
    column = [
        f'"{" ".join(sentences[start:end])}"' if quoted else " ".join(sentences[start:end])
        for (start, end), quoted in zip(pairwise(bounds), quotes.tolist(), strict=True)
    ]
    for row in np.flatnonzero(rng.random(size) < 0.005).tolist():
        lines = "\n\n".join(sentences[bounds[row] : bounds[row + 1]])
        column[row] = f'"{lines}\n""The End"", as they say."'
    return blank(rng, blank(rng, column, 0.021), 0.003, "No overview found.")


def title_columns(rng: np.random.Generator, pools: Pools, size: int) -> tuple[list[str], ...]:
    """`original_language`, `original_title` and `title`."""
    codes = [code for code, _ in words.ORIGINAL_LANGUAGES]
    languages = [codes[i] for i in weighted(rng, [w for _, w in words.ORIGINAL_LANGUAGES], size).tolist()]
    heads, tails = pick(rng, pools.title_heads, size), pick(rng, pools.title_tails, size)
    titles = [csv_field(f"{head} {tail}") for head, tail in zip(heads, tails, strict=True)]
    for row in np.flatnonzero(rng.random(size) < 0.002).tolist():
        titles[row] = csv_field(words.ODD_TITLES[row % len(words.ODD_TITLES)])
    originals = titles.copy()
    numbers = rng.integers(0, 1 << 30, size).tolist()
    for row, language in enumerate(languages):
        if language in words.NATIVE_TITLES:
            first, last = words.NATIVE_TITLES[language]
            number, space = numbers[row], "" if language in ("ja", "zh") else " "
            originals[row] = csv_field(f"{first[number % len(first)]}{space}{last[number // 8 % len(last)]}")
    return languages, originals, titles


def date_fields(rng: np.random.Generator, size: int) -> list[str]:
    """`release_date` as YYYY-MM-DD, from 1900 to 2020, one in 20 the first of January."""
    years = np.array(DECADES)[weighted(rng, DECADE_WEIGHTS, size)] + rng.integers(0, 10, size)
    years = np.where(rng.random(size) < 0.001, 2020, years)
    days = rng.integers(0, 365, size) * (rng.random(size) >= 0.05)
    dates: npt.NDArray[np.datetime64] = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    column: list[str] = np.datetime_as_string(dates + days).tolist()
    return blank(rng, column, 0.002)


def runtime_fields(rng: np.random.Generator, size: int) -> list[str]:
    """`runtime` in minutes, `0.0` for one movie in 30."""
    minutes = np.clip(rng.normal(97, 24, size), 1, 360).astype(np.int64)
    column: list[str] = RUNTIMES[np.where(rng.random(size) < 0.034, 0, minutes)].tolist()
    return blank(rng, column, 0.006)


def fixed_columns(seed: int, block: int, movies: int, pools: Pools) -> dict[str, list[str]]:
    """All columns but money, popularity and votes, by name, BLOCK_MOVIES fields each.

    Ids are up to ten times the number of movies. None ends in 0: those are left for rejected records.
    """
    rng = stream(seed, BLOCK, block)
    size = BLOCK_MOVIES
    slots = movie_slots(np.arange(block * size, (block + 1) * size), movies)
    ids = slots * 10 + rng.integers(1, 10, size)
    imdb = 1 + slots * 2_654_435 % IMDB_PRIME + slots // IMDB_PRIME * IMDB_PRIME
    languages, originals, titles = title_columns(rng, pools, size)
    return {
        "adult": blank(rng, ["False"] * size, 0.0002, "True"),
        "belongs_to_collection": collection_fields(rng, block, pools, size),
        "genres": pick(rng, pools.genres, size),
        "homepage": blank(rng, pick(rng, pools.homepages, size), 0.829),
        "id": [str(key) for key in ids.tolist()],
        "imdb_id": blank(rng, [f"tt{number:07d}" for number in imdb.tolist()], 0.0004),
        "original_language": languages,
        "original_title": originals,
        "overview": overview_fields(rng, pools, size),
        "poster_path": blank(rng, image_paths(rng, size), 0.008),
        "production_companies": company_fields(*draw_links(rng, size)),
        "production_countries": pick(rng, pools.countries, size),
        "release_date": date_fields(rng, size),
        "runtime": runtime_fields(rng, size),
        "spoken_languages": pick(rng, pools.languages, size),
        "status": STATUSES[weighted(rng, STATUS_WEIGHTS, size)].tolist(),
        "tagline": blank(rng, pick(rng, pools.taglines, size), 0.551),
        "title": titles,
        "video": blank(rng, ["False"] * size, 0.0002, "True"),
    }


def in_order(columns: dict[str, list[str]]) -> list[list[str]]:
    """The 24 columns in the order of the file."""
    return [columns[name] for name in COLUMNS]
