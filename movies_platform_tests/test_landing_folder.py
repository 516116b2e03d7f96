"""What is particular to the landing folder (`test_landing_contract` has what every landing zone promises)."""

import os
import time
from pathlib import Path

import pytest

from movies_platform.errors import DeliveryChanged, SettingsError
from movies_platform_tests.landings import CREDITS, MARKER, MONTH, MOVIES, WAITING, Folder, Zone, zone_in_folder


@pytest.fixture
def zone(tmp_path: Path) -> Zone[Folder]:
    """An empty landing zone in a folder."""
    return zone_in_folder(tmp_path)


def waiting(zone: Zone[Folder]) -> Path:
    """The month's file in incoming/."""
    path = zone.storage.root / WAITING[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def archived(zone: Zone[Folder]) -> Path:
    """The month's file in processed/."""
    (path,) = (zone.storage.root / "processed").glob(f"*/*/{MOVIES}")
    return path


def test_the_folder_of_an_archived_month_is_removed(zone):
    zone.landing.archive(zone.deliver("A", MOVIES, CREDITS), "processed", {})
    assert list((zone.storage.root / "incoming").iterdir()) == []


def test_folders_and_links_where_none_belong_are_unexpected(zone, tmp_path: Path):
    for key in ("2017-11/notes.txt", f"2017-11/deep/{MOVIES}", f"2017-13/{MOVIES}", "loose.csv", "2017-10"):
        zone.storage.put(f"incoming/{key}", "x")
    (zone.storage.root / "incoming/2017-11/movies_metadata.csv.gz").mkdir()
    (zone.storage.root / "incoming/2017-11/links.csv").symlink_to(tmp_path)
    (zone.storage.root / "incoming/2017-11/credits.csv").symlink_to("nowhere")
    os.mkfifo(zone.storage.root / "incoming/2017-11/ratings.csv")
    assert list(zone.landing.list_incoming().unexpected_files) == [
        "incoming/2017-10: a file or a link, not a month's folder (YYYY-MM)",
        "incoming/2017-11/credits.csv/: not a file of the data set",
        "incoming/2017-11/deep/movies_metadata.csv: not a file of the data set",
        "incoming/2017-11/links.csv/: not a file of the data set",
        "incoming/2017-11/movies_metadata.csv.gz/: not a file of the data set",
        "incoming/2017-11/notes.txt: not a file of the data set",
        "incoming/2017-11/ratings.csv/: not a file of the data set",
        "incoming/2017-13: not a month's folder (YYYY-MM)",
        "incoming/loose.csv: not a month's folder (YYYY-MM)",
    ]
    assert zone.landing.months() == []
    assert zone.landing.incoming(MONTH) is None


@pytest.mark.parametrize("kind", ["relative", "absolute", "hard"])
def test_a_linked_file_is_archived_as_a_file_of_its_own(zone, tmp_path: Path, kind: str):
    source = tmp_path / "elsewhere.csv"
    source.write_text("the content")
    link = waiting(zone)
    if kind == "hard":
        os.link(source, link)
    else:
        link.symlink_to(source if kind == "absolute" else os.path.relpath(source, link.parent))
    zone.landing.archive(zone.landing.incoming(MONTH), "processed", {})
    source.write_text("other")
    assert not link.is_symlink()
    assert not archived(zone).is_symlink()
    assert archived(zone).read_text() == "the content"
    with zone.landing.local_files(zone.landing.processed(MONTH)) as files:
        assert files[MOVIES].read_text() == "the content"


def test_a_month_s_folder_that_is_a_link_is_no_delivery_and_nothing_behind_it_is_touched(zone, tmp_path: Path):
    behind = tmp_path / "behind"
    behind.mkdir()
    (behind / MOVIES).write_text("x")
    (zone.storage.root / "incoming").mkdir(parents=True)
    (zone.storage.root / "incoming" / "2017-11").symlink_to(behind)
    assert zone.landing.list_incoming().arrivals == zone.landing.list_incoming(MONTH).arrivals == ()
    assert list(zone.landing.list_incoming().unexpected_files) == [
        "incoming/2017-11: a file or a link, not a month's folder (YYYY-MM)"
    ]
    assert zone.landing.incoming(MONTH) is None
    with pytest.raises(SettingsError, match="is a file or a link"):
        zone.deliver("A")
    assert [path.name for path in behind.iterdir()] == [MOVIES]


def test_a_writer_that_still_has_the_file_open_changes_nothing_that_is_archived(zone):
    with waiting(zone).open("w") as writer:
        writer.write("first half")
        writer.flush()
        zone.landing.archive(zone.landing.incoming(MONTH), "processed", {})
        writer.write(", second half")
    assert archived(zone).read_text() == "first half"


def test_a_file_that_grows_while_it_is_loaded_stays_in_incoming(zone):
    waiting(zone).write_text("first half")
    delivery = zone.landing.incoming(MONTH)

    def load() -> None:
        with zone.landing.local_files(delivery), waiting(zone).open("a") as writer:
            writer.write(", second half")

    with pytest.raises(DeliveryChanged, match="changed while it was read"):
        load()
    with pytest.raises(DeliveryChanged):
        zone.landing.archive(delivery, "failed", {"problem": "ends too early"})
    assert zone.storage.listing() == [WAITING[1]]


def test_a_file_that_is_deleted_before_it_is_read_is_a_changed_delivery(zone):
    delivery = zone.deliver("A")

    def load() -> None:
        with zone.landing.local_files(delivery) as files:
            waiting(zone).unlink()
            files[MOVIES].read_text()

    with pytest.raises(DeliveryChanged, match=r"movies_metadata.csv in .* changed while it was read"):
        load()
    _, listed = zone.deliver("A") and zone.landing.storage.files("incoming/")
    assert listed.key == WAITING[1]
    waiting(zone).unlink()
    with pytest.raises(DeliveryChanged, match="was deleted while it was read"):
        zone.landing.storage.digest(listed)


def test_a_change_that_hides_its_time_is_noticed(zone):
    waiting(zone).write_text("one")
    delivery = zone.landing.incoming(MONTH)
    before = waiting(zone).stat()
    time.sleep(0.02)
    waiting(zone).write_text("two")
    os.utime(waiting(zone), ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DeliveryChanged):
        zone.landing.archive(delivery, "processed", {})
    assert waiting(zone).read_text() == "two"


def test_bytes_that_are_not_those_that_were_listed_are_not_archived(zone, monkeypatch: pytest.MonkeyPatch):
    delivery = zone.deliver("A")
    monkeypatch.setattr(type(zone.landing), "_raise_if_changed", lambda *_: None)  # a change after the last look
    zone.storage.put(WAITING[1], "B")
    with pytest.raises(DeliveryChanged, match="changed after it was read"):
        zone.landing.archive(delivery, "processed", {})
    zone.storage.delete(WAITING[1])
    with pytest.raises(DeliveryChanged, match="was deleted after it was read"):
        zone.landing.archive(delivery, "processed", {})
    assert zone.storage.listing() == [MARKER]


def test_a_folder_that_cannot_be_listed_is_no_empty_one(zone, monkeypatch: pytest.MonkeyPatch):
    zone.deliver("A")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "not for you")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        zone.landing.list_incoming()
