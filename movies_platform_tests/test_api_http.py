"""What every request goes through: errors, limits, ETags, cache, keys, quotas, CORS, files."""

import asyncio
import hashlib
import json
import re
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from movies_platform.api import files
from movies_platform.api.auth import check
from movies_platform.errors import SettingsError
from movies_platform.published.read import Snapshot
from movies_platform.published.store import PublishedFile
from movies_platform.settings import settings
from movies_platform_tests.api import InProcess, in_process, serve_from
from movies_platform_tests.published_states import State


@pytest.mark.parametrize(
    ("target", "status", "message"),
    [
        ("/v1/movies?colour=red", 400, r"no parameter 'colour' here. Known: year, .*genre"),
        ("/v1/movies?year=1995&year=1996", 400, "year is given twice"),
        ("/v1/movies?year=", 400, "year is empty"),
        ("/v1/movies?year=next", 400, "not a year"),
        ("/v1/movies?year=1995&year_to=1999", 400, "goes with neither"),
        ("/v1/movies?year_from=2000&year_to=1990", 400, "year_from=2000 is after year_to=1990"),
        ("/v1/metrics/genre_popularity_by_month?month_from=2017-12&month_to=2017-11", 400, "is after month_to=2017-11"),
        ("/v1/movies?limit=0", 400, "from 1 to 1000"),
        ("/v1/movies?limit=1001", 400, "from 1 to 1000"),
        ("/v1/movies?sort=colour", 400, r"no column 'colour'. Columns: movie_id"),
        ("/v1/movies?sort=title,title", 400, "names a column twice"),
        ("/v1/movies?sort=year,-release_year", 400, "names a column twice"),
        ("/v1/movies?sort=title,status,imdb_id,movie_id", 400, "at most 3 columns"),
        ("/v1/movies?fields=", 400, "fields is empty"),
        ("/v1/movies?genre=Actoin", 400, r"no genre 'Actoin'. Known: .*Drama"),
        ("/v1/movies?company=nobody%20at%20all", 400, r"no company 'nobody at all'. Search with /v1/companies"),
        ("/v1/movies?q=%20", 400, "a part of a name"),
        ("/v1/movies?q=%CC%81", 400, "a part of a name"),  # an accent, of no letter
        ("/v1/companies?q=%CC%81%20%CC%82&sort=company_id", 400, "a part of a name"),
        ("/v1/movies?company=%CC%81", 400, "there is no company"),
        ("/v1/movies?q=%ff", 400, "not UTF-8"),
        ("/v1/movies?snapshot=latest", 400, "the id of a snapshot"),
        ("/v1/movies?snapshot=2001-01-000000000000", 410, "is not kept"),
        ("/v1/movies?cursor=abc", 400, "is not a cursor"),
        ("/v1/movies?cursor=2001-01-000000000000~1~000000000000", 410, "is not kept"),
        ("/v1/metrics/most_popular_genre_by_year?measure=best", 400, "one of total, mean, median, max"),
        ("/v1/metrics/genre_popularity_by_month?month=2017", 400, "a month, for example 2017-11"),
        ("/v1/movies/0", 404, "no movie '0'"),
        ("/v1/movies/99999999999999999999999", 404, "no movie"),
        ("/v1/movies/" + "9" * 5_000, 404, "no movie"),
        ("/v1/movies/x/genres", 404, "no movie 'x'"),
        ("/v1/movies/1?year=2000", 400, r"Known: fields, snapshot"),
        ("/v1/genres/18/movies?genre=18", 400, "no parameter 'genre' here"),
        ("/v1/nothing", 404, "/docs shows"),
        ("/v1/tables/movies.csv", 404, "/v1/tables lists them"),
        ("/v1/tables/data_issues.parquet", 400, "Add month="),
        ("/v1/tables/movies.parquet?month=2017-11", 400, "is one file"),
        ("/v1/metrics?year=2000", 400, "Known: snapshot"),
        ("/v1/movies?q=" + "x" * 9_000, 414, "8,000 bytes"),
        ("/v1/movies/" + "%E2%82%AC" * 900, 414, "8,000 bytes"),
        ("/v1/movies?q=" + "x" * 300, 400, "at most 200"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_known(target: str, status: int, message: str, api: InProcess):
    got = api.get(target)
    assert re.search(message, got.problem(status)), got.body
    assert got.headers["cache-control"] == "no-store"
    assert "etag" not in got.headers


def test_other_methods_headers_and_forms_are_refused(api: InProcess):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        got = api.get("/v1/movies", method=method)
        assert "GET and HEAD" in got.problem(405)
        assert got.headers["allow"] == "GET, HEAD"
    assert "16,000" in api.get("/v1/movies", cookie="x" * 20_000).problem(431)
    assert "text/csv" in api.get("/v1/movies", accept="image/png").problem(406)


def test_a_cursor_belongs_to_its_question_and_snapshot(api: InProcess):
    cursor = api.get("/v1/movies?genre=18&limit=1").json["page"]["next_cursor"]
    assert "another question" in api.get(f"/v1/movies?genre=35&cursor={cursor}").problem(400)
    assert "another question" in api.get(f"/v1/companies?cursor={cursor}").problem(400)
    assert "Leave snapshot out" in api.get(f"/v1/movies?cursor={cursor}&snapshot=2001-01-000000000000").problem(400)
    snapshot, _, digest = cursor.split("~")
    assert api.get(f"/v1/movies?genre=18&cursor={snapshot}~999999999~{digest}").rows == []
    assert "is not a cursor" in api.get(f"/v1/movies?genre=18&cursor={snapshot}~-1~{digest}").problem(400)


@pytest.mark.parametrize("target", ["/v1/movies/{movie}", "/v1/movies?limit=3", "/v1/tables/movies.parquet"])
def test_a_client_that_has_the_answer_is_told_so(target: str, api: InProcess):
    target = target.format(movie=api.get("/v1/movies?limit=1").rows[0]["movie_id"])
    first = api.get(target)
    for condition in (first.headers["etag"], f'"other", W/{first.headers["etag"]}'):
        again = api.get(target, if_none_match=condition)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert api.get(target, if_none_match='"other"').body == first.body


def test_any_answer_that_there_is_matches_a_star_and_no_other(api: InProcess):
    assert api.get("/v1/movies?limit=3", if_none_match="*").status == 304
    assert api.get("/v1/movies/0", if_none_match="*").status == 404


def test_etags_differ_by_form_and_question_and_hold_for_one_snapshot(
    api: InProcess, states: tuple[State, State], api_cache: Path, monkeypatch: pytest.MonkeyPatch
):
    tags = {api.get(target, accept=accept).headers["etag"] for target in ("/v1/movies", "/v1/movies?limit=100")
            for accept in ("text/csv", "application/json")}  # fmt: skip
    assert len(tags) == 4
    serve_from(monkeypatch, states[0].published, api_cache)
    with in_process() as other:
        assert other.get("/v1/movies").headers["etag"] not in tags


def test_an_answer_of_a_named_snapshot_never_changes(api: InProcess):
    name = api.get("/v1/movies?limit=1").json["snapshot"]
    assert "immutable" in api.get(f"/v1/movies?snapshot={name}").headers["cache-control"]
    assert api.get("/v1/movies").headers["cache-control"] == "public, no-cache"
    # the word in a value is no name
    assert api.get("/v1/movies?q=snapshot=x").headers["cache-control"] == "public, no-cache"


def test_the_cache_gives_the_same_answer_and_is_bounded(api: InProcess):
    from movies_platform.api.answers import Answer
    from movies_platform.api.app import Cache

    first, second = (api.get("/v1/movies?limit=7") for _ in range(2))
    assert (first.body, first.headers) == (second.body, second.headers)
    cache = Cache(most=3_000)
    for number in range(10):
        cache.put(b"%d" % number, Answer([], b"x" * 500, 1))
    assert [number for number in range(10) if cache.get(b"%d" % number)] == [7, 8, 9]
    for number in range(10):
        cache.put(b"link %d" % number, Answer([(b"link", b"x" * 500)], b"", 1))
    assert [number for number in range(10) if cache.get(b"link %d" % number)] == [7, 8, 9]


def test_head_has_the_headers_and_no_body(api: InProcess):
    for target in ("/v1/movies", "/v1/tables/movies.parquet", "/", "/v1/nothing"):
        got, head = api.get(target), api.get(target, method="HEAD")
        assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")


def test_files_are_those_of_the_snapshot_whole_and_in_ranges(api: InProcess):
    files = api.get("/v1/tables").rows
    assert {each["table"] for each in files} >= {"movies", "genre_budget_by_year", "data_issues"}
    for each in files:
        got = api.get(each["path"])
        assert (len(got.body), hashlib.sha256(got.body).hexdigest()) == (each["bytes"], each["sha256"])
    got = api.get("/v1/tables/movies.parquet")
    size = len(got.body)
    for asked, expected in (("bytes=0-9", got.body[:10]), (f"bytes={size - 5}-", got.body[-5:]),
                            ("bytes=-7", got.body[-7:]), (f"bytes=5-{size * 2}", got.body[5:])):  # fmt: skip
        part = api.get("/v1/tables/movies.parquet", range=asked)
        assert (part.status, part.body) == (206, expected)
        assert part.headers["content-range"].endswith(f"/{size}")
    assert api.get("/v1/tables/movies.parquet", range="bytes=0-9", if_range='"other"').body == got.body
    assert api.get("/v1/tables/movies.parquet", range="bytes=9-3").body == got.body
    for asked in ("9" * 5_000 + "-", "-" + "9" * 5_000, "0-" + "9" * 5_000, "-"):
        assert api.get("/v1/tables/movies.parquet", range=f"bytes={asked}").body == got.body
    beyond = api.get("/v1/tables/movies.parquet", range=f"bytes={size}-")
    assert beyond.problem(416)
    assert beyond.headers["content-range"] == f"bytes */{size}"


def test_a_download_that_is_given_up_ends_quietly_and_leaves_nothing_open():
    """Its thread may be reading at that moment, and goes on until it has read its block."""
    may_go_on, is_reading, is_closed = (threading.Event() for _ in range(3))
    raised: list[BaseException] = []

    class Slow:
        def stream(self, *_: Any) -> Iterator[bytes]:
            try:
                yield b"first"
                is_reading.set()
                may_go_on.wait(60)
                yield b"second"
            finally:
                is_closed.set()

    async def read(sent: AsyncIterator[bytes]) -> None:
        try:
            async for _ in sent:
                pass
        except BaseException as problem:
            raised.append(problem)
            raise

    async def give_up() -> None:
        snapshot = SimpleNamespace(store=Slow(), path=str)
        sent = await files.blocks(cast(Snapshot, snapshot), PublishedFile("a", 11, ""), None)
        reading = asyncio.create_task(read(sent))
        del sent
        await asyncio.to_thread(is_reading.wait, 60)
        reading.cancel()
        await asyncio.wait([reading])
        del reading
        raised[:] = [type(problem) for problem in raised]  # type: ignore[misc]  # with it goes what it refers to
        may_go_on.set()
        await asyncio.to_thread(is_closed.wait, 60)

    asyncio.run(give_up())
    assert raised == [asyncio.CancelledError]
    assert is_closed.is_set()


def test_the_catalogue_says_what_each_metric_means(api: InProcess):
    found = {each["name"]: each for each in api.get("/v1/metrics").rows}
    budget = found["genre_budget_by_year"]
    assert budget["meaning"] == "Yearly budget of each genre."
    assert {column["name"] for column in budget["columns"]} >= {"year", "genre_name", "budget_share_usd"}
    assert len(api.get(f"{budget['path']}?limit=1000").rows) == min(1000, budget["rows"])


def test_what_is_served_and_what_is_kept_can_be_asked(api: InProcess):
    latest = api.get("/v1/snapshots/latest").json["data"]
    assert api.get("/v1/snapshots").rows[0]["snapshot"] == latest["snapshot"]
    ready = api.get("/readyz").json
    assert (ready["status"], ready["snapshot"]) == ("ready", latest["snapshot"])
    assert ready["store"]["last_seen_seconds_ago"] < 60
    assert api.get("/livez").status == 200


def test_without_a_snapshot_it_says_so_and_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    serve_from(monkeypatch, tmp_path / "published", tmp_path / "cache")
    with in_process() as api:
        assert "nothing is published" in api.get("/v1/movies").problem(503)
        assert api.get("/readyz").status == 503
        assert api.get("/livez").status == 200
        assert api.get("/openapi.json").status == 200


@pytest.mark.parametrize("away", ["gone", "broken"])
def test_a_start_without_the_store_serves_the_snapshot_of_before(
    away: str, states: tuple[State, State], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    published = tmp_path / "published"
    shutil.copytree(states[0].published, published)
    serve_from(monkeypatch, published, tmp_path / "cache")
    with in_process() as api:
        expected = api.get("/v1/genres").rows
    published.rename(tmp_path / "away")
    if away == "broken":
        published.write_text("no folder")
    with in_process() as api:
        assert api.get("/v1/genres").rows == expected
        ready = api.get("/readyz")
        assert (ready.status, bool(ready.json["store"]["problem"])) == (200, True)
        assert api.get("/v1/tables/genres.parquet").status == 503
    serve_from(monkeypatch, tmp_path / "another", tmp_path / "cache")
    with in_process() as api:
        assert api.get("/v1/genres").status == 503  # what is left is of another store


def test_only_listed_origins_may_read(states: tuple[State, State], api_cache: Path, monkeypatch: pytest.MonkeyPatch):
    serve_from(monkeypatch, states[1].published, api_cache)
    monkeypatch.setenv("MOVIES_API_ORIGINS", "https://a.example https://b.example")
    with in_process() as api:
        for target in ("/v1/genres", "/v1/nothing", "/readyz"):
            assert (
                api.get(target, origin="https://b.example").headers["access-control-allow-origin"]
                == "https://b.example"
            )
            assert "access-control-allow-origin" not in api.get(target, origin="https://c.example").headers
        asked = api.get("/v1/genres", method="OPTIONS", origin="https://a.example")
        assert (asked.status, asked.headers["access-control-allow-methods"]) == (204, "GET, HEAD")
        name = api.get("/readyz").json["snapshot"]
        for target in ("/v1/genres", f"/v1/tables/genres.parquet?snapshot={name}", "/v1/tables", "/", "/livez", "/x"):
            tag = api.get(target).headers.get("etag", "none")
            for headers in (
                {},
                {"origin": "https://a.example"},
                {"origin": "https://c.example"},
                {"if_none_match": tag},
            ):
                assert "Origin" in api.get(target, **headers).headers["vary"]
        got = api.get("/v1/tables/genres.parquet", origin="https://a.example", range="bytes=0-9")
        exposed = {each.lower() for each in got.headers["access-control-expose-headers"].split(", ")}
        simple = {"cache-control", "content-length", "content-type"}  # which browsers show in any case
        hidden = {"vary", "x-content-type-options"}  # which say nothing to a program
        assert {name for name in got.headers if not name.startswith("access-control")} <= exposed | simple | hidden
        assert "content-range" in exposed
    monkeypatch.delenv("MOVIES_API_ORIGINS")
    with in_process() as api:
        assert api.get("/v1/genres", origin="https://a.example").headers["vary"] == "Accept"
        assert "vary" not in api.get("/livez").headers


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "json"), ("", "json"), ("text/html,application/xhtml+xml,*/*;q=0.8", "json"), ("text/csv", "csv"),
        ("application/json;q=0, */*", "csv"), ("*/*, application/json;q=0", "csv"), ("text/*;q=0, */*", "json"),
        ("application/*;q=0, application/json", "json"), ("application/json;q=0.1, */*", "csv"),
        ("text/csv, application/json", "csv"), ("application/json, text/csv", "json"), ("text/csv, */*", "csv"),
        ("text/csv;q=0.5, application/json;q=0.4", "csv"), ("TEXT/CSV ; Q=1", "csv"),
        ("application/json;q=0", None), ("*/*;q=0", None), ("image/png", None), ("*/*;q=nan", None),
    ],
)  # fmt: skip
def test_the_form_is_the_one_that_is_wanted_most(accept: str, expected: str | None, api: InProcess):
    got = api.get("/v1/genres", accept=accept)
    if expected is None:
        got.problem(406)
    else:
        assert expected in got.headers["content-type"]


def test_a_question_that_takes_too_long_is_ended(api: InProcess, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("movies_platform.api.app.SECONDS", -1.0)
    got = api.get("/v1/movies?sort=-title,original_title&limit=1000")
    assert "Ask for less" in got.problem(503)
    assert got.headers["retry-after"]
    assert api.get("/v1/movies/0").status == 404


@pytest.mark.parametrize(
    ("chosen", "host", "message"),
    [
        ({}, "0.0.0.0", "this machine only"),
        ({"MOVIES_API_AUTH": "jwt"}, "127.0.0.1", "MOVIES_API_ISSUER and MOVIES_API_AUDIENCE"),
        ({"MOVIES_API_AUTH": "jwt", "MOVIES_API_ISSUER": "http://issuer.example"}, "127.0.0.1", "https://"),
        ({"MOVIES_API_AUTH": "some"}, "127.0.0.1", "none, keys, jwt or both"),
        ({"MOVIES_API_AUTH": "keys"}, "127.0.0.1", "keys.json is not a file"),
    ],
)  # fmt: skip
def test_settings_that_would_open_a_door_are_refused(
    chosen: dict[str, str], host: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "keys.json").write_text(json.dumps({"some": "thing"}))
    monkeypatch.setenv("MOVIES_API_KEYS", str(tmp_path / "keys.json"))
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=message):
        check(settings(), host)
