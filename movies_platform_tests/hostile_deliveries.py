"""Made-up deliveries with dirt of every kind in every file, for tests that compare the platform with the oracle.

Small, and random by a seed: the same seed writes the same bytes. Accepted files have as many faulty records as a file
may have, or half of them; one that refuses its delivery by their number has one more.
"""

import datetime as dt
import gzip
import itertools
import random
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from movies_platform_tests.hostile_records import Records, Row
from movies_platform_tests.oracle_reading import SOURCES, ZIP, Delivery

OPTIONAL = ("credits", "keywords", "links", "ratings")
REASONS = ("too_many_rejected", "missing_column", "unreadable")
BREAKS = ("{end}", "{end}{end}", " {end}a line{end}", "{end} ")


class Made(NamedTuple):
    """A delivery, and the file and reason (as the oracle names them) for which it must be refused."""

    delivery: Delivery
    refused: tuple[str, str] | None = None


def hostile_deliveries(folder: Path, seed: int, months: int = 3) -> list[Made]:
    """Write deliveries below the folder: of so many months from 2017-01, in any order.

    One month is delivered twice, with other content. For another one a further delivery is refused, and so is the only
    delivery of a last month. The first month has all files; others lack one or two, or have them without records.
    """
    maker = Maker(folder, random.Random(seed))
    dice = maker.dice
    numbers = list(range(1, months + 1))
    made = [maker.deliver(number, maker.chosen(number)) for number in numbers]
    made.append(maker.deliver(dice.choice(numbers), OPTIONAL))
    for number in (dice.choice(numbers), months + 1):
        made.append(maker.deliver(number, OPTIONAL, (dice.choice(list(SOURCES)), dice.choice(REASONS))))
    dice.shuffle(made)
    return made


class Style(NamedTuple):
    """How a file is written."""

    header: tuple[str, ...]
    end: str
    quoted: bool  # all columns, not only those that need it

    def line(self, columns: Iterable[str]) -> str:
        """The columns as a line, with quotes where they are needed."""
        escaped = (column.replace('"', '""') for column in columns)
        return ",".join(f'"{c}"' if self.quoted or set(c) & set(',"\r\n') else c for c in escaped) + self.end

    def record(self, row: Row) -> str:
        """A record; columns that it does not have are empty."""
        return self.line(row.get(column, "") for column in self.header)


class Maker:
    """Writes files with dirt."""

    def __init__(self, folder: Path, dice: random.Random):
        self.folder, self.dice, self.records = folder, dice, Records(dice)

    def chosen(self, month: int) -> tuple[str, ...]:
        """The optional files of a month."""
        return OPTIONAL if month == 1 else tuple(self.dice.sample(OPTIONAL, self.dice.randint(2, 3)))

    def deliver(self, month: int, optional: Iterable[str], refused: tuple[str, str] | None = None) -> Made:
        """Write a delivery; `refused` is the kind of the file that refuses it, and the reason."""
        files: dict[str, bytes] = {}
        bad = ""
        for kind in ("movies", *optional):
            name = self.dice.choice(SOURCES[kind].names)
            reason = refused[1] if refused and refused[0] == kind else None
            bad = name if reason else bad
            empty = kind != "movies" and month > 1 and reason is None and self.dice.random() < 0.2
            files[name] = self._content(kind, reason, empty)
            small = SOURCES[kind].names[-1]
            if name != small and self.dice.random() < 0.5:
                files[small] = b"not read where the whole file is"
        return self._written(month, files, bad, refused)

    def _written(self, month: int, files: dict[str, bytes], bad: str, refused: tuple[str, str] | None) -> Made:
        """The files as they are, packed one by one, or all in one zip."""
        place = self.folder / f"{len(list(self.folder.iterdir())):02}-2017-{month:02}"
        place.mkdir()
        whole = self.dice.random() < 0.25
        paths: dict[str, Path] = {}
        for name, content in files.items():
            packed = not whole and self.dice.random() < 0.4
            delivered = f"{name}.gz" if packed else name
            bad = delivered if name == bad else bad
            paths[delivered] = place / delivered
            paths[delivered].write_bytes(gzip.compress(content, mtime=0) if packed else content)
        if whole:
            with zipfile.ZipFile(place / ZIP, "w") as archive:
                for name, content in files.items():
                    paths.pop(name).unlink()
                    archive.writestr(zipfile.ZipInfo(name), content)  # its date is the same each time
            paths = {ZIP: place / ZIP}
        return Made(Delivery(dt.date(2017, month, 1), paths), (bad, refused[1]) if refused else None)

    def _content(self, kind: str, reason: str | None, empty: bool) -> bytes:
        """A file's bytes."""
        dice = self.dice
        header = list(SOURCES[kind].columns)
        if kind != "movies":  # the place of `overview` decides what a broken record looks like
            dice.shuffle(header)
        if reason == "missing_column":
            header.remove(dice.choice(header))
        style = Style(
            (*header, *dice.choice(([], [], ["added"], [""]))), dice.choice(("\n", "\r\n")), dice.random() < 0.2
        )
        texts = [] if empty else self._texts(kind, style, reason == "too_many_rejected")
        start = b"\xff" if reason == "unreadable" else dice.choice((b"", "\ufeff".encode()))
        return start + "".join([style.line(style.header), *texts]).encode()

    def _texts(self, kind: str, style: Style, refused: bool) -> list[str]:
        """The records of a file as text, in any order: every oddity, duplicates, broken and faulty ones."""
        dice, key = self.dice, SOURCES[kind].key
        rows, odd = self.records.good(kind), self.records.odd(kind)
        dice.shuffle(odd)
        for number, (column, text) in enumerate(odd):
            rows[number % len(rows)][column] = text
        texts = [style.record(row) for row in rows]
        for row in dice.sample(rows, 6):  # the same key, written in another way, with other content
            written = {column: dice.choice(("00", "+", " ")) + row[column] for column in key}
            texts.append(style.record(dice.choice(rows) | written))
        records = len(texts)
        if kind == "movies":
            for number in dice.sample(range(len(rows)), 8):
                break_ = dice.choice(BREAKS).format(end=dice.choice(("\n", "\r", "\r\n")))
                overview = dice.choice((f"It starts{break_}and ends", f"{break_}and ends", f"It starts{break_}"))
                text = style.record(rows[number] | {"overview": "<broken>"})
                texts[number] = text.replace('"<broken>"', "<broken>").replace("<broken>", overview)
                records += 2 if "a line" in overview else 1
        most = max(10, records // 19)  # with the faulty ones themselves, 5 % of all records
        texts += self._faulty(kind, rows, style, most + 1 if refused else dice.choice((most, most // 2)))
        texts += [style.end] * 3  # empty lines are no records
        dice.shuffle(texts)
        return texts

    def _faulty(self, kind: str, rows: list[Row], style: Style, records: int) -> Iterator[str]:
        """Texts of so many records that are to be rejected, like good ones but for the fault."""
        kinds = itertools.cycle(("bad value", "too few", "broken", "too many", "one"))
        while records:
            row = self.dice.choice(rows)
            columns = [row.get(column, "") for column in style.header]
            kind_of_fault = next(kinds)
            if kind_of_fault == "broken" and records > 1:  # in two records, not where they could be joined
                yield style.line(["cut"]) + style.line(["here", *columns[2:]])
                records -= 2
                continue
            yield {
                "too few": style.line([*columns[:-2], "cut"]),
                "too many": style.line([*columns, "more"]),
                "one": style.line(["alone"]),
            }.get(kind_of_fault) or style.record(self.records.rejected(kind, row))
            records -= 1
