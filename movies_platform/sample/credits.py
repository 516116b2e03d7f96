"""Records of credits.csv in the form of the data set, some 4 kB a record: who played in a movie and who worked on it.

12.3 members of the cast and 10.1 of the crew for each movie. People recur: a few in dozens of movies, most in one. They
come from three populations, of actors, directors and others of the crew; some of the crew are actors too.
"""

from typing import NamedTuple

import numpy as np

from movies_platform.contracts.sources import CREDITS
from movies_platform.sample import vocabulary as words
from movies_platform.sample.draws import (
    BLOCK,
    POOL,
    Floats,
    Ints,
    Texts,
    image_paths,
    list_texts,
    scattered,
    tail_ranks,
    texts,
    with_item,
)

COLUMNS = tuple(CREDITS.columns)
ACTOR_SHIFT, DIRECTOR_SHIFT, CREW_SHIFT = 1000, 300, 1000
ACTORS, DIRECTORS, OTHERS = range(3)
NAME, GENDER, PICTURE, JOB = range(4)  # what a person is scattered for
POPULATIONS = 4  # a person's id is 4 * rank + population + 1
# Shares of gender 0 (unknown), 1 (female) and 2 (male), of actors, directors and others.
GENDERS = np.array([(0.22, 0.26, 0.52), (0.25, 0.07, 0.68), (0.56, 0.11, 0.33)])
PICTURED = np.array([0.8, 0.5, 0.18])  # shares of people who have a picture
CREDITS_PER_MOVIE = 4096  # numbers of credits that a movie has for itself
MOST_MEMBERS = 300
GAINING = 0.01  # share of movies whose crew gains a member in a month


class People(NamedTuple):
    """Parts of items as text, one for each person: `'gender': 2, 'id': 31`, the name, and the path of a picture."""

    head: Texts
    name: Texts
    picture: Texts


class Credits:
    """What cast and crew are drawn from; `rng` decides it."""

    def __init__(self, rng: np.random.Generator):
        """Draw the pools."""
        names = rng.choice(texts(words.NAMES), POOL).tolist()
        surnames = rng.choice(texts(words.SURNAMES), POOL).tolist()
        forms = rng.choice(texts(words.CHARACTERS), POOL).tolist()
        roles = [form.format(name=a, surname=b) for form, a, b in zip(forms, names, surnames, strict=True)]
        self._characters = texts([repr(role) for role in roles])
        self._pictures = texts([repr(path) for path in image_paths(rng, POOL)])
        jobs = [(f"'department': {department!r}, ", f"'job': {job!r}, ") for department, job, _ in words.JOBS]
        self._departments, self._jobs = texts([one for one, _ in jobs]), texts([other for _, other in jobs])
        self._job_shares = np.cumsum([n for *_, n in words.JOBS]) / sum(n for *_, n in words.JOBS)

    def draw(self, rng: np.random.Generator, first: int, appeal: Floats, movies: int) -> tuple[Texts, Texts]:
        """`cast` and `crew` of a block's first `movies` movies, from movie `first` of the file on.

        All of the block is drawn, so that a movie's credits do not depend on how many are wanted.
        """
        cast_sizes = _sizes(rng, appeal, 2.139, 0.75, empty=0.05)
        crew_sizes = _sizes(rng, appeal, 1.568, 1.1, empty=0.017)
        return self._cast(rng, first, cast_sizes, movies), self._crew(rng, first, crew_sizes, movies)

    def next_month(self, rng: np.random.Generator, first: int, month: int, crew: Texts) -> Texts:
        """The crews a month later: one movie in a hundred has thanked somebody more."""
        gaining = np.flatnonzero(rng.random(BLOCK) < GAINING)
        people = self._people(OTHERS + POPULATIONS * tail_ranks(rng, CREW_SHIFT, len(gaining)))
        numbers = (first + gaining) * CREDITS_PER_MOVIE + CREDITS_PER_MOVIE - month
        crew = crew.copy()
        parts = zip(gaining.tolist(), numbers.tolist(), people.head, people.name, people.picture, strict=True)
        for movie, number, head, name, picture in parts:
            if movie < len(crew):
                item = _crew_item(number, "'department': 'Crew', ", head, "'job': 'Thanks', ", name, picture)
                crew[movie] = with_item(crew[movie], item)
        return crew

    def _cast(self, rng: np.random.Generator, first: int, sizes: Ints, movies: int) -> Texts:
        owners, orders = _owners(sizes)
        keys = ACTORS + POPULATIONS * tail_ranks(rng, ACTOR_SHIFT, len(owners))
        characters = rng.choice(self._characters, len(owners))
        cast_ids = orders + rng.integers(1, 15, BLOCK)[owners]
        numbers = (first + owners) * CREDITS_PER_MOVIE + orders
        wanted = slice(int(sizes[:movies].sum()))
        parts = (cast_ids[wanted], characters[wanted], numbers[wanted], orders[wanted])
        items = [
            f"{{'cast_id': {cast_id}, 'character': {character}, 'credit_id': '{_credit_id(number)}', "
            f"{head}, 'name': {name}, 'order': {order}, 'profile_path': {picture}}}"
            for cast_id, character, number, order, head, name, picture in zip(
                *(part.tolist() for part in (*parts, *self._people(keys[wanted]))), strict=True
            )
        ]
        return list_texts(items, owners[wanted], movies)

    def _crew(self, rng: np.random.Generator, first: int, sizes: Ints, movies: int) -> Texts:
        owners, orders = _owners(sizes)
        directs = orders == 0
        acts = ~directs & (rng.random(len(owners)) < 0.04)
        ranks = tail_ranks(rng, CREW_SHIFT, len(owners))
        ranks[directs] = tail_ranks(rng, DIRECTOR_SHIFT, int(directs.sum()))
        ranks[acts] = tail_ranks(rng, ACTOR_SHIFT, int(acts.sum()))
        keys = np.where(directs, DIRECTORS, np.where(acts, ACTORS, OTHERS)) + POPULATIONS * ranks
        # Most work in one job all their lives.
        chances = np.where(rng.random(len(owners)) < 0.85, _fraction(keys, JOB), rng.random(len(owners)))
        jobs = np.where(directs, 0, np.searchsorted(self._job_shares, chances, side="right"))
        numbers = (first + owners) * CREDITS_PER_MOVIE + MOST_MEMBERS + orders
        wanted = slice(int(sizes[:movies].sum()))
        parts = (numbers[wanted], self._departments[jobs[wanted]], self._jobs[jobs[wanted]])
        items = [
            _crew_item(number, department, head, job, name, picture)
            for number, department, job, head, name, picture in zip(
                *(part.tolist() for part in (*parts, *self._people(keys[wanted]))), strict=True
            )
        ]
        return list_texts(items, owners[wanted], movies)

    def _people(self, keys: Ints) -> People:
        distinct, places = np.unique(keys, return_inverse=True)
        populations = distinct % POPULATIONS
        fractions = _fraction(distinct, GENDER)[:, np.newaxis]
        genders = (fractions >= np.cumsum(GENDERS[populations], axis=1)[:, :2]).sum(axis=1)
        mixed = scattered(distinct, NAME)
        mixed, a = np.divmod(mixed, len(words.SURNAMES))
        mixed, b = np.divmod(mixed, len(words.FEMALE_NAMES))
        mixed, initial = np.divmod(mixed, 100)
        heads, names = [], []
        for key, gender, first, last, n in zip(
            distinct.tolist(), genders.tolist(), b.tolist(), a.tolist(), initial.tolist(), strict=True
        ):
            given = (words.FEMALE_NAMES if gender == 1 or (gender == 0 and n % 2) else words.MALE_NAMES)[first]
            middle = f" {chr(65 + n)}." if n < 26 else ""
            heads.append(f"'gender': {gender}, 'id': {key + 1}")
            names.append(repr(f"{given}{middle} {words.SURNAMES[last]}"))
        pictured = _fraction(distinct, PICTURE) < PICTURED[populations]
        pictures = np.where(pictured, self._pictures[mixed % POOL], "None")
        return People(texts(heads)[places], texts(names)[places], pictures[places])


def _fraction(keys: Ints, purpose: int) -> Floats:
    return np.asarray(scattered(keys, purpose) / 2.0**48, dtype=np.float64)


def _sizes(rng: np.random.Generator, appeal: Floats, mean: float, spread: float, empty: float) -> Ints:
    sizes = np.exp(mean + 0.3 * appeal + rng.normal(0, spread, BLOCK))
    return np.clip(np.rint(sizes), 1, MOST_MEMBERS).astype(np.int64) * (rng.random(BLOCK) >= empty)


def _owners(sizes: Ints) -> tuple[Ints, Ints]:
    """The movie of each member, and the member's place in its list."""
    owners = np.repeat(np.arange(len(sizes)), sizes)
    return owners, np.arange(len(owners)) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _credit_id(number: int) -> str:
    """24 hexadecimal digits, others for each number below 2**40."""
    return f"52fe{number >> 24:04x}c3a36847f8{number & 0xFFFFFF:06x}"


def _crew_item(number: int, department: str, head: str, job: str, name: str, picture: str) -> str:
    return (
        f"{{'credit_id': '{_credit_id(number)}', {department}{head}, {job}'name': {name}, 'profile_path': {picture}}}"
    )
