"""API keys: which are good, what their file may hold, and the quotas that go by them."""

import gc
import hashlib
import json
import tracemalloc
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from movies_platform.api.auth import KeyFile, check
from movies_platform.errors import SettingsError
from movies_platform.settings import settings
from movies_platform_tests.api import InProcess


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFile:
    monkeypatch.setenv("MOVIES_API_AUTH", "keys")
    monkeypatch.setenv("MOVIES_API_KEYS", str(tmp_path / "keys.json"))
    return KeyFile(tmp_path / "keys.json")


@pytest.fixture
def locked(keys: KeyFile, api: InProcess) -> InProcess:
    """The API with keys; `api` came after the settings were made."""
    return api


def test_a_key_is_kept_as_a_digest_and_is_good_until_it_is_revoked(keys: KeyFile, locked: InProcess):
    key, text = keys.create("dashboard")
    assert text not in keys.path.read_text()
    locked.run(locked.api.authenticator.read_keys())
    assert locked.get("/v1/genres", authorization=f"Bearer {text}").status == 200
    assert locked.get("/v1/genres", x_api_key=text).status == 200
    for wrong in ({}, {"authorization": "Bearer mp_wrong"}, {"authorization": f"Basic {text}"}, {"x_api_key": "é"}):
        got = locked.get("/v1/genres", **wrong)
        assert got.problem(401)
        assert got.headers["www-authenticate"].startswith("Bearer")
    assert locked.get("/v1/tables/movies.parquet").status == 401
    for public in ("/", "/docs", "/openapi.json", "/livez", "/readyz", "/site/app.js"):
        assert locked.get(public).status == 200
    keys.revoke(key.id)
    locked.run(locked.api.authenticator.read_keys())
    assert "revoked" in locked.get("/v1/genres", x_api_key=text).problem(401)
    assert locked.get("/v1/genres").headers["cache-control"] == "no-store"


def test_a_key_is_revoked_while_the_disk_of_metrics_is_full(
    keys: KeyFile, locked: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    key, text = keys.create("dashboard")
    monkeypatch.setattr("movies_platform.api.app._SECOND", 0.01)
    monkeypatch.setenv("MOVIES_API_METRICS_FOLDER", str(tmp_path / "missing"))  # fails as a full disk does
    locked.wait_for(lambda: locked.get("/v1/genres", x_api_key=text).status == 200)
    locked.wait_for(lambda: "missing" in caplog.text)
    keys.revoke(key.id)
    locked.wait_for(lambda: locked.get("/v1/genres", x_api_key=text).status == 401)


def test_refused_questions_leave_nothing_behind(keys: KeyFile, locked: InProcess):
    locked.get("/v1/movies/0")
    tracemalloc.start()
    try:
        for number in range(200):
            assert locked.get(f"/v1/movies/{number:07000}").status == 401
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 400_000  # of 1,400,000 that were sent
    finally:
        tracemalloc.stop()


def test_an_expired_key_is_refused(keys: KeyFile, locked: InProcess):
    import datetime as dt

    _, text = keys.create("old", expires=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
    locked.run(locked.api.authenticator.read_keys())
    assert "expired" in locked.get("/v1/genres", x_api_key=text).problem(401)


def test_a_time_without_a_zone_is_of_utc(keys: KeyFile, locked: InProcess):
    for text, expected in (("2999-01-01", 200), ("2001-01-01", 401), ("9999-12-31T23:59:59-12:00", 200)):
        _, token = keys.create("by another program")
        changed = {"keys": [asdict(replace(keys.read()[-1], expires_at=text))]}
        keys.path.write_text(json.dumps(changed))
        locked.run(locked.api.authenticator.read_keys())
        assert locked.get("/v1/genres", x_api_key=token).status == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [("expires_at", "next year"), ("expires_at", 5), ("expires_at", ""), ("revoked_at", False), ("quota", "5"),
     ("quota", 0), ("quota", True), ("id", None), ("sha256", "abc"), ("colour", "red")],
)  # fmt: skip
def test_a_key_that_cannot_be_understood_is_a_damaged_file(field: str, value: object, keys: KeyFile, locked: InProcess):
    _, known = keys.create("known")
    locked.run(locked.api.authenticator.read_keys())
    _, token = keys.create("by another program")
    content = json.loads(keys.path.read_text())
    content["keys"][1][field] = value
    keys.path.write_text(json.dumps(content))
    with pytest.raises(SettingsError, match=f"keys.json is not a file .*{field}"):
        check(settings(), "127.0.0.1")
    with pytest.raises(SettingsError, match=field):
        locked.run(locked.api.authenticator.read_keys())
    assert locked.get("/v1/genres", x_api_key=token).status == 401
    assert locked.get("/v1/genres", x_api_key=known).status == 200  # those that were read before stay good


def test_an_etag_holds_for_every_key(keys: KeyFile, locked: InProcess):
    one, other = keys.create("one")[1], keys.create("other")[1]
    locked.run(locked.api.authenticator.read_keys())
    first = locked.get("/v1/genres", x_api_key=one)
    assert locked.get("/v1/genres", x_api_key=other, if_none_match=first.headers["etag"]).status == 304
    assert first.headers["cache-control"] == "private, no-cache"


def test_rows_cost_quota_and_an_unchanged_answer_costs_nothing(
    keys: KeyFile, locked: InProcess, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("movies_platform.api.quotas.time.time", lambda: 1_000_000_040.0)
    _, text = keys.create("small", quota=14)
    locked.run(locked.api.authenticator.read_keys())
    left = []
    for target in ("/v1/genres", "/v1/movies?limit=1000", "/v1/genres", "/v1/metrics"):
        got = locked.get(target, x_api_key=text)
        left.append(int(got.headers["ratelimit-remaining"]))
    assert left == [13, 3, 2, 1]
    tag = locked.get("/v1/genres", x_api_key=text).headers["etag"]
    assert locked.get("/v1/genres", x_api_key=text, if_none_match=tag).status == 304
    refused = locked.get("/v1/genres", x_api_key=text)
    assert "14 units" in refused.problem(429)
    assert int(refused.headers["retry-after"]) == int(refused.headers["ratelimit-reset"]) == 40
    monkeypatch.setattr("movies_platform.api.quotas.time.time", lambda: 1_000_000_080.0)
    assert locked.get("/v1/genres", x_api_key=text).status == 200


def test_what_costs_more_than_a_whole_quota_is_never_charged(keys: KeyFile, locked: InProcess):
    _, text = keys.create("small", quota=3)
    locked.run(locked.api.authenticator.read_keys())
    refused = locked.get("/v1/movies?limit=1000", x_api_key=text)
    assert "costs 10 units, more than your 3 of a minute. Ask for at most 300 rows" in refused.problem(400)
    assert "retry-after" not in refused.headers
    got = locked.get("/v1/movies?limit=200", x_api_key=text)
    assert (got.status, got.headers["ratelimit-remaining"]) == (200, "1")


def test_keys_are_made_listed_and_revoked_by_the_command(home: Path):
    from click.testing import CliRunner

    from movies_platform.cli import cli

    run = CliRunner().invoke
    made = run(cli, ["keys", "create", "dashboard", "--quota", "5", "--days", "30"])
    key = KeyFile(home / "api-keys.json").read()[0]
    assert made.stdout.startswith("mp_")
    assert hashlib.sha256(made.stdout.split()[0].encode()).hexdigest() == key.sha256
    assert "dashboard" in run(cli, ["keys", "list"]).stdout
    assert run(cli, ["keys", "revoke", key.id]).exit_code == 0
    assert KeyFile(home / "api-keys.json").read()[0].revoked_at
    assert "keys list" in str(run(cli, ["keys", "revoke", "nobody"]).exception)
    for empty in ("", " "):
        assert "needs a name" in str(run(cli, ["keys", "create", empty]).exception)
    assert len(KeyFile(home / "api-keys.json").read()) == 1
