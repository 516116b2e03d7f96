"""How samples draw: in proportion to weights, or from a long tail in which a few recur often and most hardly ever."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

BLOCK = 8192  # movies that are made at once
POOL = 4096  # different sentences, titles, lists of genres ..., from which movies draw
RANKS = 50_000_000
LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", dtype=np.uint8)


def texts(values: Sequence[str]) -> Texts:
    """An array of strings that can be indexed by an array."""
    array: Texts = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def weighted(rng: np.random.Generator, weights: Sequence[float], size: int) -> Ints:
    """Indexes into `weights`, drawn in proportion to them."""
    return rng.choice(len(weights), size, p=np.divide(weights, np.sum(weights)))


def tail_ranks(rng: np.random.Generator, shift: int, size: int) -> Ints:
    """Ranks from 0, the most frequent, to below RANKS, by a shifted Zipf law.

    Rank 0 has a share of 1 / (4 * `shift`); the number of different ranks grows as `size` ** 0.8.
    """
    tail = shift * (rng.random(size) ** -4.0 - 1.0)
    # Some per cent of the law's tail lie beyond any id worth having: nearly each is on its own.
    return np.where(tail < RANKS, tail, rng.integers(RANKS // 10, RANKS, size)).astype(np.int64)


def different(numbers: Ints) -> Ints:
    """The numbers, ascending, each once."""
    # np.unique finds them by hashes, which takes twenty times as long for pairs of an owner and a place.
    ordered = np.sort(numbers)
    return ordered[np.diff(ordered, prepend=-1) > 0]


def draw_different(owners: Ints, span: int, draw: Callable[[int], Ints]) -> Ints:
    """A number below `span` for each of `owners`, who are ascending, none twice for one; as owner * span + number.

    `draw` gives so many numbers; it is asked again for those that were drawn twice.
    """
    wanted, pairs = np.bincount(owners), np.empty(0, dtype=np.int64)
    while len(owners):
        pairs = different(np.concatenate([pairs, owners * span + draw(len(owners))]))
        owners = np.repeat(np.arange(len(wanted)), wanted - np.bincount(pairs // span, minlength=len(wanted)))
    return pairs


def scattered(numbers: Ints, purpose: int) -> Ints:
    """A number from 0 to 2**48 for each, always the same for one purpose; neighbours and purposes are unrelated.

    The mixing is that of SplitMix64.
    """
    mixed = numbers.astype(np.uint64) + np.uint64((purpose + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed >> np.uint64(16)).astype(np.int64)


def image_paths(rng: np.random.Generator, size: int) -> Texts:
    """Paths as TMDB has them, 32 characters."""
    letters = rng.choice(LETTERS, 27 * size).tobytes().decode("ascii")
    return texts([f"/{letters[start : start + 27]}.jpg" for start in range(0, 27 * size, 27)])


def list_texts(items: Sequence[str], owners: Ints, size: int) -> Texts:
    """`size` texts of lists: that of each owner, of its items' texts in their order."""
    lists: list[list[str]] = [[] for _ in range(size)]
    for owner, item in zip(owners.tolist(), items, strict=True):
        lists[owner].append(item)
    return texts([f"[{', '.join(some)}]" for some in lists])


def with_item(text: str, item: str) -> str:
    """The text of a list with one item more."""
    return f"{text[:-1]}{', ' if len(text) > 2 else ''}{item}]"
