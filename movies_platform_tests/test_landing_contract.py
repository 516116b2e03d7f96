"""What every landing zone promises, in a folder and on S3 over HTTP: deliveries are archived once, nothing is lost."""

import datetime as dt
import json
import os
from pathlib import Path

import pytest
from boto3.s3.transfer import TransferConfig

from movies_platform.automation.deliveries import why_incomplete
from movies_platform.errors import DeliveryChanged, LandingDamaged
from movies_platform.landing import folder as folder_module
from movies_platform.landing import s3 as s3_module
from movies_platform.landing.deliveries import Archived, Listing, refused_months
from movies_platform.landing.s3 import Bucket
from movies_platform_tests.landings import (
    CREDITS,
    MARKER,
    MONTH,
    MOVIES,
    WAITING,
    Zone,
    nth,
    zone_in_folder,
    zone_on_s3,
)


@pytest.fixture(params=["folder", "s3"])
def zone(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> Zone:
    """An empty landing zone of either kind."""
    return zone_in_folder(tmp_path) if request.param == "folder" else zone_on_s3(request.getfixturevalue("store"), home)


def boom(*_: object, **__: object) -> None:
    raise OSError("no space left")


def test_a_landing_zone_that_does_not_exist_yet_is_empty(zone: Zone):
    assert zone.landing.list_incoming() == Listing((), ())
    assert (zone.landing.months(), zone.landing.archived()) == ([], [])
    assert zone.landing.processed(MONTH) is None


def test_a_delivery_arrives_with_all_its_files_and_leaves_nothing_beside(zone: Zone):
    delivery = zone.deliver("A", MOVIES, CREDITS)
    assert zone.storage.listing() == [MARKER, *WAITING]
    assert zone.landing.months() == [MONTH]
    assert zone.landing.incoming(MONTH) == delivery


@pytest.mark.parametrize(
    ("zone", "owner", "name"),
    [("folder", os, "fsync"), ("folder", Path, "rename"), ("s3", TransferConfig, "__init__")],
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
    [("folder", os, "fsync"), ("s3", TransferConfig, "__init__")],
    ids=["folder", "s3"],
    indirect=["zone"],
)
def test_a_delivery_that_fails_keeps_what_waits(zone: Zone, monkeypatch, owner, name):
    waiting = zone.deliver("A")
    monkeypatch.setattr(owner, name, boom)
    with pytest.raises(OSError, match="no space"):
        zone.deliver("B")
    assert zone.landing.incoming(MONTH) == waiting
    assert zone.landing.archived() == []


def test_the_same_content_again_changes_nothing(zone: Zone):
    first = zone.deliver("A")
    written = zone.storage.written(WAITING[1])
    assert zone.deliver("A") == first
    assert zone.storage.written(WAITING[1]) == written
    assert zone.storage.listing() == [MARKER, WAITING[1]]


@pytest.mark.parametrize("marker", ["", "_SUCCESS", "manifest.json"])
def test_nobody_waits_for_what_we_deliver(zone: Zone, marker: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_MARKER", marker)
    for _ in ("new", "the same again"):
        zone.deliver("A", MOVIES, CREDITS)
        (arrived,) = zone.landing.list_incoming().arrivals
        now = dt.datetime.now(dt.UTC)
        assert why_incomplete(arrived, now, now, 3_600, marker) is None
        zone.storage.delete(f"incoming/2017-11/{marker or '_SUCCESS'}")


def test_other_content_sets_aside_what_waits_with_the_reason(zone: Zone):
    first = zone.deliver("A")
    zone.deliver("B")
    (aside,) = zone.landing.archived(MONTH)
    assert (aside.outcome, aside.number, aside.delivery_id) == ("failed", 1, first.id)
    assert aside.note["reason"] == "superseded"
    below = f"failed/2017-11/0001-{first.id}"
    assert aside.place == f"{zone.storage.address}/{below}"
    assert json.loads(zone.storage.get(f"{below}/error.json"))["delivery_id"] == first.id
    assert zone.storage.get(f"{below}/{MOVIES}") == f"{MOVIES} A"
    assert zone.storage.get(WAITING[1]) == f"{MOVIES} B"


@pytest.mark.parametrize("markers", [[], ["_SUCCESS"]], ids=["", "with a marker"])
def test_an_archived_delivery_is_numbered_noted_and_gone_from_incoming(zone: Zone, markers: list[str]):
    delivery = zone.deliver("A", MOVIES, CREDITS)
    if not markers:
        zone.storage.delete(MARKER)
    place = zone.landing.archive(delivery, "processed", {"rows": {"movies": 3}})
    below = f"processed/2017-11/0001-{delivery.id}"
    assert place == f"{zone.storage.address}/{below}"
    assert zone.storage.listing() == [f"{below}/{name}" for name in (*markers, CREDITS, "delivery.json", MOVIES)]
    note = json.loads(zone.storage.get(f"{below}/delivery.json"))
    assert note["rows"] == {"movies": 3}
    (first, _) = note["files"]
    assert first.pop("archived_etag", delivery.files[0].digest) == delivery.files[0].digest
    assert first == {"name": CREDITS, "size_bytes": 13, zone.digest: delivery.files[0].digest}
    assert zone.landing.months() == []
    assert zone.landing.processed(MONTH).id == delivery.id


def test_deliveries_of_a_month_are_numbered_in_the_order_they_are_archived(zone: Zone):
    places = [zone.archive(*judged) for judged in ("A", ("B", "failed"), "C", ("A", "failed"), "A", "A")]
    assert places == [
        "processed/2017-11/0001", "failed/2017-11/0002", "processed/2017-11/0003", "failed/2017-11/0004",
        "processed/2017-11/0005", "processed/2017-11/0005",
    ]  # fmt: skip
    assert [a.number for a in zone.landing.archived()] == [1, 2, 3, 4, 5]
    with zone.landing.local_files(zone.landing.processed(MONTH)) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"


def test_a_delivery_that_comes_again_after_another_is_current_again(zone: Zone):
    first = zone.deliver("A")
    zone.landing.archive(first, "processed", {})
    zone.archive("B")
    assert zone.landing.processed(MONTH).id != first.id
    assert zone.archive("A") == "processed/2017-11/0003"
    assert zone.landing.processed(MONTH).id == first.id


def test_the_newest_delivery_that_comes_again_keeps_its_number(zone: Zone):
    assert zone.archive("A") == zone.archive("A") == "processed/2017-11/0001"
    assert len(zone.landing.archived()) == 1


def test_a_refused_delivery_that_is_accepted_later_is_kept_in_both_places(zone: Zone):
    assert [zone.archive("A", "failed"), zone.archive("A")] == ["failed/2017-11/0001", "processed/2017-11/0002"]


def test_refused_deliveries_are_not_the_processed_one(zone: Zone):
    zone.archive("A")
    zone.archive("B", "failed")
    with zone.landing.local_files(zone.landing.processed(MONTH)) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"


def test_an_archived_delivery_is_not_archived_again(zone: Zone):
    zone.archive("A")
    again = zone.landing.processed(MONTH)
    before = zone.storage.listing()
    assert zone.landing.archive(again, "failed", {}) == again.place
    assert zone.storage.listing() == before


STEPS_IN_FOLDER = [
    (Path, "mkdir", 1), (folder_module, "_copy", 1), (folder_module, "_copy", 2), (Path, "replace", 1),
    (Path, "replace", 2), (Path, "write_text", 1), (Path, "replace", 3), (Path, "unlink", 1), (Path, "unlink", 2),
    (Path, "rmdir", 1), (Path, "rmdir", 2),
]  # fmt: skip
STEPS_ON_S3 = [
    (Bucket, "files", 2), (Bucket, "copy", 1), (Bucket, "copy", 2), (Bucket, "write", 1), (Bucket, "delete", 1),
    (Bucket, "delete", 2),
]  # fmt: skip
STEPS = [("folder", *step) for step in STEPS_IN_FOLDER] + [("s3", *step) for step in STEPS_ON_S3]


@pytest.mark.parametrize(
    ("zone", "owner", "name", "call"), STEPS, ids=[f"{k}-{n}-{c}" for k, _, n, c in STEPS], indirect=["zone"]
)
def test_archiving_may_be_repeated_after_a_kill_at_any_step(zone: Zone, owner, name, call):
    delivery = zone.deliver("A", MOVIES, CREDITS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, nth(getattr(owner, name), call))
        with pytest.raises(KeyboardInterrupt):
            zone.landing.archive(delivery, "processed", {})
    waiting = zone.landing.incoming(MONTH)  # a new process knows nothing but the storage
    if waiting is not None:
        assert waiting.id == delivery.id
        zone.landing.archive(waiting, "processed", {})
    (archived,) = zone.landing.archived()
    assert (archived.number, archived.delivery_id) == (1, delivery.id)
    assert [f.name for f in zone.landing.processed(MONTH).files] == [CREDITS, MOVIES]
    assert zone.landing.months() == []
    assert [key for key in zone.storage.listing() if ".part" in key] == []
    assert zone.deliver("B", MOVIES, CREDITS) == zone.landing.incoming(MONTH)
    assert [a.outcome for a in zone.landing.archived()] == ["processed"]


def test_what_a_killed_archiving_leaves_in_incoming_does_not_spoil_the_next_delivery(zone: Zone):
    delivery = zone.deliver("A", MOVIES, CREDITS)
    zone.landing.archive(delivery, "processed", {})
    zone.storage.put(WAITING[0], zone.storage.get(f"processed/2017-11/0001-{delivery.id}/{CREDITS}"))
    assert zone.landing.months() == []
    arrived = zone.deliver("B", MOVIES, CREDITS)
    assert zone.landing.incoming(MONTH) == arrived
    assert [a.outcome for a in zone.landing.archived()] == ["processed"]


def test_a_delivery_without_movies_that_nobody_had_is_a_delivery(zone: Zone):
    zone.deliver("A", CREDITS)
    assert zone.landing.months() == [MONTH]
    assert zone.landing.incoming(MONTH) is not None


def test_a_delivery_that_was_replaced_meanwhile_stays_in_incoming_as_a_new_one(zone: Zone):
    delivery = zone.deliver("A", MOVIES, CREDITS)
    zone.storage.put(WAITING[1], "new")
    with pytest.raises(DeliveryChanged, match=r"movies_metadata.csv .* changed"):
        zone.landing.archive(delivery, "processed", {})
    assert zone.storage.listing() == [MARKER, *WAITING]
    assert zone.storage.get(WAITING[1]) == "new"
    assert zone.landing.incoming(MONTH).id != delivery.id
    assert zone.landing.archived() == []


@pytest.mark.parametrize("what", ["replaced", "deleted"])
def test_a_delivery_that_changes_while_it_is_read_is_not_used(zone: Zone, what: str):
    delivery = zone.deliver("A", MOVIES, CREDITS)

    def read() -> None:
        with zone.landing.local_files(delivery) as files:
            assert files[MOVIES].read_text() == f"{MOVIES} A"
            zone.storage.put(WAITING[1], "new") if what == "replaced" else zone.storage.delete(WAITING[1])

    with pytest.raises(DeliveryChanged, match=r"movies_metadata.csv .* changed while it was read"):
        read()
    with pytest.raises(DeliveryChanged):
        zone.landing.archive(delivery, "processed", {})
    assert zone.landing.archived() == []
    assert WAITING[0] in zone.storage.listing()


def test_a_file_that_was_changed_in_processed_is_not_read(zone: Zone):
    zone.archive("A")
    delivery = zone.landing.processed(MONTH)
    key = f"{delivery.place.removeprefix(zone.storage.address)[1:]}/{MOVIES}"
    for change in (lambda: zone.storage.put(key, f"{MOVIES} B"), lambda: zone.storage.delete(key)):
        change()
        again = zone.landing.processed(MONTH)
        assert again.id == delivery.id
        with pytest.raises(LandingDamaged) as raised, zone.landing.local_files(again) as files:
            _ = files[MOVIES]
        assert f"{again.place}/{MOVIES} is not the file that was loaded" in str(raised.value)
        assert delivery.files[0].digest in str(raised.value)
    zone.archive("A")  # as the message says
    with zone.landing.local_files(zone.landing.processed(MONTH)) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"files": []}',
        '{"files": 1}',
        '{"files": [{"name": "../x", "size_bytes": 1, "etag": "", "blake2b": ""}]}',
        '{"files": [{"name": "movies_metadata.csv", "size_bytes": -1, "etag": "", "blake2b": ""}]}',
        '{"files": [{}]}',
        '{"files": [{"name": "x", "size_bytes": 1}]}',
        "null",
    ],
)
def test_a_note_without_its_fields_is_damage(zone: Zone, content: str):
    zone.archive("A")
    (archived,) = zone.landing.archived()
    zone.storage.put(f"{archived.place.removeprefix(zone.storage.address)[1:]}/delivery.json", content)
    with pytest.raises(LandingDamaged, match=r"delivery.json is damaged\. Restore it"):
        zone.landing.archived()


def test_an_archived_file_that_is_missing_and_not_read_is_no_matter(zone: Zone):
    place = zone.landing.archive(zone.deliver("A", MOVIES, CREDITS), "processed", {})
    zone.storage.delete(f"{place.removeprefix(zone.storage.address)[1:]}/{CREDITS}")
    with zone.landing.local_files(zone.landing.processed(MONTH)) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"
    with pytest.raises(LandingDamaged), zone.landing.local_files(zone.landing.processed(MONTH)) as files:
        _ = files[CREDITS]


def test_files_of_the_same_names_in_a_folder_below_are_no_part_of_the_delivery(zone: Zone):
    delivery = zone.deliver("A")
    for name in (MOVIES, "_SUCCESS"):
        zone.storage.put(f"incoming/2017-11/zzz/{name}", "x")
    assert zone.landing.incoming(MONTH) == delivery
    zone.landing.archive(delivery, "processed", {})
    assert zone.storage.listing("incoming") == [f"incoming/2017-11/zzz/{name}" for name in ("_SUCCESS", MOVIES)]


def test_a_month_that_has_not_begun_is_delivered_as_any_other(zone: Zone):
    source = zone.sources / MOVIES
    source.write_text("x")
    month = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=60)).replace(day=1)
    assert zone.landing.put(month, {MOVIES: source}).month == month
    assert zone.landing.months() == [month]


@pytest.mark.parametrize(
    ("outcomes", "refused"),
    [
        (["rejected"], True),
        (["blocking_check", "superseded"], True),
        (["rejected", "superseded", "processed"], False),
        (["processed", "rejected"], True),
        (["processed", "superseded"], False),
        (["superseded"], False),
        ([], False),
    ],
    ids=str,
)
def test_a_month_is_refused_when_the_newest_delivery_that_was_judged_is(outcomes: list[str], refused: bool):
    archived = [
        Archived(MONTH, n, "0" * 12, "processed" if o == "processed" else "failed", "", {"reason": o})
        for n, o in enumerate(outcomes)
    ]
    assert bool(refused_months(archived)) == refused


def test_what_a_killed_delivery_has_staged_is_removed_a_day_later(zone: Zone, monkeypatch: pytest.MonkeyPatch):
    key = "incoming/.2017-11.0123456789abcdef0123456789abcdef" if zone.digest == "blake2b" else "staging/0123456789ab"
    zone.storage.put(f"{key}/{MOVIES}", "x")
    zone.deliver("A")
    assert f"{key}/{MOVIES}" in zone.storage.listing()
    for module in (folder_module, s3_module):
        monkeypatch.setattr(module, "STAGED_SECONDS", -60)
    zone.deliver("B")
    assert f"{key}/{MOVIES}" not in zone.storage.listing()


def test_unexpected_files_are_listed_and_no_delivery(zone: Zone):
    for key in ("2017-11/notes.txt", f"2017-13/{MOVIES}", f"november/{MOVIES}", "november/two.csv", "loose.csv"):
        zone.storage.put(f"incoming/{key}", "x")
    assert zone.landing.months() == []
    assert zone.landing.incoming(MONTH) is None
    assert sorted(zone.landing.list_incoming().unexpected_files) == [
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


def test_an_unexpected_file_stays_when_its_month_is_archived_and_the_next_delivery_joins_it(zone: Zone):
    zone.deliver("A")
    zone.storage.put("incoming/2017-11/notes.txt", "x")
    zone.landing.archive(zone.landing.incoming(MONTH), "processed", {})
    assert zone.storage.listing("incoming") == ["incoming/2017-11/notes.txt"]
    zone.deliver("B")
    assert zone.storage.listing("incoming") == [MARKER, WAITING[1], "incoming/2017-11/notes.txt"]
