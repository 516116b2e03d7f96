"""What is particular to the landing zone on S3, over HTTP: races, parts, transfers that break; no half-read file.

`test_landing_contract` has what every landing zone promises.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

from movies_platform.errors import DeliveryChanged, LandingDamaged, TransferBroken
from movies_platform.landing import open_landing
from movies_platform.landing import s3 as module
from movies_platform.landing.deliveries import DeliveredFile, Listing
from movies_platform.landing.s3 import Bucket
from movies_platform_tests.buckets import Store
from movies_platform_tests.faults import faulty_proxy
from movies_platform_tests.landings import CREDITS, MARKER, MONTH, MOVIES, WAITING, Zone, nth, zone_on_s3


@pytest.fixture
def zone(store: Store, home: Path) -> Zone[Store]:
    """An empty landing zone on S3."""
    return zone_on_s3(store, home)


def test_the_settings_choose_the_bucket(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_LANDING", store.address)
    assert open_landing().list_incoming() == Listing((), ())
    store.put(f"incoming/2017-11/{MOVIES}", "x")
    assert open_landing().months() == [MONTH]


def test_the_digest_of_a_file_is_that_of_the_store(zone):
    assert zone.deliver("A", CREDITS).files[0].digest == hashlib.md5(b"credits.csv A").hexdigest()


def test_a_delivery_that_breaks_off_is_none(zone, store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Bucket, "copy", nth(Bucket.copy, 2))
    with pytest.raises(KeyboardInterrupt):
        zone.deliver("A", MOVIES, CREDITS)
    assert store.listing() == [WAITING[0]]
    assert not zone.landing.list_incoming().arrivals[0].brings_movies
    assert zone.deliver("A", MOVIES, CREDITS).id == zone.landing.incoming(MONTH).id


def when_copying(store: Store, key: str, content: str, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let somebody replace the object just before the nth copy."""
    original, calls = Bucket.copy, iter(range(1, 100))

    def copy(self: Bucket, *arguments: Any) -> object:
        if next(calls) == number:
            store.put(key, content)
        return original(self, *arguments)

    monkeypatch.setattr(Bucket, "copy", copy)


@pytest.mark.parametrize("moment", ["while copying", "before deleting"])
def test_a_delivery_that_was_replaced_meanwhile_stays_as_the_new_one_that_it_is(
    zone, store: Store, monkeypatch: pytest.MonkeyPatch, moment: str
):
    delivery = zone.deliver("A", MOVIES, CREDITS)
    if moment == "while copying":
        when_copying(store, WAITING[1], "new", monkeypatch, 2)
    else:
        monkeypatch.setattr(
            Bucket, "write", lambda self, *a, write=Bucket.write: (write(self, *a), store.put(WAITING[1], "new"))
        )
    with pytest.raises(DeliveryChanged) if moment == "while copying" else contextlib.nullcontext():
        zone.landing.archive(delivery, "processed", {})
    assert store.get(WAITING[1]) == "new"
    assert zone.landing.incoming(MONTH).id != delivery.id
    assert len(zone.landing.archived()) == (moment == "before deleting")


def test_a_store_without_conditional_deletion_is_asked_before(zone, store, monkeypatch):
    zone.deliver("A")
    client = zone.landing.storage.client
    refuse = client.delete_object

    def delete(**which: str) -> object:
        if "IfMatch" in which:
            from botocore.exceptions import ClientError

            raise ClientError({"Error": {"Code": "NotImplemented"}}, "DeleteObject")
        return refuse(**which)

    monkeypatch.setattr(client, "delete_object", delete)
    assert not zone.landing.storage.delete(WAITING[1], "0" * 32)
    assert zone.landing.storage.delete(WAITING[1], hashlib.md5(b"movies_metadata.csv A").hexdigest())
    assert store.listing() == [MARKER]


def test_a_file_that_was_replaced_before_it_is_fetched_is_not_used(zone, store: Store):
    delivery = zone.deliver("A", MOVIES, CREDITS)

    def read() -> None:
        with zone.landing.local_files(delivery) as files:
            store.put(WAITING[1], "new")
            _ = files[MOVIES]

    with pytest.raises(DeliveryChanged, match=r"replaced or deleted"):
        read()
    with pytest.raises(DeliveryChanged, match=r"changed while"), zone.landing.local_files(delivery):
        raise AssertionError("not reached")


def test_what_was_fetched_is_removed_after_use(zone, home: Path):
    with zone.landing.local_files(zone.deliver("A")) as files:
        assert files[MOVIES].is_relative_to(home / "scratch")
    assert list((home / "scratch").iterdir()) == []


def test_only_what_is_asked_for_is_fetched_and_once(zone, monkeypatch):
    delivery = zone.deliver("A", MOVIES, CREDITS)
    fetched = []
    monkeypatch.setattr(Bucket, "fetch", lambda self, key, file, scratch: (fetched.append(key), scratch)[1])
    with zone.landing.local_files(delivery) as files:
        assert sorted(files) == [CREDITS, MOVIES]
        assert files[MOVIES] == files[MOVIES]
        assert "links.csv" not in files
    assert fetched == ["incoming/2017-11/movies_metadata.csv"]


def test_objects_where_none_belong_are_unexpected_and_a_console_s_empty_folder_is_not(zone, store: Store):
    for key in ("2017-11/notes.txt", f"2017-11/deep/{MOVIES}", f"2017-13/{MOVIES}", "loose.csv", "2017-12/"):
        store.put(f"incoming/{key}", "x")
    assert list(zone.landing.list_incoming().unexpected_files) == [
        "incoming/2017-11/deep/movies_metadata.csv: not a file of the data set",
        "incoming/2017-11/notes.txt: not a file of the data set",
        "incoming/2017-13: not a month's folder (YYYY-MM)",
        "incoming/loose.csv: not a month's folder (YYYY-MM)",
    ]
    assert zone.landing.months() == []
    assert zone.landing.incoming(MONTH) is None


def test_thousands_of_keys_are_listed_page_by_page(zone, store: Store, monkeypatch):
    for number in range(7):
        store.put(f"incoming/2017-{number + 1:02d}/{MOVIES}", "x")
    client = zone.landing.storage.client
    pages = client.get_paginator("list_objects_v2")
    small = pages.paginate
    monkeypatch.setattr(pages, "paginate", lambda **which: small(**which, PaginationConfig={"PageSize": 2}))
    monkeypatch.setattr(client, "get_paginator", lambda _: pages)
    assert len(zone.landing.list_incoming().arrivals) == 7


@pytest.mark.parametrize("part_mebibytes", [5, 7])
def test_an_object_uploaded_in_parts_is_proved_and_kept(zone, store: Store, part_mebibytes: int):
    source = zone.sources / "large.csv"
    source.write_bytes(b"0123456789abcdef" * (12 << 16))  # 12 MiB
    part = part_mebibytes << 20
    config = TransferConfig(multipart_threshold=part, multipart_chunksize=part)
    store.client.upload_file(str(source), store.bucket, f"landing/{WAITING[1]}", Config=config)
    delivery = zone.landing.incoming(MONTH)
    assert "-" in delivery.files[0].digest
    assert zone.landing.put(MONTH, {MOVIES: source}) == delivery
    zone.landing.archive(delivery, "processed", {})
    again = zone.landing.processed(MONTH)
    assert again.id == delivery.id
    with zone.landing.local_files(again) as files:
        assert files[MOVIES].read_bytes() == source.read_bytes()


def test_an_archived_object_that_was_restored_from_a_backup_is_read(zone, store: Store):
    source = zone.sources / "large.csv"
    source.write_bytes(b"0123456789abcdef" * (12 << 16))
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    store.client.upload_file(str(source), store.bucket, f"landing/{WAITING[1]}", Config=config)
    place = zone.landing.archive(zone.landing.incoming(MONTH), "processed", {})
    key = f"{place.removeprefix(store.address)[1:]}/{MOVIES}"
    store.put(key, source.read_bytes())
    with zone.landing.local_files(zone.landing.processed(MONTH)) as files:
        assert files[MOVIES].stat().st_size == 12 << 20
    store.put(key, source.read_bytes()[:-1] + b"!")
    with pytest.raises(LandingDamaged), zone.landing.local_files(zone.landing.processed(MONTH)) as files:
        _ = files[MOVIES]


@pytest.mark.parametrize("parts", [False, True])
def test_what_earlier_versions_archived_is_read(zone, store: Store, parts: bool):
    """Their notes do not have the ETag of the copy."""
    zone.archive("A")
    (archived,) = zone.landing.archived()
    key = f"{archived.place.removeprefix(store.address)[1:]}/delivery.json"
    files = [{**file, "etag": f"{'0' * 32}-2" if parts else file["etag"]} for file in archived.note["files"]]
    for file in files:
        del file["archived_etag"]
    store.put(key, json.dumps({**archived.note, "files": files}))
    with zone.landing.local_files(zone.landing.processed(MONTH)) as found:
        assert found[MOVIES].read_text() == f"{MOVIES} A"


def test_a_large_object_is_copied_in_parts_only_if_unchanged(zone, store: Store, monkeypatch):
    monkeypatch.setattr(module, "_COPY_AT_ONCE", 6 << 20)
    monkeypatch.setattr(module, "_COPY_PART", 5 << 20)
    store.put(WAITING[1], b"x" * (12 << 20))
    delivery = zone.landing.incoming(MONTH)
    other = DeliveredFile(MOVIES, 12 << 20, "0" * 32, "0" * 32)
    with pytest.raises(DeliveryChanged):
        zone.landing.storage.copy(WAITING[1], "elsewhere", other)
    zone.landing.archive(delivery, "processed", {})
    (_, copied) = zone.landing.storage.files("processed/")
    assert "-" in copied.version
    assert zone.landing.processed(MONTH).id == delivery.id
    assert store.listing("incoming") == []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between attempts."""
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.0)


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


def break_bodies(zone, monkeypatch, times: int, after: int, damage: bool = False) -> list[str]:
    """Let the first `times` answers break; what was asked for."""
    client, asked = zone.landing.storage.client, []
    original = client.get_object

    def get_object(**which: str) -> object:
        asked.append(which["Key"])
        answer = original(**which)
        if len(asked) <= times:
            answer["Body"] = Breaking(answer["Body"], after, damage)
        return answer

    monkeypatch.setattr(client, "get_object", get_object)
    return asked


def test_a_download_that_breaks_is_made_again(zone, impatient, monkeypatch):
    delivery = zone.deliver("A")
    asked = break_bodies(zone, monkeypatch, times=2, after=4)
    with zone.landing.local_files(delivery) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"
    assert len(asked) == 3


def test_a_download_over_a_bad_network_arrives_whole(zone, store: Store, impatient, monkeypatch: pytest.MonkeyPatch):
    content = "0123456789" * 300_000
    store.put(WAITING[1], content)
    with faulty_proxy(os.environ["AWS_ENDPOINT_URL"]) as (url, proxy):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        landing = zone_on_s3(store, zone.sources).landing
        delivery = landing.incoming(MONTH)
        proxy.misbehave("drop", 0.3)
        with landing.local_files(delivery) as files:
            assert files[MOVIES].read_text() == content
        proxy.misbehave("500", 0.3)
        with landing.local_files(delivery) as files:
            assert files[MOVIES].read_text() == content
        assert proxy.faults >= 2


def test_a_download_that_always_breaks_is_not_half_read(zone, home, impatient, monkeypatch):
    delivery = zone.deliver("A")
    break_bodies(zone, monkeypatch, times=99, after=0)
    with pytest.raises(Exception, match="Connection broken"), zone.landing.local_files(delivery) as files:
        _ = files[MOVIES]
    assert list((home / "scratch").iterdir()) == []


def test_a_damaged_download_is_made_again(zone, impatient, monkeypatch):
    delivery = zone.deliver("A")
    asked = break_bodies(zone, monkeypatch, times=1, after=99, damage=True)
    with zone.landing.local_files(delivery) as files:
        assert files[MOVIES].read_text() == f"{MOVIES} A"
    assert len(asked) == 2


def test_etags_that_are_no_digests_are_recognized(zone, impatient, monkeypatch):
    delivery = zone.deliver("A")
    asked = break_bodies(zone, monkeypatch, times=99, after=99, damage=True)
    with zone.landing.local_files(delivery) as files:
        assert files[MOVIES].read_text().startswith("!")
    assert len(asked) == 2


def test_a_download_that_is_damaged_differently_each_time_is_refused(zone, impatient, monkeypatch):
    delivery = zone.deliver("A")
    digests = iter("0123456789" * 2)
    monkeypatch.setattr(module, "_etag", lambda *_: next(digests))
    with pytest.raises(TransferBroken, match="arrived damaged 5 times"), zone.landing.local_files(delivery) as files:
        _ = files[MOVIES]


def test_a_note_whose_answer_breaks_off_is_asked_for_again(store: Store, monkeypatch: pytest.MonkeyPatch):
    with faulty_proxy(os.environ["AWS_ENDPOINT_URL"]) as (url, proxy):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        bucket = Bucket(store.address)
        bucket.write("note.json", "{}")
        proxy.misbehave("drop", 0.5)
        assert [bucket.read("note.json") for _ in range(4)] == [b"{}"] * 4
        assert proxy.faults >= 3
