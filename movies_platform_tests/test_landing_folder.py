"""The landing folder: whole deliveries, settled once, nothing lost."""

import datetime as dt
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from movies_platform.errors import DeliveryChanged
from movies_platform.landing import folder as module
from movies_platform.landing.deliveries import Delivery
from movies_platform.landing.folder import FolderLanding

MONTH = dt.date(2017, 11, 1)
MOVIES, CREDITS = "movies_metadata.csv", "credits.csv"


@pytest.fixture
def landing(tmp_path: Path) -> FolderLanding:
    """An empty landing zone."""
    return FolderLanding(tmp_path / "landing")


def tree(landing: FolderLanding, below: str = "") -> list[str]:
    """Every file below, hidden ones too."""
    return sorted(str(p.relative_to(landing.root)) for p in (landing.root / below).rglob("*") if p.is_file())


def put(landing: FolderLanding, content: str, *names: str) -> Delivery:
    """Deliver files of that content for the month."""
    sources = landing.root.parent / "sources"
    sources.mkdir(exist_ok=True)
    files = {}
    for name in names or (MOVIES,):
        files[name] = sources / name
        files[name].write_text(f"{name} {content}")
    return landing.put(MONTH, files)


def settle(landing: FolderLanding, content: str, outcome: str = "processed") -> str:
    """Deliver and settle; the place, relative to the landing zone."""
    place = landing.settle(put(landing, content), outcome, {"reason": "test"})
    return str(Path(place).relative_to(landing.root).parent / Path(place).name.split("-")[0])


def boom(*_: object, **__: object) -> None:
    raise OSError("no space left")


def test_a_delivery_arrives_with_all_its_files(landing: FolderLanding):
    delivery = put(landing, "A", MOVIES, CREDITS)
    assert tree(landing) == ["incoming/2017-11/credits.csv", "incoming/2017-11/movies_metadata.csv"]
    assert landing.months() == [MONTH]
    assert landing.incoming(MONTH) == delivery


@pytest.mark.parametrize("fails", [(shutil, "copyfile"), (Path, "rename")], ids=["copy", "rename"])
def test_a_delivery_that_fails_leaves_nothing(landing: FolderLanding, monkeypatch, fails):
    monkeypatch.setattr(*fails, boom)
    with pytest.raises(OSError, match="no space"):
        put(landing, "A", MOVIES, CREDITS)
    assert tree(landing) == []
    assert landing.months() == []


def test_a_copy_that_fails_keeps_what_waits(landing: FolderLanding, monkeypatch):
    waiting = put(landing, "A")
    monkeypatch.setattr(shutil, "copyfile", boom)
    with pytest.raises(OSError, match="no space"):
        put(landing, "B")
    assert landing.incoming(MONTH) == waiting
    assert landing.settled() == []


def test_the_same_content_again_changes_nothing(landing: FolderLanding):
    first = put(landing, "A")
    before = (landing.root / "incoming/2017-11" / MOVIES).stat()
    assert put(landing, "A").id == first.id
    assert (landing.root / "incoming/2017-11" / MOVIES).stat() == before
    assert tree(landing) == ["incoming/2017-11/movies_metadata.csv"]


def test_other_content_sets_aside_what_waits_with_the_reason(landing: FolderLanding):
    first = put(landing, "A")
    put(landing, "B")
    (aside,) = landing.settled(MONTH)
    assert (aside.outcome, aside.number, aside.delivery_id) == ("failed", 1, first.id)
    assert aside.note["reason"] == "superseded"
    assert json.loads(Path(aside.place, "error.json").read_text())["delivery_id"] == first.id
    assert Path(aside.place, MOVIES).read_text() == f"{MOVIES} A"
    assert (landing.root / "incoming/2017-11" / MOVIES).read_text() == f"{MOVIES} B"


def test_a_settled_delivery_is_numbered_noted_and_gone_from_incoming(landing: FolderLanding):
    delivery = put(landing, "A", MOVIES, CREDITS)
    place = Path(landing.settle(delivery, "processed", {"rows": {"movies": 3}}))
    assert place == landing.root / f"processed/2017-11/0001-{delivery.id}"
    assert sorted(p.name for p in place.iterdir()) == [CREDITS, "delivery.json", MOVIES]
    note = json.loads((place / "delivery.json").read_text())
    assert note["rows"] == {"movies": 3}
    assert note["files"][0] == {"name": CREDITS, "size_bytes": 13, "blake2b": delivery.files[0].digest}
    assert tree(landing, "incoming") == []
    assert not (landing.root / "incoming/2017-11").exists()
    assert landing.months() == []


def test_deliveries_of_a_month_are_numbered_in_the_order_they_are_settled(landing: FolderLanding):
    places = [settle(landing, "A"), settle(landing, "B", "failed"), settle(landing, "C")]
    assert places == ["processed/2017-11/0001", "failed/2017-11/0002", "processed/2017-11/0003"]
    assert [s.number for s in landing.settled()] == [1, 2, 3]


def test_a_delivery_that_comes_again_after_another_is_current_again(landing: FolderLanding):
    first = put(landing, "A")
    landing.settle(first, "processed", {})
    settle(landing, "B")
    assert landing.processed(MONTH).id != first.id
    assert settle(landing, "A") == "processed/2017-11/0003"
    assert landing.processed(MONTH).id == first.id


def test_the_newest_delivery_that_comes_again_keeps_its_number(landing: FolderLanding):
    assert settle(landing, "A") == settle(landing, "A") == "processed/2017-11/0001"
    assert len(landing.settled()) == 1


def test_a_refused_delivery_that_is_accepted_later_is_kept_in_both_places(landing: FolderLanding):
    assert [settle(landing, "A", "failed"), settle(landing, "A")] == [
        "failed/2017-11/0001", "processed/2017-11/0002",
    ]  # fmt: skip


def test_refused_deliveries_are_not_the_processed_one(landing: FolderLanding):
    settle(landing, "A")
    settle(landing, "B", "failed")
    with landing.local_files(landing.processed(MONTH)) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"


def test_a_settled_delivery_is_not_settled_again(landing: FolderLanding):
    settle(landing, "A")
    again = landing.processed(MONTH)
    before = tree(landing)
    assert landing.settle(again, "failed", {}) == again.place
    assert tree(landing) == before


def nth(function: Callable[..., object], number: int) -> Callable[..., object]:
    """The function, interrupted at its nth call."""
    calls = iter(range(1, 1000))

    def interrupted(*arguments: object, **options: object) -> object:
        if next(calls) == number:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    return interrupted


STEPS = [(Path, "mkdir", 1), (os, "link", 1), (os, "link", 2), (Path, "replace", 1), (Path, "replace", 2),
         (Path, "write_text", 1), (Path, "replace", 3), (Path, "rmdir", 1)]  # fmt: skip
STEPS_OF_UNLINKING = [(module, "version_of", 1), (module, "version_of", 2)]


@pytest.mark.parametrize(
    ("owner", "name", "call"),
    [*STEPS, *STEPS_OF_UNLINKING],
    ids=[f"{n}-{c}" for _, n, c in [*STEPS, *STEPS_OF_UNLINKING]],
)
def test_settling_may_be_repeated_after_an_interruption_at_any_step(landing, owner, name, call):
    delivery = put(landing, "A", MOVIES, CREDITS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, nth(getattr(owner, name), call))
        with pytest.raises(KeyboardInterrupt):
            landing.settle(delivery, "processed", {})
    waiting = landing.incoming(MONTH)  # a new process knows nothing but the folder
    if waiting is not None:
        assert waiting.id == delivery.id
        landing.settle(waiting, "processed", {})
    (settled,) = landing.settled()
    assert (settled.number, settled.delivery_id) == (1, delivery.id)
    assert [f.name for f in landing.processed(MONTH).files] == [CREDITS, MOVIES]
    assert landing.months() == []
    assert [p for p in tree(landing) if ".part" in p] == []


def test_what_an_interrupted_settling_leaves_in_incoming_does_not_spoil_the_next_delivery(
    landing: FolderLanding,
):
    delivery = put(landing, "A", MOVIES, CREDITS)
    landing.settle(delivery, "processed", {})
    (landing.root / "incoming/2017-11").mkdir()
    shutil.copy(landing.root / f"processed/2017-11/0001-{delivery.id}" / CREDITS, landing.root / "incoming/2017-11")
    assert landing.months() == []
    arrived = put(landing, "B", MOVIES, CREDITS)
    assert landing.incoming(MONTH) == arrived
    assert [s.outcome for s in landing.settled()] == ["processed"]


def test_a_delivery_without_movies_that_nobody_had_is_a_delivery(landing: FolderLanding):
    put(landing, "A", CREDITS)
    assert landing.months() == [MONTH]
    assert landing.incoming(MONTH) is not None


def replace(landing: FolderLanding) -> None:
    waiting = landing.root / "incoming/2017-11" / MOVIES
    newer = waiting.with_name("newer")
    newer.write_text("replaced meanwhile")
    newer.replace(waiting)


def test_a_delivery_that_was_replaced_meanwhile_stays_in_incoming_as_a_new_one(landing: FolderLanding):
    delivery = put(landing, "A", MOVIES, CREDITS)
    replace(landing)
    landing.settle(delivery, "processed", {})
    assert tree(landing, "incoming") == ["incoming/2017-11/credits.csv", "incoming/2017-11/movies_metadata.csv"]
    assert tree(landing, "processed") == []
    assert landing.incoming(MONTH).id != delivery.id


def test_a_delivery_that_is_replaced_while_it_is_read_is_not_used(landing: FolderLanding):
    delivery = put(landing, "A", MOVIES)

    def read() -> None:
        with landing.local_files(delivery):
            replace(landing)

    with pytest.raises(DeliveryChanged, match=r"movies_metadata.csv .* changed while it was read"):
        read()


def test_where_there_are_no_hard_links_files_are_copied(landing: FolderLanding, monkeypatch):
    monkeypatch.setattr(os, "link", boom)
    settle(landing, "A")
    with landing.local_files(landing.processed(MONTH)) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"


def test_strays_are_told_and_no_delivery(landing: FolderLanding):
    incoming = landing.root / "incoming"
    for path in (
        "2017-11/notes.txt",
        "2017-13/movies_metadata.csv",
        "november/movies_metadata.csv",
        "loose.csv",
    ):
        (incoming / path).parent.mkdir(parents=True, exist_ok=True)
        (incoming / path).write_text("x")
    assert landing.months() == []
    assert landing.incoming(MONTH) is None
    assert landing.strays() == [
        "incoming/2017-13: not a month's folder (YYYY-MM)",
        "incoming/loose.csv: not a month's folder (YYYY-MM)",
        "incoming/november: not a month's folder (YYYY-MM)",
        "incoming/2017-11/notes.txt: not a file of the data set",
    ]


@pytest.mark.parametrize("name", [".movies_metadata.csv", "movies_metadata.csv.part", ".movies_metadata.csv.x8Zq"])
def test_hidden_and_partial_files_are_no_delivery(landing: FolderLanding, name: str):
    folder = landing.root / "incoming/2017-11"
    folder.mkdir(parents=True)
    (folder / name).write_text("x")
    assert landing.months() == []
    assert landing.incoming(MONTH) is None


def test_a_stray_stays_when_its_month_is_settled_and_the_next_delivery_joins_it(landing: FolderLanding):
    put(landing, "A")
    (landing.root / "incoming/2017-11/notes.txt").write_text("x")
    landing.settle(landing.incoming(MONTH), "processed", {})
    assert tree(landing, "incoming") == ["incoming/2017-11/notes.txt"]
    put(landing, "B")
    assert len(tree(landing, "incoming")) == 2


def test_a_landing_zone_that_does_not_exist_yet_is_empty(landing: FolderLanding):
    assert (landing.months(), landing.strays(), landing.settled()) == ([], [], [])
    assert landing.processed(MONTH) is None
