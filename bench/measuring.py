"""Whole processes, measured from outside: wall seconds, CPU seconds and peak memory, and reports of them.

The harness imports no heavy library: a new process starts with the memory peak of the one that started it.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

BENCH = Path(__file__).resolve().parent
Command = tuple[list[str], dict[str, str]]
Seconds = Mapping[str, float]


@dataclass(frozen=True)
class Checkout:
    """A version of the platform, in a folder of its own, run by this Python."""

    label: str
    root: Path

    def command(self, *arguments: str) -> list[str]:
        """Return a command line of `movies-platform`."""
        return [sys.executable, "-c", "from movies_platform.cli import main; main()", *arguments]

    def environment(self, home: Path) -> dict[str, str]:
        """Return the defaults of the platform in a home: its own settings are not those of who measures."""
        # safe: else the working directory would come before PYTHONPATH
        python = {"PYTHONPATH": str(self.root), "PYTHONSAFEPATH": "1"}
        return environment() | python | {"MOVIES_HOME": str(home)}

    def run(self, home: Path, *arguments: str) -> None:
        """Run a command that prepares a measurement."""
        run(self.command(*arguments), self.environment(home), home.parent / "log.txt")

    def check(self) -> None:
        """Stop unless it is this version's code that runs."""
        shown = subprocess.run(
            [sys.executable, "-c", "import movies_platform; print(movies_platform.__file__)"],
            env=self.environment(self.root), check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip
        if not Path(shown).is_relative_to(self.root):
            raise SystemExit(f"{self.root} was meant to be measured, but {shown} runs")
        print(f"{self.label or 'measured'}: {shown}", flush=True)


NOW = Checkout("", BENCH.parent)


def checkouts(before: Path | None) -> list[Checkout]:
    """Return the versions to measure: this one and, side by side with it, the one in folder `before`."""
    versions = [NOW, *([Checkout("before", before.resolve())] if before else [])]
    for each in versions:
        each.check()
    return versions


def environment() -> dict[str, str]:
    """Return this process's environment without settings of the platform, of Dagster, or for another checkout."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("MOVIES_", "DAGSTER_", "PYTHON"))}


@dataclass(frozen=True)
class Measurement:
    """One run of one process with the processes that it waited for."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Contender:
    """Something to measure.

    `prepared` is entered before the clock starts and left after it stopped: it makes what a repetition needs, yields
    the command and its environment, and removes what the repetition left. `where_time_went` is asked in between.
    """

    label: str
    prepared: Callable[[], AbstractContextManager[Command]]
    where_time_went: Callable[[], Seconds] | None = None


@dataclass
class Result:
    """All repetitions of one contender."""

    label: str
    runs: list[Measurement] = field(default_factory=list)
    parts: list[Seconds] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Return the median of the wall times."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def cpu_seconds(self) -> float:
        """Return the median of the CPU times."""
        return statistics.median(run.cpu_seconds for run in self.runs)

    @property
    def peak_bytes(self) -> float:
        """Return the median of the memory peaks."""
        return statistics.median(run.peak_bytes for run in self.runs)


def run(command: list[str], env: dict[str, str], log: Path) -> Measurement:
    """Run a process to its end and measure it; its output goes to `log`.

    The peak is `ru_maxrss`: the largest resident set among the process and the children it waited for (not their sum).
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
    return Measurement(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def interleaved(contenders: Sequence[Contender], repeat: int, log: Path) -> list[Result]:
    """Measure every contender `repeat` times in the order a, b, c, a, b, c.

    What disturbs the machine for a while then disturbs all of them alike.
    """
    results = [Result(contender.label) for contender in contenders]
    for repetition in range(1, repeat + 1):
        for contender, result in zip(contenders, results, strict=True):
            with contender.prepared() as (command, env):
                # what the preparation wrote must not be written back while the clock runs
                os.sync()
                result.runs.append(run(command, env, log))
                if contender.where_time_went:
                    result.parts.append(contender.where_time_went())
            print(f"  {repetition}/{repeat}  {result.runs[-1].seconds:7.2f} s  {contender.label}", flush=True)
    return results


@contextmanager
def as_it_is(command: list[str]) -> Iterator[Command]:
    """Prepare nothing: the command replaces its own output."""
    yield command, environment()


def seconds_of_stages(version: Checkout, home: Path) -> Seconds:
    """Return the seconds that the steps of each stage took in the runs of a home, from Dagster's history.

    A step that fills tables of several stages counts under all their names together.
    """
    env = version.environment(home) | {"DAGSTER_HOME": str(home / "dagster")}
    done = subprocess.run([sys.executable, str(BENCH / "stages.py")], env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(results: Sequence[Result], references: Mapping[str, Result]) -> str:
    """Return a markdown row for each result, with its time as a multiple of each reference's."""
    headings = ["", "median, s", "fastest to slowest, s", "CPU, s", "peak memory, MB"]
    headings += [f"time / {name}" for name in references]
    headings += [f"CPU / {name}" for name in references]
    rows = [headings, ["---", *["---:"] * (len(headings) - 1)]]
    for result in results:
        times = [run.seconds for run in result.runs]
        ratios = [f"{result.seconds / reference.seconds:.2f}" for reference in references.values()]
        ratios += [f"{result.cpu_seconds / reference.cpu_seconds:.2f}" for reference in references.values()]
        rows.append([
            result.label, f"{result.seconds:.2f}", f"{min(times):.2f} to {max(times):.2f}",
            f"{result.cpu_seconds:.2f}", f"{result.peak_bytes / 1e6:,.0f}", *ratios,
        ])  # fmt: skip
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def time_by_stage(results: Sequence[Result]) -> str:
    """Return a markdown list: the median wall time of each stage's steps, and what is left."""
    lines = []
    for result in results:
        if not result.parts:
            continue
        parts = {name: statistics.median(run.get(name, 0) for run in result.parts) for name in result.parts[0]}
        rest = result.seconds - sum(parts.values())
        shown = ", ".join(f"{name} {seconds:.2f}" for name, seconds in parts.items())
        lines.append(f"- {result.label}: {shown}; start, Dagster and the rest {rest:.2f} s")
    return "\n".join(["Steps by stage, seconds of wall time:", "", *lines]) if lines else ""


def conditions(repeat: int) -> str:
    """Say on what was measured, and how often."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "pandas"))
    runs = "one run each" if repeat == 1 else f"medians of {repeat} runs"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}, {versions}; {runs}."
    )


def report(options: argparse.Namespace, name: str, text: str) -> None:
    """Print a report and put it between its markers in docs/benchmarks.md; text outside of them is kept."""
    print(f"\n{text}\n", flush=True)
    if options.no_report:
        return
    opening, closing = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    page = options.report.read_text(encoding="utf-8")
    between = re.compile(f"{re.escape(opening)}.*?{re.escape(closing)}", re.DOTALL)
    block = f"{opening}\n{text}\n{closing}"
    page = between.sub(lambda _: block, page) if between.search(page) else f"{page.rstrip()}\n\n{block}\n"
    options.report.write_text(page, encoding="utf-8")


def common_arguments() -> argparse.ArgumentParser:
    """Return the options that every measurement has."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--repeat", type=int, default=5, help="runs of each (default 5)")
    common.add_argument("--before", type=Path, metavar="DIR", help="also measure the platform of this checkout")
    common.add_argument("--work", type=Path, help="folder for temporary files (default: the system's)")
    common.add_argument("--report", type=Path, default=BENCH.parent / "docs" / "benchmarks.md")
    common.add_argument("--no-report", action="store_true", help="print only")
    return common
