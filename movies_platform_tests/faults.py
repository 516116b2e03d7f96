"""A proxy before an HTTP server that does what networks and servers do on a bad day; and a hook that hears messages."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "host"}


class FaultyProxy:
    """Passes requests on to `target`, except as told.

    `share` of the requests (in turn, not by chance) fail in `mode`: "500" answers so, "drop" closes the
    connection in the middle of the answer, "slow" waits a second. `hold` stops the first request that it is true
    of until it is let go, and sets `held`.
    """

    def __init__(self, target: str):
        self.target = urlsplit(target).netloc
        self.mode, self.share = "pass", 0.0
        self.hold: Callable[[str, str, Any], bool] | None = None
        self.held, self.released = threading.Event(), threading.Event()
        self.faults = 0
        self._turn = 0.0
        self._guard = threading.Lock()

    def fails(self) -> bool:
        """Whether it is this request's turn to fail."""
        with self._guard:
            self._turn += self.share if self.mode != "pass" else 0
            turn = self._turn >= 1
            self._turn -= turn
            self.faults += turn
            return turn

    def misbehave(self, mode: str, share: float = 0.0) -> None:
        """From now on."""
        self.mode, self.share = mode, share

    def hold_next(self, which: Callable[[str, str, Any], bool]) -> None:
        """Hold the next request of which this is true: given method, path and headers."""
        self.held.clear()
        self.released.clear()
        self.hold = which

    def let_go(self) -> None:
        """Let what is held go on."""
        self.released.set()


@contextmanager
def faulty_proxy(target: str) -> Iterator[tuple[str, FaultyProxy]]:
    """The proxy's URL, and the proxy to tell what to do."""
    proxy = FaultyProxy(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if proxy.hold and proxy.hold(self.command, self.path, self.headers):
                proxy.hold = None
                proxy.held.set()
                proxy.released.wait(3_600)
            fault = proxy.mode if proxy.fails() else "pass"
            if fault == "slow":
                time.sleep(1)
            if fault == "500":
                self.send_response(500)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            connection = http.client.HTTPConnection(proxy.target, timeout=60)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            connection.request(self.command, self.path, body or None, {**headers, "Host": proxy.target})
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP | {"content-length", "date", "server"}:
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            if fault == "drop":
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()
            elif self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with _serving(Handler) as url:
        yield url, proxy


@contextmanager
def listener() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An Apprise URL, and the messages that were sent to it: dicts with title and message."""
    heard: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with _serving(Handler) as url:
        yield url.replace("http://", "json://") + "/hook", heard


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Clients that were killed are what this is for."""

    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
