"""Made-up records of every file of the data set, good ones and dirty ones, for `hostile_deliveries`.

Dirt is what the specification or decision 0005 names, never what both leave open.
"""

import json
import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from movies_platform_tests.oracle_reading import SOURCES

Row = dict[str, str]
Item = dict[str, Any]
SIZES = {"movies": 200, "credits": 100, "keywords": 300, "links": 100, "ratings": 2_000}
MOVIES, ALL_MOVIES = range(1, 301), range(1, 401)  # those above 300 are in the other files only
NAMES = (
    "Drama", "Crime & Co.", "O'Hara", 'Double "A" Pictures', "Butcher's \"Run\" Films", "Chaos, a Film Company", "1818",
    "\xa0Check Entertainment", "Underground Films\\", "\u200bLGM CINEMA", "Tab\there", "Čapek 日本", "True", "😀", "É",
)  # fmt: skip
CODES = ("US", "GB", "de", "fr", "xx", "cn", "ZZ")
BAD_IDS = ("", " ", "0", "-7", "1.0", "1e3", "abc", "1997-08-20")
BAD_RATINGS = ("0", "0.0", "-1", "5.5", "five", "", "4,5", "nan")
BAD_LISTS = ("False", "None", "[{'id': 1, 'name': 'cut", "{'id': 1, 'name': 'x'}", "('id', 1)", "0.5", "name")
BAD_NAMES: tuple[Any, ...] = ("", " \xa0", None, 7)
BAD_ITEM_IDS: tuple[Any, ...] = ("7", 7.0, True, None, "", 2**63, [7])
# What is odd in a column of one value, good or not: each stands in some record.
ODD_TEXTS: dict[str, dict[str, Sequence[str]]] = {
    "movies": {
        "release_date": ("2001-13-01", "2001-02-30", "31/12/2001", "12/31/99", "1/2/2001", "2001", "soon", "12/31/2001",
                         "2000-02-29", " 2001-01-01 ", "1874-12-09"),
        "budget": ("-1", "1,000,000", "unknown", "nan", "inf", "0", "0.0", "1e6", "12.5", " 77 "),
        "revenue": ("-0.5", "4,5", "2787965087", "0x10"),
        "popularity": ("-1", "many", "8.2e-05", "0", "", "1_0"),
        "vote_average": ("-0.1", "7,5", "ten", "", "0"),
        "vote_count": ("-1", "3.5", "x", "", "0"),
        "runtime": ("-90", "long", "0.0", "81.0"),
        "title": ("", " \xa0", ' two\nlines, "quoted" ', "+1", "True", "9/11"),
        "original_language": ("", "xx", "cn", " en "),
        "status": ("", "Rumored", "\tReleased\xa0"),
        "imdb_id": ("", "tt0114709 "),
    },
    "links": {
        "tmdbId": ("", "0", "-1", "862.0", "abc", " 5 "),
        "imdbId": ("", "tt", "nm0000123", "12a", "tt123", "114709", "0114709", "tt0114709", "tt12345678", "tt-123"),
    },
    "ratings": {
        "timestamp": ("", " ", "-1", "1.5", "yesterday", str(2**40), str(2**40 - 1), "0", " 978300760 "),
        "rating": (" 3.5 ", "5.0", "0.01"),
    },
}  # fmt: skip


class Records:
    """Makes records from one random source."""

    def __init__(self, dice: random.Random):
        self.dice = dice

    def good(self, kind: str) -> list[Row]:
        """The records of a file, with different keys."""
        dice, size = self.dice, SIZES[kind]
        if kind == "movies":
            return [self._movie(number) for number in dice.sample(MOVIES, size)]
        if kind == "links":
            links = [(number, dice.choice(ALL_MOVIES)) for number in dice.sample(range(1, 151), size)]
            return [{"movieId": str(n), "imdbId": f"{to:07}", "tmdbId": str(to)} for n, to in links]
        if kind == "ratings":
            pairs = [divmod(pair, 50) for pair in dice.sample(range(2 * size), size)]
            return [
                {"userId": str(user + 1), "movieId": str(movie * 3 + 1),
                 "rating": dice.choice(("0.5", "3", "4.5", "5")), "timestamp": str(dice.randint(0, 2**31))}
                for user, movie in pairs
            ]  # fmt: skip
        items = {"keywords": self._keyword} if kind == "keywords" else {"cast": self._credit, "crew": self._credit}
        return [
            {"id": str(number)} | {column: self._list(5, item) for column, item in items.items()}
            for number in dice.sample(ALL_MOVIES, size)
        ]

    def odd(self, kind: str) -> list[tuple[str, str]]:
        """(column, text) of every kind of oddity that leaves its record accepted."""
        lists: dict[str, Sequence[str]] = {}
        if kind == "movies":
            one = [self._literal(self._named(5) | {"name": name}) for name in BAD_NAMES]
            one += [self._literal(self._named(5) | {"id": number}) for number in BAD_ITEM_IDS]
            lists = {
                "belongs_to_collection": [*one, "{}", "{'id': 1}", "False", "{'id': 1, 'name': 'cut", "a collection"],
                "genres": self._odd_lists(self._genre, {"id": BAD_ITEM_IDS, "name": BAD_NAMES}),
                "production_companies": self._odd_lists(self._company, {"id": BAD_ITEM_IDS, "name": BAD_NAMES}),
                # a name may be blank here
                "production_countries": self._odd_lists(
                    self._country, {"iso_3166_1": BAD_NAMES, "name": BAD_NAMES[:3]}
                ),
                "spoken_languages": self._odd_lists(self._language, {"iso_639_1": BAD_NAMES, "name": BAD_NAMES[:3]}),
            }
        elif kind == "credits":
            keys = {"id": BAD_ITEM_IDS, "name": BAD_NAMES, "credit_id": BAD_NAMES[:3]}
            lists = {column: self._odd_lists(self._credit, keys) for column in ("cast", "crew")}
        elif kind == "keywords":
            lists = {"keywords": self._odd_lists(self._keyword, {"id": BAD_ITEM_IDS, "name": BAD_NAMES})}
        return [(column, text) for column, texts in (ODD_TEXTS.get(kind, {}) | lists).items() for text in texts]

    def rejected(self, kind: str, like: Row) -> Row:
        """The record with one of its keys, or its rating, made bad."""
        if kind == "ratings" and self.dice.random() < 0.5:
            return like | {"rating": self.dice.choice(BAD_RATINGS)}
        return like | {self.dice.choice(SOURCES[kind].key): self.dice.choice(BAD_IDS)}

    def _literal(self, value: Any) -> str:
        """As a literal of Python or as JSON."""
        return json.dumps(value, ensure_ascii=self.dice.random() < 0.5) if self.dice.random() < 0.3 else repr(value)

    def _list(self, most: int, item: Callable[[], Item]) -> str:
        return self._literal([item() for _ in range(self.dice.randint(0, most))])

    def _odd_lists(self, item: Callable[[], Item], keys: dict[str, Sequence[Any]]) -> list[str]:
        """A text for every fault of the list, of an item, and of the values of its keys."""
        twice = item()
        texts = [*BAD_LISTS, "", "[]", " [] ", self._literal([item(), 7, "x", None, [item()]])]
        texts += [self._literal([twice, item(), twice]), self._literal([twice, twice | {"name": "another"}])]
        for key, values in keys.items():
            missing = item()
            del missing[key]
            texts += [self._literal([item(), missing]), *(self._literal([item() | {key: v}, item()]) for v in values)]
        return texts

    def _named(self, most: int) -> Item:
        """An id with one of its two names."""
        number = self.dice.randint(1, most)
        return {"id": number, "name": self.dice.choice((NAMES[number % len(NAMES)], f"name {number}"))}

    def _genre(self) -> Item:
        return self._named(12)

    def _company(self) -> Item:
        return self._named(30)

    def _keyword(self) -> Item:
        return self._named(50)

    def _coded(self, column: str) -> Item:
        code = self.dice.choice(CODES)
        return {column: code, "name": self.dice.choice((f"land {code}", f"{code}-land", ""))}

    def _country(self) -> Item:
        return self._coded("iso_3166_1")

    def _language(self) -> Item:
        return self._coded("iso_639_1")

    def _credit(self) -> Item:
        dice = self.dice
        return {
            **self._named(60), "credit_id": f"{dice.getrandbits(96):024x}",
            "gender": dice.choice((0, 1, 2, 3, 4, None)), "order": dice.choice((0, 1, 17, -1, 1.5, None)),
            "character": dice.choice(("Woody (voice)", "", None, "d'Artagnan")),
            "department": dice.choice(("Art", "", "Sound\xa0")), "job": dice.choice(("Editor", 'A "B"')),
        }  # fmt: skip

    def _movie(self, number: int) -> Row:
        dice = self.dice
        released = date(1999, 1, 1) + timedelta(days=dice.randint(0, 1500))
        return {
            "adult": "False", "video": "False", "id": str(number), "imdb_id": f"tt{number:07}",
            "title": dice.choice((f"Movie {number}", "Same, title", '\xa0Ünï "x" ')), "original_title": f"M {number}",
            "original_language": dice.choice(("en", "fr", "de", "ja")), "status": "Released",
            "overview": dice.choice(("Plain.", "Two\r\nlines, quoted", 'He said "no", she', "")),
            "release_date": dice.choice((released.isoformat(), f"{released:%m/%d/%Y}", "")),
            "budget": str(dice.choice((0, 1, 10**6, 25 * 10**7))),
            "revenue": str(dice.choice((0, 7, 10**6, 3 * 10**9))),
            "popularity": dice.choice(("0.5", "2", "2.0", "8.25", f"{dice.uniform(0, 40):.6f}")),
            "vote_average": dice.choice(("0", "5.5", "7.1", "10")), "vote_count": str(dice.choice((0, 1, 3, 40, 5415))),
            "runtime": dice.choice(("81.0", "120", "0")), "tagline": "", "homepage": "", "poster_path": "/x.jpg",
            "belongs_to_collection": self._literal(self._named(5)) if dice.random() < 0.3 else "",
            "genres": self._list(3, self._genre), "production_companies": self._list(4, self._company),
            "production_countries": self._list(2, self._country), "spoken_languages": self._list(2, self._language),
        }  # fmt: skip
