"""Metrics for Prometheus, of all worker processes together.

A worker counts in its memory, which costs next to nothing, and writes all of it to a file of its own once a second; the
parent process answers on the metrics port with the sum of the files. (The library's own way for several processes
writes to a file for each number and each request, a tenth of the cost of a small answer.) The counts of a worker that
is gone stay, its gauges go.
"""

import json
import os
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

FOLDER = "MOVIES_API_METRICS_FOLDER"  # set by the parent process for its workers
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_COUNTERS = {
    "movies_api_cache": ("Answers to questions: hit, miss, unchanged (304).", "outcome"),
    "movies_api_refused": ("Refused requests: auth, quota, busy, slow.", "reason"),
    "movies_api_snapshot_swaps": ("Snapshots that took the place of the one before.", None),
    "movies_api_store_errors": ("Looks at the store of snapshots that failed.", None),
}
_GAUGES = {
    "movies_api_snapshot_published_timestamp_seconds": "When the snapshot was published that is served (the oldest).",
    "movies_api_store_seen_timestamp_seconds": "When the store was last read without an error (by the last worker).",
}
_SECONDS = "movies_api_request_seconds"


class Metrics:
    """What one worker counts."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, int], list[float]] = {}  # sum, and answers within each bucket
        self._counts: dict[tuple[str, str], int] = {}
        self._gauges: dict[str, float] = {}

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        found = self._seconds.get((route, status))
        if found is None:
            found = self._seconds[route, status] = [0.0] * (len(BUCKETS) + 2)
        found[0] += seconds
        found[bisect_left(BUCKETS, seconds) + 1] += 1

    def count(self, name: str, label: str = "") -> None:
        """Add one to a counter."""
        self._counts[name, label] = self._counts.get((name, label), 0) + 1

    def set(self, name: str, value: float) -> None:
        """Set a gauge."""
        self._gauges[name] = value

    def write(self) -> None:
        """Write everything to this process's file, where the parent process reads them."""
        if folder := os.environ.get(FOLDER):
            content = {
                "seconds": [[*key, *values] for key, values in self._seconds.items()],
                "counts": [[*key, value] for key, value in self._counts.items()],
                "gauges": self._gauges,
            }
            fresh = Path(folder, f".{os.getpid()}")
            fresh.write_text(json.dumps(content), encoding="utf-8")
            fresh.replace(Path(folder, f"{os.getpid()}.json"))


class Workers:
    """A collector for the library: the sum of what all workers wrote."""

    def __init__(self, folder: Path):
        self._folder = folder

    def collect(self) -> Iterator[Any]:
        """Every metric."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        seconds: dict[tuple[str, str], list[float]] = {}
        counts: dict[tuple[str, str], float] = {}
        gauges: dict[str, list[float]] = {}
        alive = 0
        for file in self._folder.glob("*.json"):
            content = json.loads(file.read_text(encoding="utf-8"))
            for route, status, *values in content["seconds"]:
                before = seconds.get((route, str(status)), [0.0] * len(values))
                seconds[route, str(status)] = [a + b for a, b in zip(before, values, strict=True)]
            for name, label, value in content["counts"]:
                counts[name, label] = counts.get((name, label), 0) + value
            if Path("/proc", file.stem).exists():
                alive += 1
                for name, value in content["gauges"].items():
                    gauges.setdefault(name, []).append(value)
        shown = HistogramMetricFamily(
            _SECONDS, "Answers, and the time until they were sent.", labels=["route", "status"]
        )
        for labels, (total, *within) in sorted(seconds.items()):
            ends = [*map(str, BUCKETS), "+Inf"]
            shown.add_metric(labels, list(zip(ends, accumulate(within), strict=True)), total)
        yield shown
        for name, (meaning, label) in _COUNTERS.items():
            family = CounterMetricFamily(name, meaning, labels=[label] if label else [])
            for (counted, value), count in sorted(counts.items()):
                if counted == name:
                    family.add_metric([value] if label else [], count)
            yield family
        for name, meaning in _GAUGES.items():
            if name in gauges:
                yield GaugeMetricFamily(name, meaning, value=min(gauges[name]))
        yield GaugeMetricFamily("movies_api_workers", "Workers that serve.", value=alive)


def serve(host: str, port: int, folder: Path) -> None:
    """Answer `/metrics` in a thread of the parent process."""
    from prometheus_client import CollectorRegistry, start_http_server

    registry = CollectorRegistry()
    registry.register(Workers(folder))
    start_http_server(port, host, registry)
