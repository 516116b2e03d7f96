"""The two kinds of places for snapshots keep one promise: `latest.json` is replaced in one step, by one of many."""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from movies_platform.errors import SettingsError
from movies_platform.published.store import LATEST, BucketStore, FolderStore, Store, open_store


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    place = request.getfixturevalue("bucket") if request.param == "s3" else str(tmp_path / "published")
    return open_store(place)


def test_a_file_reads_back_as_it_was_put(kept: Store, tmp_path: Path):
    source = tmp_path / "b" / "file"
    source.parent.mkdir()
    source.write_bytes(b"rows" * 1000)
    kept.put("snapshots/a", tmp_path, ["b/file"])
    assert kept.digest("snapshots/a/b/file") == (4000, hashlib.sha256(b"rows" * 1000).hexdigest())
    assert kept.read("snapshots/a/b/file") == source.read_bytes()
    if isinstance(kept, BucketStore):
        kept.fetch("snapshots/a/b/file", tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    ((size, changed),) = kept.files("snapshots/a").values()
    assert size == 4000
    assert abs(changed - time.time()) < 60


def test_what_is_not_there_is_none_or_an_error(kept: Store, tmp_path: Path):
    assert kept.read(LATEST) is None
    assert kept.files("snapshots") == {}
    if isinstance(kept, BucketStore):
        with pytest.raises(FileNotFoundError):
            kept.fetch("snapshots/a/file", tmp_path / "copy")
    with pytest.raises(FileNotFoundError):
        kept.digest("snapshots/a/file")


def test_a_removed_folder_is_gone_and_others_stay(kept: Store, tmp_path: Path):
    for name in ("manifest.json", "x"):
        (tmp_path / name).write_bytes(b"1")
    for place in ("snapshots/a", "snapshots/ab"):
        kept.put(place, tmp_path, ["x", "manifest.json"])
    kept.remove("snapshots/a")
    assert sorted(kept.files("snapshots")) == ["snapshots/ab/manifest.json", "snapshots/ab/x"]


def test_only_who_knows_the_present_pointer_replaces_it(kept: Store):
    assert kept.replace_latest(b"1", None)
    assert not kept.replace_latest(b"2", None)
    assert kept.replace_latest(b"2", b"1")
    assert not kept.replace_latest(b"3", b"1")
    assert kept.read(LATEST) == b"2"


def test_of_many_at_once_one_replaces_the_pointer(kept: Store):
    kept.replace_latest(b"old", None)
    with ThreadPoolExecutor(8) as writers:
        won = list(writers.map(lambda n: kept.replace_latest(b"%d" % n, b"old"), range(8)))
    assert won.count(True) == 1
    assert kept.read(LATEST) == b"%d" % won.index(True)


def test_a_put_whose_answer_was_lost_and_that_meets_itself_has_won(bucket: str, monkeypatch: pytest.MonkeyPatch):
    store = BucketStore(bucket)
    client = store._client
    real = client.put_object

    def twice(**arguments: object) -> object:  # as boto3 does it when the first answer does not arrive
        real(**arguments)
        return real(**arguments)

    monkeypatch.setattr(client, "put_object", twice)
    assert store.replace_latest(b"mine", None)


def test_a_server_that_knows_no_conditions_gets_a_plain_put(bucket: str, monkeypatch: pytest.MonkeyPatch):
    from botocore.exceptions import ClientError

    store = BucketStore(bucket)
    client = store._client
    real = client.put_object

    def old_server(**arguments: object) -> object:
        if {"IfMatch", "IfNoneMatch"} & set(arguments):
            raise ClientError({"Error": {"Code": "NotImplemented"}}, "PutObject")
        return real(**arguments)

    monkeypatch.setattr(client, "put_object", old_server)
    assert store.replace_latest(b"1", None)
    assert not store.replace_latest(b"2", None)


@pytest.mark.parametrize("address", ["s3://", "gs://bucket/x"])
def test_another_kind_of_place_is_refused(address: str):
    with pytest.raises(SettingsError, match="s3://bucket/prefix"):
        open_store(address)


def test_a_place_that_cannot_be_written_is_told_before_anything_is_written(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(
        SettingsError, match=r"MOVIES_PUBLISHED: .*file/published cannot be written \(Not a directory\)"
    ):
        FolderStore(str(tmp_path / "file" / "published")).check_writable()
