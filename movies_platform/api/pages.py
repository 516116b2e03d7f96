"""Everything but rows: catalogues, files, the OpenAPI document, the pages for people, the service's health."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, Router

from movies_platform.api import files, openapi
from movies_platform.api.problems import Problem
from movies_platform.api.questions import parameters, snapshot_of
from movies_platform.api.tables import metrics
from movies_platform.published.read import Snapshot

if TYPE_CHECKING:
    from movies_platform.api.app import Api

SITE = Path(__file__).parent / "site"
_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
          ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}  # fmt: skip
_POLICY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
_UNIT_BYTES = 1_000_000  # of a file, for a unit of the quota


def router(api: "Api") -> Router:
    """The routes, over one application."""
    documents: dict[Any, bytes] = {}

    async def livez(_: Request) -> Response:
        return _json({"status": "alive"})

    async def readyz(_: Request) -> Response:
        snapshots, opened = api.snapshots, api.snapshots.current
        seen = snapshots.seen_at
        return _json(
            {
                "status": "ready" if opened else "not ready",
                "snapshot": opened and opened.snapshot,
                "published_at": opened and opened.published_at,
                "store": {
                    "last_seen_seconds_ago": None if seen is None else round(time.time() - seen, 1),
                    "problem": snapshots.problem,
                },
            },
            200 if opened else 503,
        )

    async def list_metrics(request: Request) -> Response:
        opened, _ = await _chosen(request)
        shown = [openapi.described(table, opened.rows[table.name]) for table in metrics() if table.name in opened.rows]
        return await _data(request, shown, opened.snapshot)

    async def list_tables(request: Request) -> Response:
        opened, snapshot = await _chosen(request)
        return await _data(request, files.listed(snapshot), opened.snapshot)

    async def list_snapshots(request: Request) -> Response:
        _expect(request)
        shown = [_shown(each) for each in await api.snapshots.kept()]
        return await _data(request, shown, _current().snapshot)

    async def latest_snapshot(request: Request) -> Response:
        _expect(request)
        opened = _current()
        return await _data(request, _shown(api.snapshots.snapshot(opened.snapshot)), opened.snapshot)

    async def send_file(request: Request) -> Response:
        _, snapshot = await _chosen(request, "month")
        given = parameters(request.scope["query_string"])
        file = files.file_of(snapshot, request.path_params["file"], given.get("month"))
        part = files.wanted(file, request.headers.get("range"), request.headers.get("if-range"))
        headers = files.headers_of(file, part, "snapshot" in given, api.scope.decode())
        if files.etag(file) in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={name: headers[name] for name in ("etag", "cache-control")})
        quota = await request.scope["charge"](1 + (part[1] if part else file.bytes) // _UNIT_BYTES)
        headers |= {name.decode(): value.decode() for name, value in quota}
        status = 206 if part else 200
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        return StreamingResponse(await files.blocks(snapshot, file, part), status, headers)

    async def document(request: Request) -> Response:
        opened = api.snapshots.current
        served = frozenset(opened.rows) if opened else None
        if served not in documents:
            documents[served] = orjson.dumps(openapi.document(served, api.settings.api_auth))
        return Response(documents[served], media_type="application/json", headers={"cache-control": "no-cache"})

    def _current() -> Any:
        if api.snapshots.current is None:
            raise Problem(503, f"No snapshot can be served yet: {api.snapshots.problem}.", {"Retry-After": "5"})
        return api.snapshots.current

    async def _chosen(request: Request, *more: str) -> tuple[Any, Snapshot]:
        given = _expect(request, "snapshot", *more)
        named = snapshot_of(given)
        opened = _current()
        if named not in (None, opened.snapshot):
            opened = await api.snapshots.named(named or "")
        return opened, api.snapshots.snapshot(opened.snapshot)

    async def _data(request: Request, data: Any, snapshot: str) -> Response:
        quota = await request.scope["charge"](1)
        return _json({"data": data, "snapshot": snapshot}, headers=quota)

    async def missing(scope: Any, receive: Any, send: Any) -> None:
        raise Problem(404, f"There is nothing at {scope['path'][:200]!r}. /docs shows what there is.")

    pages = {"/": "index.html", "/docs": "docs.html"}
    pages |= {f"/site/{file.name}": file.name for file in SITE.iterdir() if file.suffix in _TYPES}
    endpoints = {
        "/livez": livez, "/readyz": readyz, "/openapi.json": document,
        "/v1/metrics": list_metrics, "/v1/tables": list_tables, "/v1/tables/{file}": send_file,
        "/v1/snapshots": list_snapshots, "/v1/snapshots/latest": latest_snapshot,
    }  # fmt: skip
    endpoints |= {path: _page(SITE / name) for path, name in pages.items()}
    routes = [Route(path, _noted(path, endpoint), methods=["GET"]) for path, endpoint in endpoints.items()]
    return Router(routes, default=missing, redirect_slashes=False)


def _noted(path: str, endpoint: Any) -> Any:
    """The endpoint, which says in the request's scope which route it is, for the metrics."""

    async def noted(request: Request) -> Response:
        request.scope["served"] = path
        answer: Response = await endpoint(request)
        return answer

    return noted


def _page(file: Path) -> Any:
    content, kind = file.read_bytes(), _TYPES[file.suffix]

    async def page(_: Request) -> Response:
        return Response(content, headers={**_POLICY, "content-type": kind})

    return page


def _expect(request: Request, *known: str) -> dict[str, str]:
    given = parameters(request.scope["query_string"])
    for name in given:
        if name not in known:
            raise Problem(400, f"There is no parameter {name!r} here. Known: {', '.join(known) or 'none'}.",
                          parameter=name, known=list(known))  # fmt: skip
    return given


def _shown(snapshot: Snapshot) -> dict[str, Any]:
    manifest = snapshot.manifest
    tables = {name: {"rows": content.rows, "sha256": content.sha256} for name, content in manifest.tables.items()}
    return {"snapshot": manifest.snapshot, "published_at": manifest.published_at, "months": manifest.months,
            "tables": tables}  # fmt: skip


def _json(content: Any, status: int = 200, headers: Any = ()) -> Response:
    named = {name.decode(): value.decode() for name, value in headers}
    return Response(orjson.dumps(content), status, {"cache-control": "no-store", **named}, "application/json")
