"""The processes of the API: a parent that answers `/metrics` and starts workers again, and workers that serve.

granian, because it drops clients that do not send their request in time, which uvicorn does not (docs/decisions/0014).
"""

import logging
import logging.config
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from movies_platform.errors import MoviesPlatformError, SettingsError
from movies_platform.settings import settings

if TYPE_CHECKING:
    from movies_platform.api.app import Api

HEADER_SECONDS = 10  # for a client to send its request's headers
STOP_SECONDS = 20  # for requests that run when the server is stopped
_BUFFER = 64 * 1024  # bytes of headers; the application refuses sooner, with a reason
_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {"_granian": {"level": "INFO"}, "granian.access": {"level": "INFO"}},
}  # fmt: skip
_log = logging.getLogger(__name__)


def serve(host: str, port: int, workers: int, *, access_log: bool = False) -> None:
    """Serve until a signal says to stop; requests that run are answered first.

    Raises SettingsError for settings that do not go together, and for an address that cannot be served on.
    """
    from movies_platform.api import auth, monitoring

    chosen = settings()
    auth.check(chosen, host)
    address = _free_address(host, port)
    if chosen.api_metrics_port == port:
        raise SettingsError(f"MOVIES_API_METRICS_PORT={port} is --port too. Choose another, or 0 for none.")
    folder = tempfile.mkdtemp(prefix="movies-api-metrics-")
    os.environ[monitoring.FOLDER] = folder
    try:
        from granian import Granian
        from granian.constants import HTTPModes, Interfaces, Loops
        from granian.http import HTTP1Settings

        logging.config.dictConfig(_LOGGING)
        multiprocessing.set_start_method("spawn", force=True)  # a fork would copy the thread that answers /metrics
        if chosen.api_metrics_port:
            try:
                monitoring.serve(address, chosen.api_metrics_port, Path(folder))
            except OSError as problem:
                raise SettingsError(
                    f"MOVIES_API_METRICS_PORT={chosen.api_metrics_port} cannot be used ({problem.strerror}). "
                    "Choose another, or 0 for none."
                ) from problem
        _prepare()
        Granian(
            "movies_platform.api.server:worker", address, port, factory=True, workers=workers,
            interface=Interfaces.ASGI, loop=Loops.uvloop, http=HTTPModes.http1, websockets=False,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1_000, max_buffer_size=_BUFFER),
            respawn_failed_workers=True, workers_kill_timeout=STOP_SECONDS, log_access=access_log,
            log_dictconfig=_LOGGING,
        ).serve()  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_address(host: str, port: int) -> str:
    """The IP address of a host, which is free: workers share the port, so that they would with another server's."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a stopped server may linger
            tried.bind(place)
    except OSError as problem:
        raise SettingsError(
            f"--host {host} --port {port} cannot be served on ({problem.strerror}). Choose another."
        ) from problem
    return str(place[0])


def worker() -> "Api":
    """The application in a worker process, which ends when its parent is gone."""
    from movies_platform.api.app import application

    threading.Thread(target=_end_with_parent, daemon=True).start()
    return application()


def _end_with_parent() -> None:
    """Stop as the parent would have it: without one, this worker would serve on beside those of the next server."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os._exit(1)


def _prepare() -> None:
    """Build the file of the latest snapshot before workers start, where it can be had; later they look themselves."""
    from movies_platform.api.index import prepared
    from movies_platform.published.read import latest_snapshot
    from movies_platform.published.store import open_store

    chosen = settings()
    try:
        prepared(latest_snapshot(open_store(chosen.published)), Path(chosen.api_cache))
    except MoviesPlatformError as problem:
        _log.warning("%s", problem)
    except Exception as problem:  # the store is away
        _log.warning("%s cannot be read: %s", chosen.published, problem)
