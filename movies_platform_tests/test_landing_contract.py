"""What every landing zone promises, in a folder and on S3 over HTTP: whole deliveries, settled once, nothing lost."""

import json
import os
import shutil
from pathlib import Path

import pytest

from movies_platform.errors import DeliveryChanged
from movies_platform.landing import folder as folder_module
from movies_platform.landing.bucket import Bucket
from movies_platform_tests.landings import CREDITS, MONTH, MOVIES, WAITING, Zone, nth, zone_in_folder, zone_on_s3


@pytest.fixture(params=["folder", "s3"])
def zone(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> Zone:
    """An empty landing zone of either kind."""
    return zone_in_folder(tmp_path) if request.param == "folder" else zone_on_s3(request.getfixturevalue("store"), home)


def boom(*_: object, **__: object) -> None:
    raise OSError("no space left")


def test_a_landing_zone_that_does_not_exist_yet_is_empty(zone: Zone):
    assert (zone.landing.months(), zone.landing.strays(), zone.landing.settled()) == ([], [], [])
    assert zone.landing.processed(MONTH) is None


def test_a_delivery_arrives_with_all_its_files_and_leaves_nothing_beside(zone: Zone):
    delivery = zone.deliver("A", MOVIES, CREDITS)
    assert zone.storage.listing() == WAITING
    assert zone.landing.months() == [MONTH]
    assert zone.landing.incoming(MONTH) == delivery


@pytest.mark.parametrize(
    ("zone", "owner", "name"),
    [("folder", shutil, "copyfile"), ("folder", Path, "rename"), ("s3", Bucket, "upload")],
    ids=["folder-copy", "folder-rename", "s3-upload"],
    indirect=["zone"],
)
def test_a_delivery_that_fails_leaves_nothing(zone: Zone, monkeypatch, owner, name):
    monkeypatch.setattr(owner, name, boom)
    with pytest.raises(OSError, match="no space"):
        zone.deliver("A", MOVIES, CREDITS)
    assert zone.storage.listing() == []
    assert zone.landing.months() == []


@pytest.mark.parametrize(
    ("zone", "owner", "name"),
    [("folder", shutil, "copyfile"), ("s3", Bucket, "upload")],
    ids=["folder", "s3"],
    indirect=["zone"],
)
def test_a_delivery_that_fails_keeps_what_waits(zone: Zone, monkeypatch, owner, name):
    waiting = zone.deliver("A")
    monkeypatch.setattr(owner, name, boom)
    with pytest.raises(OSError, match="no space"):
        zone.deliver("B")
    assert zone.landing.incoming(MONTH) == waiting
    assert zone.landing.settled() == []


def test_the_same_content_again_changes_nothing(zone: Zone):
    first = zone.deliver("A")
    written = zone.storage.written(WAITING[1])
    assert zone.deliver("A") == first
    assert zone.storage.written(WAITING[1]) == written
    assert zone.storage.listing() == [WAITING[1]]


def test_other_content_sets_aside_what_waits_with_the_reason(zone: Zone):
    first = zone.deliver("A")
    zone.deliver("B")
    (aside,) = zone.landing.settled(MONTH)
    assert (aside.outcome, aside.number, aside.delivery_id) == ("failed", 1, first.id)
    assert aside.note["reason"] == "superseded"
    below = f"failed/2017-11/0001-{first.id}"
    assert aside.place == f"{zone.storage.address}/{below}"
    assert json.loads(zone.storage.get(f"{below}/error.json"))["delivery_id"] == first.id
    assert zone.storage.get(f"{below}/{MOVIES}") == f"{MOVIES} A"
    assert zone.storage.get(WAITING[1]) == f"{MOVIES} B"


@pytest.mark.parametrize("markers", [[], ["_SUCCESS"]], ids=["", "with a marker"])
def test_a_settled_delivery_is_numbered_noted_and_gone_from_incoming(zone: Zone, markers: list[str]):
    for marker in markers:
        zone.storage.put(f"incoming/2017-11/{marker}", "")
    delivery = zone.deliver("A", MOVIES, CREDITS)
    place = zone.landing.settle(delivery, "processed", {"rows": {"movies": 3}})
    below = f"processed/2017-11/0001-{delivery.id}"
    assert place == f"{zone.storage.address}/{below}"
    assert zone.storage.listing() == [f"{below}/{name}" for name in (*markers, CREDITS, "delivery.json", MOVIES)]
    note = json.loads(zone.storage.get(f"{below}/delivery.json"))
    assert note["rows"] == {"movies": 3}
    assert note["files"][0] == {"name": CREDITS, "size_bytes": 13, zone.digest: delivery.files[0].digest}
    assert zone.landing.months() == []
    assert zone.landing.processed(MONTH).id == delivery.id


def test_deliveries_of_a_month_are_numbered_in_the_order_they_are_settled(zone: Zone):
    places = [zone.settle(*judged) for judged in ("A", ("B", "failed"), "C", ("A", "failed"), "A", "A")]
    assert places == [
        "processed/2017-11/0001", "failed/2017-11/0002", "processed/2017-11/0003", "failed/2017-11/0004",
        "processed/2017-11/0005", "processed/2017-11/0005",
    ]  # fmt: skip
    assert [s.number for s in zone.landing.settled()] == [1, 2, 3, 4, 5]
    with zone.landing.local_files(zone.landing.processed(MONTH)) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"


def test_a_delivery_that_comes_again_after_another_is_current_again(zone: Zone):
    first = zone.deliver("A")
    zone.landing.settle(first, "processed", {})
    zone.settle("B")
    assert zone.landing.processed(MONTH).id != first.id
    assert zone.settle("A") == "processed/2017-11/0003"
    assert zone.landing.processed(MONTH).id == first.id


def test_the_newest_delivery_that_comes_again_keeps_its_number(zone: Zone):
    assert zone.settle("A") == zone.settle("A") == "processed/2017-11/0001"
    assert len(zone.landing.settled()) == 1


def test_a_refused_delivery_that_is_accepted_later_is_kept_in_both_places(zone: Zone):
    assert [zone.settle("A", "failed"), zone.settle("A")] == ["failed/2017-11/0001", "processed/2017-11/0002"]


def test_refused_deliveries_are_not_the_processed_one(zone: Zone):
    zone.settle("A")
    zone.settle("B", "failed")
    with zone.landing.local_files(zone.landing.processed(MONTH)) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"


def test_a_settled_delivery_is_not_settled_again(zone: Zone):
    zone.settle("A")
    again = zone.landing.processed(MONTH)
    before = zone.storage.listing()
    assert zone.landing.settle(again, "failed", {}) == again.place
    assert zone.storage.listing() == before


STEPS_IN_FOLDER = [
    (Path, "mkdir", 1), (os, "link", 1), (os, "link", 2), (Path, "replace", 1), (Path, "replace", 2),
    (Path, "write_text", 1), (Path, "replace", 3), (folder_module, "version_of", 1), (folder_module, "version_of", 2),
    (Path, "rmdir", 1),
]  # fmt: skip
STEPS_ON_S3 = [
    (Bucket, "folders", 1), (Bucket, "copy", 1), (Bucket, "copy", 2), (Bucket, "write", 1), (Bucket, "delete", 1),
    (Bucket, "delete", 2),
]  # fmt: skip
STEPS = [("folder", *step) for step in STEPS_IN_FOLDER] + [("s3", *step) for step in STEPS_ON_S3]


@pytest.mark.parametrize(
    ("zone", "owner", "name", "call"), STEPS, ids=[f"{k}-{n}-{c}" for k, _, n, c in STEPS], indirect=["zone"]
)
def test_settling_may_be_repeated_after_an_interruption_at_any_step(zone: Zone, owner, name, call):
    delivery = zone.deliver("A", MOVIES, CREDITS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, nth(getattr(owner, name), call))
        with pytest.raises(KeyboardInterrupt):
            zone.landing.settle(delivery, "processed", {})
    waiting = zone.landing.incoming(MONTH)  # a new process knows nothing but the storage
    if waiting is not None:
        assert waiting.id == delivery.id
        zone.landing.settle(waiting, "processed", {})
    (settled,) = zone.landing.settled()
    assert (settled.number, settled.delivery_id) == (1, delivery.id)
    assert [f.name for f in zone.landing.processed(MONTH).files] == [CREDITS, MOVIES]
    assert zone.landing.months() == []
    assert [key for key in zone.storage.listing() if ".part" in key] == []
    assert zone.deliver("B", MOVIES, CREDITS) == zone.landing.incoming(MONTH)
    assert [s.outcome for s in zone.landing.settled()] == ["processed"]


def test_what_an_interrupted_settling_leaves_in_incoming_does_not_spoil_the_next_delivery(zone: Zone):
    delivery = zone.deliver("A", MOVIES, CREDITS)
    zone.landing.settle(delivery, "processed", {})
    zone.storage.put(WAITING[0], zone.storage.get(f"processed/2017-11/0001-{delivery.id}/{CREDITS}"))
    assert zone.landing.months() == []
    arrived = zone.deliver("B", MOVIES, CREDITS)
    assert zone.landing.incoming(MONTH) == arrived
    assert [s.outcome for s in zone.landing.settled()] == ["processed"]


def test_a_delivery_without_movies_that_nobody_had_is_a_delivery(zone: Zone):
    zone.deliver("A", CREDITS)
    assert zone.landing.months() == [MONTH]
    assert zone.landing.incoming(MONTH) is not None


def test_a_delivery_that_was_replaced_meanwhile_stays_in_incoming_as_a_new_one(zone: Zone):
    delivery = zone.deliver("A", MOVIES, CREDITS)
    zone.storage.put(WAITING[1], "new")
    zone.landing.settle(delivery, "processed", {})
    assert zone.storage.listing() == WAITING
    assert zone.storage.get(WAITING[1]) == "new"
    assert zone.landing.incoming(MONTH).id != delivery.id
    assert zone.landing.settled() == []


def test_a_delivery_that_is_replaced_while_it_is_read_is_not_used(zone: Zone):
    delivery = zone.deliver("A")

    def read() -> None:
        with zone.landing.local_files(delivery) as files:
            assert files[MOVIES].read_text() == f"{MOVIES} A"
            zone.storage.put(WAITING[1], "new")

    with pytest.raises(DeliveryChanged, match=r"movies_metadata.csv .* changed while it was read"):
        read()


def test_strays_are_told_and_no_delivery(zone: Zone):
    for key in ("2017-11/notes.txt", f"2017-13/{MOVIES}", f"november/{MOVIES}", "november/two.csv", "loose.csv"):
        zone.storage.put(f"incoming/{key}", "x")
    assert zone.landing.months() == []
    assert zone.landing.incoming(MONTH) is None
    assert sorted(zone.landing.strays()) == [
        "incoming/2017-11/notes.txt: not a file of the data set",
        "incoming/2017-13: not a month's folder (YYYY-MM)",
        "incoming/loose.csv: not a month's folder (YYYY-MM)",
        "incoming/november: not a month's folder (YYYY-MM)",
    ]


@pytest.mark.parametrize("name", [".movies_metadata.csv", "movies_metadata.csv.part", ".movies_metadata.csv.x8Zq"])
def test_hidden_and_partial_files_are_no_delivery(zone: Zone, name: str):
    zone.storage.put(f"incoming/2017-11/{name}", "x")
    assert zone.landing.months() == []
    assert zone.landing.incoming(MONTH) is None


def test_a_stray_stays_when_its_month_is_settled_and_the_next_delivery_joins_it(zone: Zone):
    zone.deliver("A")
    zone.storage.put("incoming/2017-11/notes.txt", "x")
    zone.landing.settle(zone.landing.incoming(MONTH), "processed", {})
    assert zone.storage.listing("incoming") == ["incoming/2017-11/notes.txt"]
    zone.deliver("B")
    assert zone.storage.listing("incoming") == [WAITING[1], "incoming/2017-11/notes.txt"]
