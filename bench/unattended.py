"""A bad month for the platform, by hand: `python -m bench.unattended [folder of the data]`, a quarter of an hour.

Real daemon and webserver processes, a real HTTP S3 server behind a proxy that fails on purpose, the four real
months. Delivered one by one, two at once, twice, out of order, corrupted, corrected; the daemon killed between a run
and its move and in the middle of a run; S3 answering 500s, slowly, and dropping connections; a shell's refresh at the
same time. Ends with what must be true, and the times from put to tables.
"""

import gzip
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import duckdb

from movies_platform_tests.unattended import Unattended, unattended

MOVIES = "movies_metadata.csv"
EXPECTED = {  # from the data's own README: an independent implementation finds these
    "core.movies": 45_748, "core.movie_genres": 88_367, "core.companies": 23_690, "core.movie_companies": 70_784,
    "metrics.genre_budget_by_year": 2_046, "metrics.company_budget_by_year": 48_961,
    "metrics.company_releases_by_genre_by_year": 125_812,
}  # fmt: skip


class BadMonth:
    def __init__(self, platform: Unattended, data: Path):
        self.platform = platform
        self.put_to_tables: dict[str, float] = {}
        self.delivered: Counter[str] = Counter()
        deliveries = data / "deliveries"
        self.content = {
            "2017-10": gzip.decompress((deliveries / "2017-10.csv.gz").read_bytes()),
            "2017-11": gzip.decompress((data / "the-movies-dataset" / "movies_metadata.csv.gz").read_bytes()),
            "2017-12": (deliveries / "2017-12.csv").read_bytes(),
            "2018-01": gzip.decompress((deliveries / "2018-01.csv.gz").read_bytes()),
        }

    def put(self, *months: str, content: bytes | None = None, new: bool = False) -> float:
        """Put objects; `new` ends them with another empty line, so that the content is new and means the same."""
        started = time.time()
        for month in months:
            if new:
                self.content[month] += b"\n"
            self.platform.store.put(f"incoming/{month}/{MOVIES}", content or self.content[month])
            self.delivered[month] += 1
        return started

    def arrive(self, what: str, *months: str, patience: float = 300) -> None:
        started = self.put(*months, new=True)
        platform = self.platform
        platform.wait(f"{what}: processed", lambda: not platform.store.listing("incoming"), patience)
        done = platform.wait_for_tables(started)
        self.put_to_tables[what] = done - started
        print(f"{what:<55} {done - started:6.1f} s from put to tables", flush=True)

    def refused(self, what: str, month: str, content: bytes, alerts: int) -> None:
        failed = len(self.platform.notes("failed"))
        self.put(month, content=content)
        self.platform.wait(what, lambda: len(self.platform.notes("failed")) == failed + 1)
        self.platform.wait(f"{what}: alert", lambda: len(self.platform.heard) == alerts)
        print(f"{what:<55} refused, alert sent", flush=True)

    def kill_when(self, what: str, month: str, which: str, runs_too: bool) -> None:
        platform = self.platform
        platform.proxy.hold_next(
            (lambda m, p, h: m == "PUT" and f"/processed/{month}" in p and p.endswith("delivery.json"))
            if which == "move"
            else (lambda m, p, h: m == "GET" and p.endswith(f"/incoming/{month}/{MOVIES}"))
        )
        started = self.put(month, new=True)
        platform.wait(what, platform.proxy.held.is_set)
        platform.kill_daemon(runs_too=runs_too)
        platform.proxy.let_go()
        platform.start_daemon()
        platform.wait(f"{what}: processed", lambda: not platform.store.listing("incoming"))
        done = platform.wait_for_tables(started)
        print(f"{what:<55} {done - started:6.1f} s from put to tables, with the way back", flush=True)

    def run(self) -> None:
        platform = self.platform
        platform.start_webserver()
        platform.start_daemon()
        self.arrive("the first month", "2017-11")
        self.arrive("one by one: the history before it, late", "2017-10")
        self.arrive("two at once", "2017-12", "2018-01")
        runs = len(platform.runs())
        self.put("2017-12")
        platform.wait("the same content again is archived", lambda: not platform.store.listing("incoming"))
        time.sleep(15)
        assert len(platform.runs()) == runs, "the same content started a run"
        print("the same content again: archived, no run", flush=True)
        self.arrive("an older month again, out of order", "2017-10")
        alerts = len(platform.heard)  # months that are smaller than the one before warn

        self.refused("cut in the middle (not UTF-8 at its end)", "2017-12",
                     self.content["2017-12"][:500_000] + b"\xff\xfe", alerts + 1)  # fmt: skip
        lines = self.content["2017-12"].splitlines(keepends=True)
        junk = b"".join(lines[:200]) + b"not,a,movie\n" * 100
        self.refused("a twelfth of the records is junk", "2017-12", junk, alerts + 2)
        self.arrive("another month, while one is refused", "2018-01")
        self.arrive("the correction", "2017-12")

        self.kill_when("killed between the run and its move", "2017-11", "move", runs_too=True)
        self.kill_when("killed in the middle of a run", "2017-11", "read", runs_too=True)
        self.kill_when("the daemon alone killed in the middle of a run", "2017-11", "read", runs_too=False)

        for what, mode, share in (
            ("S3 answers 500 every third time", "500", 0.34), ("S3 takes a second every second time", "slow", 0.5),
            ("S3 drops every third connection", "drop", 0.34),
        ):  # fmt: skip
            platform.proxy.misbehave(mode, share)
            self.arrive(what, "2017-12", patience=600)
        platform.proxy.misbehave("500", 1.0)
        started = self.put("2017-10", new=True)
        heard = len(platform.heard)
        platform.wait("S3 is away: one alert", lambda: len(platform.heard) > heard)
        time.sleep(30)
        assert len(platform.heard) == heard + 1, platform.titles()[heard:]
        platform.proxy.misbehave("pass")
        platform.wait("S3 is back: processed", lambda: not platform.store.listing("incoming"))
        done = platform.wait_for_tables(started)
        print(
            f"{'S3 was away and is back':<55} {done - started:6.1f} s from put to tables, with its absence", flush=True
        )

        shell = platform.shell.start("refresh", "--month", "2018-01")
        self.arrive("a shell refreshes another month meanwhile", "2017-12")
        output = shell.communicate(timeout=300)[0]
        assert shell.returncode == 0, output
        platform.wait("nothing goes on", lambda: all(r.dagster_run.is_finished for r in platform.runs()))
        time.sleep(15)

    def report(self) -> None:
        platform = self.platform
        with duckdb.connect(platform.home / "warehouse.duckdb", read_only=True) as connection:
            rows = {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in EXPECTED}
        print("tables right:", rows == EXPECTED, rows)
        print("incoming:", platform.store.listing("incoming"), "| staging:", platform.store.listing("staging"))
        keys = [k for k in platform.store.listing() if k.endswith(MOVIES)]
        folders = Counter(k.rsplit("/", 2)[1] for k in keys)
        print("each in one place:", max(folders.values()) == 1, dict(Counter(k.split("/")[0] for k in keys)))
        runs = platform.of_months()
        by_arrival: dict[str, list[str]] = {}
        for run in runs:
            arrival = run.dagster_run.tags.get("movies_platform/arrival", "shell")
            by_arrival.setdefault(arrival, []).append(run.dagster_run.status.value)
        print(f"deliveries put: {sum(self.delivered.values())}, arrivals with runs: {len(by_arrival) - 1}")
        for arrival, statuses in by_arrival.items():
            if len(statuses) > 1:
                print("  more than one run:", arrival, statuses)
        print("succeeded twice for one arrival:",
              [a for a, s in by_arrival.items() if a != "shell" and s.count("SUCCESS") > 1])  # fmt: skip
        print(f"runs of months {len(runs)}, of tables {len(platform.of_tables())}; faults {platform.proxy.faults}")
        for title in platform.titles():
            print("  alert:", title)
        quiet = [s for w, s in self.put_to_tables.items() if "S3" not in w]
        print(f"put to tables, median of {len(quiet)} without faults: {statistics.median(quiet):.1f} s, "
              f"{min(quiet):.1f} to {max(quiet):.1f} s")  # fmt: skip


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "data")

    def set_env(name: str, value: str) -> None:
        os.environ[name] = value

    # The settings that a deployment has, but for the address of the server.
    defaults = {"MOVIES_POLL_SECONDS": "5", "MOVIES_SETTLE_SECONDS": "10"}
    with tempfile.TemporaryDirectory() as home, unattended(Path(home) / "home", set_env, **defaults) as platform:
        month = BadMonth(platform, data)
        try:
            month.run()
        finally:
            month.report()


if __name__ == "__main__":
    main()
