"""What is particular to the landing folder (`test_landing_contract` has what every landing zone promises)."""

import os
from pathlib import Path

import pytest

from movies_platform.landing import files
from movies_platform.landing.folder import FolderLanding
from movies_platform_tests.landings import CREDITS, MONTH, MOVIES, Folder, Zone, zone_in_folder


@pytest.fixture
def zone(tmp_path: Path) -> Zone[FolderLanding, Folder]:
    """An empty landing zone in a folder."""
    return zone_in_folder(tmp_path)


def test_the_folder_of_a_settled_month_is_removed(zone):
    zone.landing.settle(zone.deliver("A", MOVIES, CREDITS), "processed", {})
    assert list((zone.storage.root / "incoming").iterdir()) == []


def test_where_there_are_no_hard_links_files_are_copied(zone, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    zone.settle("A")
    with zone.landing.local_files(zone.landing.processed(MONTH)) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"


def test_folders_and_files_where_none_belong_are_strays_wrong_months_first(zone):
    for key in ("2017-11/notes.txt", f"2017-11/deep/{MOVIES}", f"2017-13/{MOVIES}", "loose.csv"):
        zone.storage.put(f"incoming/{key}", "x")
    assert zone.landing.strays() == [
        "incoming/2017-13: not a month's folder (YYYY-MM)",
        "incoming/loose.csv: not a month's folder (YYYY-MM)",
        "incoming/2017-11/deep: not a file of the data set",
        "incoming/2017-11/notes.txt: not a file of the data set",
    ]
    assert zone.landing.incoming(MONTH) is None


def test_what_was_read_ahead_is_not_read_again_and_a_replaced_file_is(zone, monkeypatch):
    delivered = zone.deliver("A", MOVIES)
    zone.landing.read_ahead()
    read = []
    digest = files._digest
    monkeypatch.setattr(files, "_digest", lambda path: read.append(path.name) or digest(path))
    assert zone.landing.incoming(MONTH).id == delivered.id
    assert read == []
    zone.landing.read_ahead()
    zone.storage.put(f"incoming/2017-11/{MOVIES}", "other")
    assert zone.landing.incoming(MONTH).id != delivered.id
    files._reader.submit(int).result()  # what was read ahead in vain may have waited for the thread
    assert read == [MOVIES, MOVIES]


def test_nothing_waits_to_be_read_ahead(zone):
    zone.landing.read_ahead()
    assert zone.landing.months() == []
