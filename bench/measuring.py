"""Whole processes, measured from outside: wall seconds and peak memory."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Measurement:
    """One run of one process."""

    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Contender:
    """Something to measure.

    `prepared` is entered before the clock starts and left after it stopped: it makes what a repetition
    needs, yields the command and its environment, and removes what the repetition left.
    """

    label: str
    prepared: Callable[[], "contextmanager[tuple[list[str], dict[str, str]]]"]


@dataclass
class Result:
    """All repetitions of one contender."""

    label: str
    runs: list[Measurement] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Return the median of the wall times."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def spread(self) -> tuple[float, float]:
        """Return the shortest and the longest wall time."""
        seconds = [run.seconds for run in self.runs]
        return min(seconds), max(seconds)

    @property
    def peak_bytes(self) -> float:
        """Return the median of the memory peaks."""
        return statistics.median(run.peak_bytes for run in self.runs)


def environment(home: Path | None = None) -> dict[str, str]:
    """Return this process's environment without settings of the platform: its defaults are measured."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("MOVIES_", "DAGSTER_"))}
    return own if home is None else own | {"MOVIES_HOME": str(home)}


def run(command: list[str], env: dict[str, str], log: Path) -> Measurement:
    """Run a process to its end and measure it; its output goes to `log`.

    The peak is `ru_maxrss`: the largest resident set among the process and the children it waited for
    (not their sum). A new process starts with the peak of the one that started it, so the harness
    imports no heavy library.
    """
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = log.read_text(encoding="utf-8", errors="replace")[-4000:]
        raise SystemExit(f"{tail}\nexit code {process.returncode} of: {' '.join(command)}")
    return Measurement(seconds, usage.ru_maxrss * 1024)


def interleaved(contenders: list[Contender], repeat: int, log: Path) -> list[Result]:
    """Measure every contender `repeat` times in the order a, b, c, a, b, c.

    What disturbs the machine for a while then disturbs all of them alike.
    """
    results = [Result(contender.label) for contender in contenders]
    for repetition in range(1, repeat + 1):
        for contender, result in zip(contenders, results, strict=True):
            result.runs.append(_measure(contender, log))
            print(f"  {repetition}/{repeat}  {result.runs[-1].seconds:7.2f} s  {contender.label}", flush=True)
    return results


def _measure(contender: Contender, log: Path) -> Measurement:
    with contender.prepared() as (command, env):
        # what the preparation wrote must not be written back while the clock runs
        os.sync()
        return run(command, env, log)


@contextmanager
def nothing_to_prepare(command: list[str]) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Prepare a command that replaces its own output."""
    yield command, environment()
