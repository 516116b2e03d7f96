"""Pools of ready CSV fields for one seed: lists, sentences, halves of titles, taglines.

Rows choose from pools by index, which costs a fraction of a microsecond a field; what must be unique
or grow with the size (ids, companies, posters) is not from a pool.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from movies_platform.sample import words

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

POOL = 4096
POOLS, BLOCK, CHANGES, DIRT = range(4)  # what a stream of random numbers is for


def stream(seed: int, purpose: int, block: int = 0, month: int = 0) -> np.random.Generator:
    """Random numbers that depend on nothing but these four, whatever was drawn before."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, block, month)))


def csv_field(text: str) -> str:
    """Quote a field as `csv.QUOTE_MINIMAL` does."""
    if "," in text or '"' in text or "\n" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def texts(values: Sequence[str]) -> Texts:
    """An array of strings that can be indexed by an array."""
    array: Texts = np.empty(len(values), dtype=np.object_)
    array[:] = values
    return array


def weighted(rng: np.random.Generator, weights: Sequence[float], size: int) -> Ints:
    """Indexes into `weights`, drawn in proportion to them."""
    steps = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.searchsorted(steps / steps[-1], rng.random(size), side="right").astype(np.int64)


def list_pool(
    rng: np.random.Generator, items: Sequence[str], weights: Sequence[float], lengths: Sequence[float]
) -> Texts:
    """Nested columns of distinct items, as CSV fields; `lengths[n]` is the weight of n items."""
    # Smallest exponential arrival times: a weighted draw without replacement.
    arrivals = rng.standard_exponential((POOL, len(items))) / np.asarray(weights, dtype=np.float64)
    order = np.argsort(arrivals, axis=1, kind="stable").tolist()
    sizes = weighted(rng, lengths, POOL).tolist()
    return texts(
        [
            csv_field("[" + ", ".join([items[i] for i in row[:size]]) + "]")
            for row, size in zip(order, sizes, strict=True)
        ]
    )


def _sentence(pick: list[int]) -> str:
    """One sentence of an overview, about 100 characters, from random whole numbers."""
    kind, a, b, c, d, e = pick
    name, other = words.NAMES[a % len(words.NAMES)], words.NAMES[b % len(words.NAMES)]
    place, role = words.PLACES[c % len(words.PLACES)], words.ROLES[d % len(words.ROLES)]
    deed, then = words.DEEDS[e % len(words.DEEDS)], words.DEEDS[b % len(words.DEEDS)]
    nickname, twist = words.NICKNAMES[c % len(words.NICKNAMES)], words.TWISTS[d % len(words.TWISTS)]
    match kind % 12:
        case 0:
            return f'{name}, known to everyone as "{nickname}", {deed}.'
        case 1 | 2:
            return f"{name}, {role} from {place}, {deed} and {then}."
        case 3:
            return f"Set in {place}, where {role} {deed}, this is the story of {name} and {other}."
        case 4:
            return f"When {name} {deed}, {role} {then}…"
        case 5 | 6:
            return f"{name} {deed} while {other} {then}."
        case 7 | 8:
            return f"In {place} {role} named {other} {deed}."
        case 9:
            return f"{twist} for {name} and {other}: {role} {deed}."
        case _:
            return f"{twist}."


def _title_head(pick: list[int]) -> str:
    kind, a, b, *_ = pick
    adjective, surname = words.ADJECTIVES[a % len(words.ADJECTIVES)], words.SURNAMES[b % len(words.SURNAMES)]
    noun, name = words.NOUNS[b % len(words.NOUNS)], words.NAMES[b % len(words.NAMES)]
    heads = (f"The {adjective}", adjective, f"The {noun} and the", f"{name}'s", f"{name} and the {adjective}")
    more = (f"Return to the {adjective}", f"My {adjective}", f"{noun}:", f"The {surname}", f"No {noun}, No")
    return (*heads, *more)[kind % 10]


def _title_tail(pick: list[int]) -> str:
    kind, a, b, *_ = pick
    noun, other = words.NOUNS[a % len(words.NOUNS)], words.NOUNS[b % len(words.NOUNS)]
    surname = words.SURNAMES[b % len(words.SURNAMES)]
    tails = (noun, noun, noun, f"{noun} {2 + b % 4}", f"{noun}, Part {'II' if b % 2 else 'I'}")
    return (*tails, f"{noun} of {surname}", f"{noun} of the {other}", f"{other}s", other, other)[kind % 10]


def _tagline(pick: list[int]) -> str:
    kind, a, b, *_ = pick
    first, second = words.TAGLINES[a % len(words.TAGLINES)], words.TAGLINES[b % len(words.TAGLINES)]
    return csv_field((f"{first}.", f"{first}. {second}.", f"{first}… {second}!", f"{first}!")[kind % 4])


def _homepage(pick: list[int]) -> str:
    kind, a, b, *_ = pick
    slug = f"{words.ADJECTIVES[a % len(words.ADJECTIVES)]}{words.NOUNS[b % 30]}".lower()
    return f"http://www.{slug}{('movie', '-film', '', '')[kind % 4]}.com/{('', 'home/index.html')[kind % 2]}"


@dataclass(frozen=True)
class Pools:
    """Arrays of strings. Sentences are escaped but not quoted (`sentence_needs_quotes`: whether the
    overview that holds one has to be), titles are plain text, all others are whole CSV fields.
    """

    genres: Texts
    countries: Texts
    languages: Texts
    sentences: Texts
    sentence_needs_quotes: Flags
    title_heads: Texts
    title_tails: Texts
    taglines: Texts
    homepages: Texts


def build_pools(seed: int) -> Pools:
    """Draw the pools of one seed, in about a tenth of a second."""
    rng = stream(seed, POOLS)
    genres = [f"{{'id': {key}, 'name': {name!r}}}" for key, name, _ in words.GENRES]
    countries = [f"{{'iso_3166_1': {key!r}, 'name': {name!r}}}" for key, name, _ in words.COUNTRIES]
    languages = [f"{{'iso_639_1': {key!r}, 'name': {name!r}}}" for key, name, _ in words.SPOKEN]

    def picks(size: int) -> list[list[int]]:
        drawn: list[list[int]] = rng.integers(0, 1 << 30, (size, 6)).tolist()
        return drawn

    sentences = [_sentence(pick) for pick in picks(2 * POOL)]
    return Pools(
        genres=list_pool(rng, genres, [w for *_, w in words.GENRES], (5, 32, 32, 21, 10)),
        countries=list_pool(rng, countries, [w for *_, w in words.COUNTRIES], (14, 71, 11, 3, 1)),
        languages=list_pool(rng, languages, [w for *_, w in words.SPOKEN], (8, 75, 12, 4, 1)),
        sentences=texts([text.replace('"', '""') for text in sentences]),
        sentence_needs_quotes=np.array(["," in text or '"' in text for text in sentences]),
        title_heads=texts([_title_head(pick) for pick in picks(POOL)]),
        title_tails=texts([_title_tail(pick) for pick in picks(POOL)]),
        taglines=texts([_tagline(pick) for pick in picks(POOL)]),
        homepages=texts([_homepage(pick) for pick in picks(POOL)]),
    )
