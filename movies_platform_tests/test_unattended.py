"""Nobody looks: deliveries land on S3, the real daemon does the rest, also when it is killed and S3 has a bad day."""

import shutil
import time
from pathlib import Path

import pytest

from movies_platform_tests.shell import Shell
from movies_platform_tests.unattended import unattended

MOVIES = "movies_metadata.csv"


def is_move(method: str, path: str, headers: object) -> bool:
    """Whether a request copies a delivery to processed/."""
    return method == "PUT" and "/processed/" in path and path.endswith(MOVIES)


def test_deliveries_become_tables_with_nobody_looking(
    months: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = {folder.name: (folder / MOVIES).read_bytes() for folder in months}
    first, second, third = sorted(good)
    bad = b"title\n" + b"without an id\n" * 10

    home = tmp_path / "home"
    with unattended(home, monkeypatch.setenv) as platform:
        url = platform.start_webserver()
        platform.start_daemon()

        # Two at once, one of them while the server fails every third request: one computation of the tables.
        platform.proxy.misbehave("500", 0.34)
        started = time.time()
        for month in (second, first):
            platform.store.put(f"incoming/{month}/{MOVIES}", good[month])
        platform.store.put("incoming/november/readme.txt", "stray")
        platform.wait("both months are loaded", lambda: len(platform.notes("processed")) == 2)
        platform.proxy.misbehave("pass")
        platform.wait("the tables are computed", lambda: len(platform.tables_done()) == 1)
        assert platform.proxy.faults
        assert platform.tables_done()[0] > started

        # A bad one is refused, changes no table, and is reported once.
        platform.store.put(f"incoming/{third}/{MOVIES}", bad)
        platform.wait("the bad one is reported", lambda: platform.heard)
        assert platform.titles() == [f"The delivery for {third} is refused"]
        (error,) = platform.notes("failed")
        assert (error["month"], error["reason"]) == (third, "rejected")
        assert error["run_id"] in platform.heard[0]["message"]

        # Its correction: killed between the run and the move, with everything that runs.
        platform.proxy.hold_next(is_move)
        platform.store.put(f"incoming/{third}/{MOVIES}", good[third])
        platform.wait("the delivery is about to be moved", platform.proxy.held.is_set)
        platform.kill_daemon(runs_too=True)
        platform.start_daemon()
        platform.wait("the tables are computed again", lambda: len(platform.tables_done()) == 2)
        time.sleep(5)  # would anything else start?

        assert platform.titles() == [f"The delivery for {third} is refused"], platform.heard
        assert platform.store.listing("incoming") == ["incoming/november/readme.txt"]
        assert sorted(note["month"] for note in platform.notes("processed")) == [first, second, third]
        assert len(platform.notes("failed")) == 1
        months_run = [r.dagster_run.tags["dagster/partition"] for r in platform.of_months()]
        assert sorted(months_run) == [first, second, third, third, third]  # refused, killed, and its retry
        assert len(platform.of_tables()) == 2
        answer = platform.ask(url, "{ runsOrError(filter: {statuses: [SUCCESS]}) { ... on Runs { results { id } } } }")
        shown = {run["id"] for run in answer["runsOrError"]["results"]}
        assert shown >= {r.dagster_run.run_id for r in platform.of_tables()}
        tables = platform.shell.tables()

    shutil.rmtree(home)
    monkeypatch.setenv("MOVIES_LANDING", str(home / "landing"))
    by_hand = Shell(home)
    for folder in months:
        by_hand("deliver", folder / MOVIES, "--month", folder.name)
    by_hand("refresh")
    expected = by_hand.tables("parsed", "core", "metrics")
    assert {name: tables[name] for name in expected} == expected
