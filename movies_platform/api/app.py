"""The ASGI application: what every request goes through, and questions about rows.

Limits, who asks, quotas, ETags, the cache of answers, errors, CORS and metrics are here, as plain ASGI: of what a
small answer costs, Starlette's routing and responses would be the largest part (docs/decisions/0014). What is not about
rows is answered by Starlette (`pages`).

An answer's ETag is a digest of snapshot, form and URL, so that it is known before the answer is: a client that has the
answer is told so (304) without asking the database, at no cost to its quota. Answers are kept under the same digest.
"""

import asyncio
import gc
import hashlib
import logging
import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from movies_platform.api.answers import Answer, Asked, Headers, Place, media_type, place_of
from movies_platform.api.auth import Authenticator, Caller
from movies_platform.api.index import format_version
from movies_platform.api.monitoring import Metrics
from movies_platform.api.pages import router
from movies_platform.api.problems import Problem
from movies_platform.api.questions import LIMIT, parameters, snapshot_of
from movies_platform.api.quotas import Quotas
from movies_platform.api.rows import Opened
from movies_platform.api.search import TooSlow
from movies_platform.api.snapshots import Snapshots
from movies_platform.settings import Settings, settings

LONGEST_URL, LARGEST_HEADERS = 8_000, 16_000  # bytes
INLINE_SECONDS, SECONDS = 0.002, 10.0  # for a question that is answered at once, in CPU time; in the thread
_WAITING = 200  # questions for the thread, before others are refused
_CACHE_BYTES, _LARGEST_KEPT = 64_000_000, 1_000_000
_SEND_SECONDS = 30  # for a client to take a block
_SECOND = 1.0  # between two looks at keys, two writings of what was counted, and two tries of what failed
_PINNED = re.compile(rb"(?:^|&)(?:snapshot|cursor)=")
_METHODS = ("GET", "HEAD")
_EXPOSED = (
    b"ETag, Link, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, "
    b"Accept-Ranges, Content-Disposition, Content-Range, Repr-Digest"
)
_VARY = (b"vary", b"Accept")
NOSNIFF = (b"x-content-type-options", b"nosniff")
Work = Callable[[], Coroutine[Any, Any, None]]
_log = logging.getLogger(__name__)


class Cache:
    """Answers by their ETag, the last used ones, bounded by their bytes."""

    def __init__(self, most: int = _CACHE_BYTES):
        self._most, self._bytes = most, 0
        self._answers: OrderedDict[bytes, Answer] = OrderedDict()

    def get(self, tag: bytes) -> Answer | None:
        """The answer, which is then the last used one."""
        if (found := self._answers.get(tag)) is not None:
            self._answers.move_to_end(tag)
        return found

    def put(self, tag: bytes, answer: Answer) -> None:
        """Keep an answer, at the cost of those that were not used for the longest time."""
        if len(answer.body) <= _LARGEST_KEPT and tag not in self._answers:
            self._answers[tag] = answer
            self._bytes += _size(answer)
            while self._bytes > self._most:
                self._bytes -= _size(self._answers.popitem(last=False)[1])


class Api:
    """The application; its parts start with the server and end with it."""

    def __init__(self, chosen: Settings):
        self.settings = chosen
        self.metrics = Metrics()
        self.snapshots = Snapshots(chosen, self.metrics)
        self.authenticator = Authenticator(chosen)
        self.quotas = Quotas(chosen)
        self.cache = Cache()
        self._rest = router(self)
        self._thread = ThreadPoolExecutor(1, "rows")
        self._waiting = 0
        self._version = format_version().encode()
        self.is_open = chosen.api_auth == "none"
        self.scope = b"public" if self.is_open else b"private"  # a shared cache would serve others without a token
        self._forever = (b"cache-control", self.scope + b", max-age=31536000, immutable")
        self._for_now = (b"cache-control", self.scope + b", no-cache")
        self._origins = {origin.encode() for origin in chosen.api_origins}
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] != "http":
            await self._lifespan(scope, receive, send)
            return
        started, route, status = time.perf_counter(), "other", 500
        headers: dict[bytes, bytes] = dict(scope["headers"])
        origin = headers.get(b"origin")
        if origin not in self._origins:
            origin = None
        sent = Sent(send, scope["method"], _cors(origin) if self._origins else [])
        try:
            path, query = scope["path"], scope["query_string"]
            self._check_limits(scope, origin)
            if scope["method"] == "OPTIONS":
                status = await self._preflight(sent)
                return
            place = place_of(path)
            if place is not None:
                route = place.route
                status = await self._rows(place, path, query, headers, sent)
            else:
                route, status = await self._others(scope, receive, headers, sent)
        except Problem as problem:
            status = problem.status
            await self._send_problem(sent, problem)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            status = 499  # the client is gone, as nginx counts it
            raise
        except Exception:
            _log.exception("%s %s", scope["method"], scope["path"])
            if sent.started:
                raise  # the server cuts the connection: half an answer must not look like a whole one
            await self._send_problem(sent, Problem(500, "This is our fault. It has been logged."))
        finally:
            self.metrics.answered(route, status, time.perf_counter() - started)

    def _check_limits(self, scope: Any, origin: bytes | None) -> None:
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_URL:  # as it was sent, not as it was decoded
            raise Problem(414, f"The URL has more than {LONGEST_URL:,} bytes.")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEADERS:
            raise Problem(431, f"The headers have more than {LARGEST_HEADERS:,} bytes.")
        method = scope["method"]
        if method not in _METHODS and not (method == "OPTIONS" and origin):
            raise Problem(405, f"{method} is not possible: the API is read with GET and HEAD.",
                          {"Allow": "GET, HEAD"})  # fmt: skip

    async def _rows(self, place: Place, path: str, query: bytes, given: dict[bytes, bytes], sent: "Sent") -> int:
        """Answer a question about rows."""
        caller = None if self.is_open else await self._caller(given)
        kind = media_type(given.get(b"accept"))
        current = self.snapshots.current
        if current is None:
            raise Problem(503, f"No snapshot can be served yet: {self.snapshots.problem}.", {"Retry-After": "5"})
        pinned = query and _PINNED.search(query) is not None
        terms = (b"" if pinned else current.snapshot.encode(), self._version, kind, path.encode(), query)
        tag = b'"%b"' % hashlib.blake2b(b"\n".join(terms), digest_size=12).hexdigest().encode()
        headers: Headers = [(b"etag", tag), self._forever if pinned else self._for_now, _VARY]
        known = given.get(b"if-none-match")
        if known is not None and tag in known:
            self.metrics.count("movies_api_cache", "unchanged")
            await sent.answer(304, headers, b"")
            return 304
        found = self.cache.get(tag)
        if found is not None:
            self.metrics.count("movies_api_cache", "hit")
            quota = await self.quotas.charge(caller, found.cost) if caller else ()
        else:
            self.metrics.count("movies_api_cache", "miss")
            parsed = parameters(query)
            named = snapshot_of(parsed)
            opened = current if named in (None, current.snapshot) else await self.snapshots.named(named or "")
            asked = Asked(place, parsed, opened, kind)
            quota = await self.quotas.charge(caller, asked.cost) if caller else ()
            found = await self._read(opened, asked)
            self.cache.put(tag, found)
        if known == b"*":
            await sent.answer(304, headers, b"")
            return 304
        headers += found.headers
        headers += quota
        headers += ((b"content-length", b"%d" % len(found.body)), NOSNIFF)
        await sent.answer(200, headers, found.body)
        return 200

    async def _others(self, scope: Any, receive: Any, given: dict[bytes, bytes], sent: "Sent") -> tuple[str, int]:
        """Answer what is not about rows."""
        if scope["path"].startswith("/v1"):
            caller = None if self.is_open else await self._caller(given)

            async def charge(cost: int) -> Headers:
                return [] if caller is None else await self.quotas.charge(caller, cost)

            scope["charge"] = charge
        status = 500

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                await sent.start(status, [*message["headers"], NOSNIFF])
            else:
                async with asyncio.timeout(_SEND_SECONDS):  # a client that takes nothing is dropped
                    await sent.body(message.get("body", b""), bool(message.get("more_body")))

        await self._rest(scope, receive, send)
        return scope.get("served", "other"), status

    async def _caller(self, given: dict[bytes, bytes]) -> Caller:
        token = given.get(b"x-api-key")
        if (sent := given.get(b"authorization")) is not None:
            scheme, _, rest = sent.partition(b" ")
            token = rest.strip() if scheme.lower() == b"bearer" else None
        if token and (known := self.authenticator.remembered(token)):
            return known
        try:
            return await self.authenticator.caller(token)
        except Problem:
            self.metrics.count("movies_api_refused", "auth")
            raise

    async def _read(self, opened: Opened, asked: Asked) -> Answer:
        """Read at once what is small and quick, else in the one thread for that, whose work stops after a time."""
        if asked.rows <= LIMIT:
            try:
                opened.inline.within(INLINE_SECONDS)
                return asked.answer(opened.inline)
            except TooSlow:
                pass
        if self._waiting >= _WAITING:
            self.metrics.count("movies_api_refused", "busy")
            raise Problem(503, "Too many large questions are waiting. Try again later.", {"Retry-After": "1"})
        until = time.perf_counter() + SECONDS

        def in_thread() -> Answer:
            opened.pooled.within(until - time.perf_counter())
            return asked.answer(opened.pooled)

        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, in_thread)
        except TooSlow:
            self.metrics.count("movies_api_refused", "slow")
            raise Problem(503, f"The question takes more than {SECONDS:.0f} seconds. Ask for less: fewer rows, a year, "
                          "or another order.", {"Retry-After": "10"}) from None  # fmt: skip
        finally:
            self._waiting -= 1

    async def _send_problem(self, sent: "Sent", problem: Problem) -> None:
        if problem.status == 429:
            self.metrics.count("movies_api_refused", "quota")
        body = problem.body()
        headers = [*problem.header_list(), (b"content-length", b"%d" % len(body)), NOSNIFF]
        await sent.answer(problem.status, headers, body)

    async def _preflight(self, sent: "Sent") -> int:
        allowed = [
            (b"access-control-allow-methods", b"GET, HEAD"), (b"access-control-max-age", b"600"),
            (b"access-control-allow-headers", b"Authorization, X-API-Key, If-None-Match, Accept, Range, If-Range"),
        ]  # fmt: skip
        await sent.answer(204, allowed, b"")
        return 204

    async def _lifespan(self, scope: Any, receive: Any, send: Any) -> None:
        """Start what runs in the background, and stop it."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def start(self) -> None:
        """Read the keys, look for the snapshot (which may go on for as long as its file is built), and keep looking."""
        sys.setswitchinterval(0.001)  # a thread that computes lets the others in five times as often
        gc.collect()
        gc.freeze()  # what was imported stays: no collection needs to look at it again
        gc.set_threshold(20_000, 20, 20)
        works = (self.authenticator.read_keys, self.authenticator.fetch_keys, self._write_metrics)
        await asyncio.gather(*(self._try(work) for work in works))
        self._tasks = [asyncio.create_task(self._every_second(work)) for work in (*works, self.snapshots.watch)]
        for _ in range(100):
            if self.snapshots.current is not None or self.snapshots.problem is not None:
                break
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End what runs in the background."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.snapshots.close()
        self._thread.shutdown(wait=False, cancel_futures=True)
        await self.quotas.close()

    async def _every_second(self, work: Work) -> None:
        while True:  # each work in a task of its own: an issuer that is slow must not keep a revoked key good
            await self._try(work)
            await asyncio.sleep(_SECOND)

    async def _try(self, work: Work) -> None:
        try:
            await work()
        except Exception as problem:  # it is tried again in a second; until then what is known stays good
            _log.warning("%s: %s: %s", work.__qualname__, type(problem).__name__, problem)

    async def _write_metrics(self) -> None:
        self.metrics.write()


def _size(answer: Answer) -> int:
    return len(answer.body) + sum(len(value) for _, value in answer.headers) + 500  # a link can be long


class Sent:
    """What is sent to a client: no body where it asked for the headers only, and what every answer to it has."""

    __slots__ = ("_always", "_is_head", "_send", "started")

    def __init__(self, send: Any, method: str, always: Headers):
        self._send, self._is_head, self._always, self.started = send, method == "HEAD", always, False

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Send all of it."""
        await self.start(status, headers)
        await self._send({"type": "http.response.body", "body": b"" if self._is_head else body})

    async def start(self, status: int, headers: Headers) -> None:
        """Send status and headers."""
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *self._always]})

    async def body(self, body: bytes, more: bool) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": b"" if self._is_head else body, "more_body": more})


def _cors(origin: bytes | None) -> Headers:
    """For an origin that may read answers, or any other: a shared cache must not give one the answer of the other."""
    vary = (b"vary", b"Origin")
    if origin is None:
        return [vary]
    return [vary, (b"access-control-allow-origin", origin), (b"access-control-expose-headers", _EXPOSED)]


def application() -> Api:
    """The application with the settings of the environment."""
    return Api(settings())
