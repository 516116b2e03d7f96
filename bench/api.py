"""Measure the HTTP API beside a hello world of the same server, Datasette, and FastAPI over DuckDB.

    python bench/api.py --home data --peers peers/bin/python

`--home` is one whose snapshot is published (the real month, in the report). `--peers` is the Python of a virtual
environment with datasette, fastapi, uvicorn and duckdb; without it, only the hello world is measured beside. Needs
Debian's `wrk`, which sends the requests.

One worker, keys and metrics on, no answer from the cache of answers unless the request is called cached. Every slice of
a second of a request follows a second of hello world with the same headers; what is compared is the CPU time of the
server's processes for each request. The report goes between its markers in docs/benchmarks.md.
"""

import argparse
import contextlib
import math
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from measuring import common_arguments, conditions, environment, report

CONNECTIONS, PEER_CONNECTIONS, SLOW_CLIENTS = 32, 4, 300
_LEAST = 10  # answers for each connection, for a slice to count
TARGETS = {"304": 0.80, "cached": 0.60, "point": 0.45, "page of a metric": 0.35, "mixed": 0.20}
WORDS = [
    "warner", "pixar", "studio", "canal", "disney", "universal", "toho", "gaumont", "bbc", "film", "para",
    "columbia", "metro", "lion", "dream", "blum", "legend", "focus", "sony", "miramax", "orion", "rko",
    "ealing", "hammer", "ghibli", "shaw", "bavaria", "svensk", "nordisk", "zentropa", "pathe", "production",
    "entertainment",
]  # fmt: skip
# Lua expressions that give a path with random parameters: for us, for the peers. A limit that differs from request to
# request keeps the answers from the cache of answers.
_COMPANY, _YEAR, _YEARS = "math.random(1, 90000)", "math.random(1940, 2017)", "math.random(1930, 2000)"
_UNTIL = "math.random(2001, 2017)"
_WORD, _GENRE = "words[math.random(#words)]", "genres[math.random(#genres)]"
REQUESTS = {
    "point": f'"/v1/metrics/company_budget_by_year?company=" .. {_COMPANY} .. "&year=" .. {_YEAR}',
    "page of a metric": '"/v1/metrics/company_budget_by_year?limit=" .. math.random(20, 99) .. "&year_from=" .. '
    f'{_YEARS} .. "&year_to=" .. {_UNTIL}',
    "search for a company": f'"/v1/companies?q=" .. {_WORD} .. "&limit=" .. math.random(10, 99) .. "&fields=" .. '
    'fields[math.random(#fields)]',
    "movies of a year and genre": f'"/v1/movies?genre=" .. {_GENRE} .. "&year=" .. {_YEAR} .. "&limit=" .. '
    "math.random(20, 99)",
}  # fmt: skip
DATASETTE = {
    "point": f'"/movies/company_budget_by_year.json?_shape=objects&company_id=" .. {_COMPANY} .. "&year=" .. {_YEAR}',
    "page of a metric": '"/movies/company_budget_by_year.json?_shape=objects&_sort=year&_size=" .. math.random(20, 99) '
    f'.. "&year__gte=" .. {_YEARS} .. "&year__lte=" .. {_UNTIL}',
    "search for a company": '"/movies/companies.json?_shape=objects&company_name__contains=" .. '
    f'{_WORD} .. "&_size=" .. math.random(10, 99)',
    "movies of a year and genre": f'"/movies/movies.json?_shape=objects&release_year=" .. {_YEAR} .. "&_size=" .. '
    'math.random(20, 99) .. "&_where=movie_id+in+(select+movie_id+from+movie_genres+where+genre_id=" .. '
    'ids[math.random(#ids)] .. ")"',
}  # fmt: skip
_HELLO = """
START = {"type": "http.response.start", "status": 200,
         "headers": [(b"content-type", b"application/json"), (b"content-length", b"17")]}
BODY = {"type": "http.response.body", "body": b'{"hello":"world"}'}

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"].endswith("shutdown"):
                return
    await send(START)
    await send(BODY)
"""
_FASTAPI = """
import sys
import duckdb
from fastapi import FastAPI, Query

app = FastAPI()
source = duckdb.connect(sys.argv[1], read_only=True, config={"threads": 1})

def rows(query, values):
    answer = source.cursor().execute(query, values)
    names = [column[0] for column in answer.description]
    return {"data": [dict(zip(names, row)) for row in answer.fetchall()]}

Limit = Query(100, ge=1, le=1000)

@app.get("/v1/metrics/company_budget_by_year")
def budget(company: int | None = None, year: int | None = None, year_from: int = 0, year_to: int = 9999,
           limit: int = Limit):
    where, values = ["year BETWEEN ? AND ?"], [year_from, year_to]
    for name, value in (("company_id", company), ("year", year)):
        if value is not None:
            where.append(f"{name} = ?")
            values.append(value)
    return rows(f"SELECT * FROM metrics.company_budget_by_year WHERE {' AND '.join(where)} "
                "ORDER BY year, company_id LIMIT ?", [*values, limit])

@app.get("/v1/companies")
def companies(q: str, limit: int = Limit):
    return rows("SELECT * FROM core.companies WHERE contains(lower(strip_accents(company_name)), lower(?)) "
                "ORDER BY company_id LIMIT ?", [q, limit])

@app.get("/v1/movies")
def movies(genre: str, year: int, limit: int = Limit):
    return rows("SELECT m.* FROM core.movies m JOIN core.movie_genres USING (movie_id) "
                "JOIN core.genres USING (genre_id) WHERE lower(genre_name) = lower(?) AND release_year = ? "
                "ORDER BY movie_id LIMIT ?", [genre, year, limit])

import uvicorn
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
"""


@dataclass
class Server:
    """A server that runs: its process, where it answers, and the headers of every request."""

    process: subprocess.Popen[bytes]
    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def cpu(self) -> float:
        """Return the CPU microseconds of its processes: of whole processes, because that of a thread ends with it."""
        found = 0
        for pid in _family(self.process.pid):
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                found += int(fields[11]) + int(fields[12])
        return found * 1e6 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Slice:
    """A second of requests: CPU microseconds of the server for each, and the 99th percentile of milliseconds."""

    cpu: float
    p99: float


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    return found


@contextlib.contextmanager
def running(command: Sequence[str], port: int, ready: str, env: dict[str, str], log: Path) -> Iterator[Server]:
    """Run a server until it answers, and until the end of the `with`."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=output)
    try:
        for _ in range(1_200):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}").close()
                break
            if process.poll() is not None:
                raise SystemExit(f"{' '.join(command)} ended: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait()


def load(server: Server, path: str, work: Path, *, seconds: int = 1, connections: int = CONNECTIONS,
         more: dict[str, str] | None = None) -> Slice:  # fmt: skip
    """Send requests for a time; `path` is an expression of Lua."""
    words = ", ".join(f'"{word}"' for word in WORDS)
    headers = ", ".join(f"['{name}'] = '{value}'" for name, value in {**server.headers, **(more or {})}.items())
    script = work / f"{server.port}-{connections}.lua"
    script.write_text(
        f"math.randomseed({time.time_ns() % 1_000_000})\nlocal words = {{{words}}}\n"
        'local genres = {"Drama", "Comedy", "Action", "Horror", "Romance", "Family"}\n'
        "local ids = {18, 35, 28, 27, 10749}\n"
        'local fields = {"company_id,company_name", "company_name,company_id", "company_name"}\n'
        f"local headers = {{{headers}}}\nfunction request() return wrk.format('GET', {path}, headers) end\n"
    )
    before = server.cpu()
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "30s", "--latency", "-s", script, f"http://127.0.0.1:{server.port}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    used, count = server.cpu() - before, int(re.search(r"(\d+) requests in", done)[1])  # type: ignore[index]
    if failed := re.search(r"Non-2xx or 3xx responses: (\d+)", done):
        raise SystemExit(f"{failed[1]} of {count} requests failed: {path}")
    # What is under way at the end has cost time and is not counted: with few answers that would be most of the time.
    if count < _LEAST * connections or re.search(r"timeout [1-9]", done):
        return Slice(float("nan"), float("nan"))
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", done).groups()  # type: ignore[union-attr]
    return Slice(used / max(count, 1), float(number) * {"us": 0.001, "ms": 1.0, "s": 1_000.0}[unit])


def mixed(requests: dict[str, str]) -> str:
    """An expression of Lua that gives one of the requests at random."""
    choices = ", ".join(f"function() return {path} end" for path in requests.values())
    return f"({{{choices}}})[math.random({len(requests)})]()"


def beside(
    hello: Server,
    other: Server,
    path: str,
    repeat: int,
    work: Path,
    more: dict[str, str] | None = None,
    seconds: int = 1,
    connections: int = CONNECTIONS,
) -> tuple[float, float, float, float, float]:
    """Return medians: CPU of hello and of the other, hello's divided by the other's, p99 of both; a second each."""
    slices = []
    for _ in range(repeat):
        one = load(Server(hello.process, hello.port, other.headers), path, work, more=more)
        slices.append((one, load(other, path, work, seconds=seconds, connections=connections, more=more)))
    return (
        statistics.median(a.cpu for a, _ in slices), statistics.median(b.cpu for _, b in slices),
        statistics.median(a.cpu / b.cpu for a, b in slices),
        statistics.median(a.p99 for a, _ in slices), statistics.median(b.p99 for _, b in slices),
    )  # fmt: skip


def readers_beside(api: Server, repeat: int, work: Path) -> tuple[float, float]:
    """Return the median p99 of point questions alone, and beside four readers of pages of 1,000 rows."""
    pages = f'"/v1/metrics/company_budget_by_year?limit=1000&year_from=" .. {_YEARS}'
    alone, crowded = [], []
    for _ in range(repeat):
        alone.append(load(api, REQUESTS["point"], work, connections=8).p99)
        script = work / "readers.lua"
        headers = ", ".join(f"['{name}'] = '{value}'" for name, value in api.headers.items())
        script.write_text(
            f"local headers = {{{headers}}}\nfunction request() return wrk.format('GET', {pages}, headers) end\n"
        )
        readers = subprocess.Popen(["wrk", "-t1", "-c4", "-d3", "-s", script, f"http://127.0.0.1:{api.port}"],
                                   stdout=subprocess.DEVNULL)  # fmt: skip
        time.sleep(1)
        crowded.append(load(api, REQUESTS["point"], work, connections=8).p99)
        readers.wait()
    return statistics.median(alone), statistics.median(crowded)


def slow_clients_beside(api: Server, repeat: int, work: Path) -> tuple[float, float]:
    """Return the median p99 of point questions alone, and beside clients that never end their request."""
    alone, crowded = [], []
    for _ in range(repeat):
        alone.append(load(api, REQUESTS["point"], work, connections=8).p99)
        with ExitStack() as open_ones:
            for _ in range(SLOW_CLIENTS):
                client = open_ones.enter_context(socket.create_connection(("127.0.0.1", api.port)))
                client.sendall(b"GET /v1/genres HTTP/1.1\r\nHost: x\r\nX-")
            crowded.append(load(api, REQUESTS["point"], work, connections=8).p99)
    return statistics.median(alone), statistics.median(crowded)


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def etag_of(api: Server, path: str) -> str:
    """Return the ETag of an answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{api.port}{path}", headers=api.headers)
    with urllib.request.urlopen(request) as answer:
        return str(answer.headers["ETag"])


def measured(options: argparse.Namespace, work: Path, stack: ExitStack) -> str:
    """Measure everything; the report."""
    env = environment() | {
        "MOVIES_HOME": str(options.home.resolve()), "MOVIES_API_AUTH": "keys",
        "MOVIES_API_KEYS": str(work / "keys.json"),
        "MOVIES_API_QUOTA": "1000000000", "MOVIES_API_METRICS_PORT": str(free_port()),
    }  # fmt: skip
    platform = str(Path(sys.executable).with_name("movies-platform"))
    key = subprocess.run([platform, "keys", "create", "bench"], env=env, check=True, capture_output=True, text=True)
    (work / "hello.py").write_text(_HELLO)
    log, port = work / "log", free_port()
    granian = [str(Path(sys.executable).with_name("granian")), "--interface", "asgi", "--port", str(port), "--no-ws",
               "--http", "1", "--loop", "uvloop", "--working-dir", str(work), "hello:app"]  # fmt: skip
    hello = stack.enter_context(running(granian, port, "/", env, log))
    port = free_port()
    api = stack.enter_context(running([platform, "serve", "--port", str(port)], port, "/readyz", env, log))
    api.headers["Authorization"] = f"Bearer {key.stdout.strip()}"
    one = "/v1/movies/862"
    kinds = {"304": f'"{one}"', "cached": f'"{one}"', **REQUESTS, "mixed": mixed(REQUESTS)}
    lines = [
        "| request | hello, CPU us | ours, CPU us | hello / ours | at least | p99, hello and ours, ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    ours = {}
    for name, path in kinds.items():
        more = {"If-None-Match": etag_of(api, one)} if name == "304" else None
        base, cpu, ratio, p99_hello, p99 = beside(hello, api, path, options.repeat, work, more)
        ours[name] = cpu
        target = f"{TARGETS[name]:.2f}" if name in TARGETS else ""
        shown = f"{cpu:.0f} | {ratio:.2f}" if not math.isnan(cpu) else "too few answers | "
        lines.append(f"| {name} | {base:.0f} | {shown} | {target} | {p99_hello:.1f}, {p99:.1f} |")
        print(lines[-1], flush=True)
    alone, crowded = readers_beside(api, options.repeat, work)
    lines += ["", f"Point questions, 8 connections: p99 {alone:.1f} ms alone, {crowded:.1f} ms beside four readers of "
              f"pages of 1,000 rows ({crowded / alone:.2f} times)."]  # fmt: skip
    alone, crowded = slow_clients_beside(api, options.repeat, work)
    lines += [f"{alone:.1f} ms alone, {crowded:.1f} ms beside {SLOW_CLIENTS} clients that do not end their request "
              f"({crowded / alone:.2f} times)."]  # fmt: skip
    if options.peers:
        lines += ["", *peers(options, work, stack, env, hello, ours)]
    return "\n".join(lines)


def peers(
    options: argparse.Namespace,
    work: Path,
    stack: ExitStack,
    env: dict[str, str],
    hello: Server,
    ours: dict[str, float],
) -> list[str]:
    """Measure the peers; a table."""
    log, database = work / "log", work / "movies.db"
    platform = str(Path(sys.executable).with_name("movies-platform"))
    subprocess.run([platform, "load", "--to", f"sqlite:///{database}"], env=env, check=True, capture_output=True)
    port = free_port()
    datasette = [str(options.peers), "-m", "datasette", str(database), "-p", str(port)]
    datasette += ["--setting", "sql_time_limit_ms", "10000"]
    others = [("Datasette", stack.enter_context(running(datasette, port, "/-/versions.json", env, log)), DATASETTE)]
    (work / "peer.py").write_text(_FASTAPI)
    snapshot = sorted((options.home.resolve() / "published" / "snapshots").iterdir())[-1] / "movies.duckdb"
    port = free_port()
    command = [str(options.peers), str(work / "peer.py"), str(snapshot), str(port)]
    fastapi = {
        name: path.replace(' .. "&fields=" .. fields[math.random(#fields)]', "") for name, path in REQUESTS.items()
    }
    others.append(("FastAPI, DuckDB", stack.enter_context(running(command, port, "/docs", env, log)), fastapi))
    lines = ["| CPU us for each request | ours | " + " | ".join(f"{name} (times ours)" for name, _, _ in others) + " |",
             "| --- | ---: |" + " ---: |" * len(others)]  # fmt: skip
    for kind in REQUESTS:
        cells = []
        for _, server, paths in others:
            cpu = beside(hello, server, paths[kind], 1, work, seconds=8, connections=PEER_CONNECTIONS)[1]
            cells.append("too few answers" if math.isnan(cpu) else f"{cpu:,.0f} ({cpu / ours[kind]:.1f})")
        lines.append(f"| {kind} | {ours[kind]:,.0f} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], parents=[common_arguments()])
    parser.add_argument("--home", type=Path, default=Path("data"), help="the home whose snapshot is served")
    parser.add_argument(
        "--peers", type=Path, metavar="PYTHON", help="a Python with datasette, fastapi, uvicorn, duckdb"
    )
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed (Debian's package wrk)")
    work = Path(tempfile.mkdtemp(dir=options.work))
    try:
        with ExitStack() as stack:
            text = measured(options, work, stack)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    busy = f"Load of the machine at the end: {os.getloadavg()[0]:.1f}."
    report(options, "api", f"{conditions(options.repeat)} {busy}\n\n{text}")


if __name__ == "__main__":
    main()
