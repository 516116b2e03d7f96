"""The landing zone on S3, over HTTP: whole deliveries, settled once, nothing lost, no half-read file."""

import datetime as dt
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from boto3.s3.transfer import TransferConfig

from movies_platform.errors import DeliveryChanged, TransferBroken
from movies_platform.landing import bucket as module
from movies_platform.landing import open_landing, transfer
from movies_platform.landing.bucket import Bucket
from movies_platform.landing.deliveries import Delivery, Look
from movies_platform.landing.s3 import S3Landing
from movies_platform_tests.buckets import Store
from movies_platform_tests.faults import faulty_proxy

MONTH = dt.date(2017, 11, 1)
MOVIES, CREDITS = "movies_metadata.csv", "credits.csv"
WAITING = ["incoming/2017-11/credits.csv", "incoming/2017-11/movies_metadata.csv"]


@pytest.fixture
def landing(store: Store, home: Path) -> S3Landing:
    """An empty landing zone on S3."""
    return S3Landing(store.address)


def put(landing: S3Landing, home: Path, content: str, *names: str) -> Delivery:
    """Deliver files of that content for the month."""
    files = {}
    for name in names or (MOVIES,):
        files[name] = home / name
        files[name].write_text(f"{name} {content}")
    return landing.put(MONTH, files)


def settle(landing: S3Landing, home: Path, content: str, outcome: str = "processed") -> str:
    """Deliver and settle; outcome and number of the place."""
    place = landing.settle(put(landing, home, content), outcome, {"reason": "test"})
    return landing.bucket.below(place).rpartition("-")[0]


def test_the_settings_choose_the_bucket(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_LANDING", store.address)
    assert open_landing().look() == Look((), ())
    store.put(f"incoming/2017-11/{MOVIES}", "x")
    assert open_landing().months() == [MONTH]


def test_a_delivery_arrives_with_all_its_files_and_leaves_nothing_beside(landing, home, store: Store):
    delivery = put(landing, home, "A", MOVIES, CREDITS)
    assert store.listing() == WAITING
    assert landing.incoming(MONTH) == delivery
    assert delivery.files[0].digest == hashlib.md5(b"credits.csv A").hexdigest()


def test_the_same_content_again_changes_nothing_and_other_content_sets_it_aside(landing, home, store: Store):
    first = put(landing, home, "A")
    written = store.written(WAITING[1])
    assert put(landing, home, "A") == first
    assert store.written(WAITING[1]) == written
    put(landing, home, "B")
    (aside,) = landing.settled(MONTH)
    assert (aside.outcome, aside.number, aside.delivery_id, aside.note["reason"]) == (
        "failed", 1, first.id, "superseded",
    )  # fmt: skip
    assert store.get(f"failed/2017-11/0001-{first.id}/{MOVIES}") == f"{MOVIES} A"
    assert store.get(WAITING[1]) == f"{MOVIES} B"


def test_a_delivery_that_breaks_off_is_none(landing, home, store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Bucket, "copy", nth(Bucket.copy, 2))
    with pytest.raises(KeyboardInterrupt):
        put(landing, home, "A", MOVIES, CREDITS)
    assert store.listing() == [WAITING[0]]
    assert not landing.look().arrivals[0].brings_movies
    assert put(landing, home, "A", MOVIES, CREDITS).id == landing.incoming(MONTH).id


def test_a_settled_delivery_is_numbered_noted_and_gone_from_incoming(landing, home, store: Store):
    store.put("incoming/2017-11/_SUCCESS", "")
    delivery = put(landing, home, "A", MOVIES, CREDITS)
    place = landing.settle(delivery, "processed", {"rows": {"movies": 3}})
    below = f"processed/2017-11/0001-{delivery.id}"
    assert place == f"{store.address}/{below}"
    assert store.listing() == [f"{below}/{name}" for name in ("_SUCCESS", CREDITS, "delivery.json", MOVIES)]
    note = json.loads(store.get(f"{below}/delivery.json"))
    assert note["rows"] == {"movies": 3}
    assert note["files"][0] == {"name": CREDITS, "size_bytes": 13, "etag": delivery.files[0].digest}
    assert landing.months() == []
    assert landing.processed(MONTH).id == delivery.id


def test_deliveries_of_a_month_are_numbered_and_the_newest_processed_one_counts(landing, home):
    places = [settle(landing, home, *judged) for judged in ("A", ("B", "failed"), "C", ("A", "failed"), "A", "A")]
    assert places == [
        "processed/2017-11/0001", "failed/2017-11/0002", "processed/2017-11/0003", "failed/2017-11/0004",
        "processed/2017-11/0005", "processed/2017-11/0005",
    ]  # fmt: skip
    with landing.local_files(landing.processed(MONTH)) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"
    assert list((home / "scratch").iterdir()) == []


def nth(function: Callable[..., object], number: int) -> Callable[..., object]:
    """The function, interrupted at its nth call."""
    calls = iter(range(1, 1000))

    def interrupted(*arguments: object, **options: object) -> object:
        if next(calls) == number:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    return interrupted


@pytest.mark.parametrize(
    ("name", "call"),
    [("folders", 1), ("copy", 1), ("copy", 2), ("write", 1), ("delete", 1), ("delete", 2)],
    ids=lambda value: str(value),
)
def test_settling_may_be_repeated_after_an_interruption_at_any_step(landing, home, store, name, call):
    delivery = put(landing, home, "A", MOVIES, CREDITS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bucket, name, nth(getattr(Bucket, name), call))
        with pytest.raises(KeyboardInterrupt):
            landing.settle(delivery, "processed", {})
    waiting = landing.incoming(MONTH)  # a new process knows nothing but the bucket
    if waiting is not None:
        assert waiting.id == delivery.id
        landing.settle(waiting, "processed", {})
    (settled,) = landing.settled()
    assert (settled.number, settled.delivery_id) == (1, delivery.id)
    assert [f.name for f in landing.processed(MONTH).files] == [CREDITS, MOVIES]
    assert landing.months() == []
    assert put(landing, home, "B", MOVIES, CREDITS) == landing.incoming(MONTH)
    assert [s.outcome for s in landing.settled()] == ["processed"]


def when_copying(store: Store, key: str, content: str, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let somebody replace the object just before the nth copy."""
    original, calls = Bucket.copy, iter(range(1, 100))

    def copy(self: Bucket, *arguments: str) -> bool:
        if next(calls) == number:
            store.put(key, content)
        return original(self, *arguments)

    monkeypatch.setattr(Bucket, "copy", copy)


@pytest.mark.parametrize("moment", ["before", "while copying", "before deleting"])
def test_a_delivery_that_was_replaced_meanwhile_stays_as_the_new_one_that_it_is(
    landing, home, store: Store, monkeypatch: pytest.MonkeyPatch, moment: str
):
    delivery = put(landing, home, "A", MOVIES, CREDITS)
    if moment == "before":
        store.put(WAITING[1], "new")
    elif moment == "while copying":
        when_copying(store, WAITING[1], "new", monkeypatch, 2)
    else:
        monkeypatch.setattr(
            Bucket, "write", lambda self, *a, write=Bucket.write: (write(self, *a), store.put(WAITING[1], "new"))
        )
    landing.settle(delivery, "processed", {})
    assert store.get(WAITING[1]) == "new"
    assert landing.incoming(MONTH).id != delivery.id
    assert len(landing.settled()) == (moment == "before deleting")


def test_a_store_without_conditional_deletion_is_asked_before(landing, home, store, monkeypatch):
    put(landing, home, "A")
    client = landing.bucket.client
    refuse = client.delete_object

    def delete(**which: str) -> object:
        if "IfMatch" in which:
            from botocore.exceptions import ClientError

            raise ClientError({"Error": {"Code": "NotImplemented"}}, "DeleteObject")
        return refuse(**which)

    monkeypatch.setattr(client, "delete_object", delete)
    assert not landing.bucket.delete(WAITING[1], "0" * 32)
    assert landing.bucket.delete(WAITING[1], hashlib.md5(b"movies_metadata.csv A").hexdigest())
    assert store.listing() == []


def test_a_delivery_that_is_replaced_while_it_is_read_is_not_used(landing, home, store: Store):
    delivery = put(landing, home, "A")

    def read() -> None:
        with landing.local_files(delivery) as files:
            assert files[MOVIES].read_text() == f"{MOVIES} A"
            store.put(WAITING[1], "new")

    with pytest.raises(DeliveryChanged, match=r"changed while it was read"):
        read()
    with pytest.raises(DeliveryChanged, match=r"replaced or taken away"), landing.local_files(delivery) as files:
        _ = files[MOVIES]


def test_only_what_is_asked_for_is_brought(landing, home, monkeypatch):
    delivery = put(landing, home, "A", MOVIES, CREDITS)
    brought = []
    monkeypatch.setattr(module, "download", lambda c, b, key, e, target: (brought.append(key), target.touch()))
    with landing.local_files(delivery) as files:
        assert sorted(files) == [CREDITS, MOVIES]
        assert files[MOVIES] == files[MOVIES]
    assert brought == ["landing/incoming/2017-11/movies_metadata.csv"]


def test_what_a_killed_run_has_brought_is_removed_a_day_later(landing, home):
    old, young = (home / "scratch" / f"landing-{name}" for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / MOVIES).write_text("half")
    os.utime(old, (0, 0))
    with landing.local_files(put(landing, home, "A")):
        assert (old.exists(), young.exists()) == (False, True)


def test_strays_are_told_and_no_delivery(landing, store: Store):
    for key in ("2017-11/notes.txt", "2017-11/deep/movies_metadata.csv", f"2017-13/{MOVIES}", f"november/{MOVIES}",
                "november/two.csv", "loose.csv", "2017-12/"):  # fmt: skip
        store.put(f"incoming/{key}", "x")
    assert landing.months() == []
    assert landing.incoming(MONTH) is None
    assert landing.strays() == [
        "incoming/2017-11/deep/movies_metadata.csv: not a file of the data set",
        "incoming/2017-11/notes.txt: not a file of the data set",
        "incoming/2017-13: not a month's folder (YYYY-MM)",
        "incoming/loose.csv: not a month's folder (YYYY-MM)",
        "incoming/november: not a month's folder (YYYY-MM)",
    ]


def test_thousands_of_keys_are_listed_page_by_page(landing, store: Store, monkeypatch):
    for number in range(7):
        store.put(f"incoming/2017-{number + 1:02d}/{MOVIES}", "x")
    client = landing.bucket.client
    pages = client.get_paginator("list_objects_v2")
    small = pages.paginate
    monkeypatch.setattr(pages, "paginate", lambda **which: small(**which, PaginationConfig={"PageSize": 2}))
    monkeypatch.setattr(client, "get_paginator", lambda _: pages)
    assert len(landing.look().arrivals) == 7


@pytest.mark.parametrize("part_mebibytes", [5, 7])
def test_an_object_uploaded_in_parts_is_proved_and_kept(landing, home, store: Store, part_mebibytes: int):
    source = home / "large.csv"
    source.write_bytes(b"0123456789abcdef" * (12 << 16))  # 12 MiB
    part = part_mebibytes << 20
    config = TransferConfig(multipart_threshold=part, multipart_chunksize=part)
    store.client.upload_file(str(source), store.bucket, f"landing/{WAITING[1]}", Config=config)
    delivery = landing.incoming(MONTH)
    assert "-" in delivery.files[0].digest
    assert landing.put(MONTH, {MOVIES: source}) == delivery
    landing.settle(delivery, "processed", {})
    again = landing.processed(MONTH)
    assert again.id == delivery.id
    with landing.local_files(again) as files:
        assert files[MOVIES].read_bytes() == source.read_bytes()


def test_a_large_object_is_copied_in_parts_only_if_unchanged(landing, home, store: Store, monkeypatch):
    monkeypatch.setattr(module, "_COPY_AT_ONCE", 6 << 20)
    monkeypatch.setattr(module, "_COPY_PART", 5 << 20)
    store.put(WAITING[1], b"x" * (12 << 20))
    delivery = landing.incoming(MONTH)
    assert not landing.bucket.copy(WAITING[1], "elsewhere", "0" * 32)
    landing.settle(delivery, "processed", {})
    assert "-" in landing.bucket.etag(f"processed/2017-11/0001-{delivery.id}/{MOVIES}")
    assert landing.processed(MONTH).id == delivery.id
    assert store.listing("incoming") == []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between attempts."""
    monkeypatch.setattr(transfer, "_FIRST_PAUSE", 0.0)


class Breaking:
    """A body that gives some chunks, perhaps damaged, and breaks at a place."""

    def __init__(self, body, after: int, damage: bool):
        self.content, self.after, self.damage = body.read(), after, damage

    def close(self) -> None:
        pass

    def iter_chunks(self, _: int):
        yield (b"!" if self.damage else b"") + self.content[: self.after][1 if self.damage else 0 :]
        if self.after < len(self.content):
            from urllib3.exceptions import ProtocolError

            raise ProtocolError("Connection broken")


def break_bodies(landing, monkeypatch, times: int, after: int, damage: bool = False) -> list[str]:
    """Let the first `times` answers break; the ranges that were asked for."""
    client, asked = landing.bucket.client, []
    original = client.get_object

    def get_object(**which: str) -> object:
        asked.append(which.get("Range", "all"))
        answer = original(**which)
        if len(asked) <= times:
            answer["Body"] = Breaking(answer["Body"], after, damage)
        return answer

    monkeypatch.setattr(client, "get_object", get_object)
    return asked


def test_a_download_that_breaks_goes_on_where_it_was(landing, home, impatient, monkeypatch):
    delivery = put(landing, home, "A")
    asked = break_bodies(landing, monkeypatch, times=2, after=4)
    with landing.local_files(delivery) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"
    assert asked == ["all", "bytes=4-", "bytes=8-"]


def test_a_download_that_always_breaks_is_not_half_read(landing, home, impatient, monkeypatch):
    delivery = put(landing, home, "A")
    break_bodies(landing, monkeypatch, times=99, after=0)
    with pytest.raises(Exception, match="Connection broken"), landing.local_files(delivery) as files:
        _ = files[MOVIES]
    assert list((home / "scratch").iterdir()) == []


def test_a_damaged_download_is_made_again(landing, home, impatient, monkeypatch):
    delivery = put(landing, home, "A")
    asked = break_bodies(landing, monkeypatch, times=1, after=99, damage=True)
    with landing.local_files(delivery) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"
    assert asked == ["all", "all"]


def test_etags_that_are_no_digests_are_recognized(landing, home, monkeypatch):
    delivery = put(landing, home, "A")
    asked = break_bodies(landing, monkeypatch, times=99, after=99, damage=True)
    with landing.local_files(delivery) as files:
        assert files[MOVIES].read_text().startswith("!")
    assert asked == ["all", "all"]


def test_a_download_that_is_damaged_differently_each_time_is_refused(landing, home, monkeypatch):
    delivery = put(landing, home, "A")
    digests = iter("0123456789")
    monkeypatch.setattr(transfer, "_md5", lambda _: next(digests))
    with pytest.raises(TransferBroken, match="arrived damaged 5 times"), landing.local_files(delivery) as files:
        _ = files[MOVIES]


def test_a_note_whose_answer_breaks_off_is_asked_for_again(store: Store, monkeypatch: pytest.MonkeyPatch):
    with faulty_proxy(os.environ["AWS_ENDPOINT_URL"]) as (url, proxy):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        bucket = Bucket(store.address)
        bucket.write("note.json", "{}")
        proxy.misbehave("drop", 0.5)
        assert [bucket.read("note.json") for _ in range(4)] == ["{}"] * 4
        assert proxy.faults >= 3
