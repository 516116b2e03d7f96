"""Contracts -> the OpenAPI document (3.1): types, meanings, ranges, errors, examples."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa

from movies_platform.api.files import FORMS
from movies_platform.api.questions import LIMIT, LONGEST, MOST, MOST_SORTED, SNAPSHOT
from movies_platform.api.tables import Filter, Table, related, served_tables
from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.published import MONTHLY
from movies_platform.contracts.tables import key_of, qualified

Schema = dict[str, Any]
_LARGEST = 2**63 - 1
_ABOUT = """\
Read-only answers about movies, companies and genres, from the latest published snapshot.

- Every answer names its `snapshot`. `page.next_cursor` (and the header `Link`) leads to the next page of the same one.
- A new snapshot appears by itself. `snapshot=...` asks one of those that are kept: such an answer never changes.
- Send `If-None-Match` with the ETag of an answer that you have: 304 costs nothing of your quota.
- Rows come as JSON, or as CSV where you `Accept: text/csv`. Errors are problem+json.
- Amounts are US dollars of their year. `null` means unknown. A movie counts in full for each of its genres and
  companies in `..._usd`; only `..._share_usd` may be added up.
"""
_ERRORS = {
    "400": "A parameter is unknown, repeated or wrong; `known` names what there is.",
    "401": "No API key or token, or one that is not good.",
    "404": "There is nothing with that id or name.",
    "406": "Neither JSON nor CSV is accepted.",
    "410": "The snapshot that is named is not kept any more.",
    "429": "The quota of this minute is used up; `Retry-After` says when to go on.",
    "503": "No snapshot can be served, or the question takes too long.",
}
_EXAMPLES: dict[str, Any] = {"year": 1995, "month": "2017-11", "limit": 10}


def document(served: Iterable[str] | None, auth: str) -> Schema:
    """The document of the tables that are served (None: all)."""
    tables = [table for name, table in served_tables().items() if served is None or name in served]
    found = {table.name for table in tables}
    paths: dict[str, Schema] = {}
    for table in tables:
        paths[table.path] = _operation(table, f"list_{table.name}", _first_line(table), _list(table),
                                       _page_schema(table), ("400", "406", "410", "503"))  # fmt: skip
        if table.key:
            own = f"{table.path}/{{{table.key}}}"
            key = {"name": table.key, "in": "path", "required": True, "schema": _key_schema(table),
                   "description": table.contract.columns[table.key].comment}  # fmt: skip
            shown = [key, _fields(table), _SNAPSHOT]
            paths[own] = _operation(table, f"get_{table.name}", f"One of {table.name}.", shown, _row_schema(table),
                                    ("400", "404", "406", "410", "503"))  # fmt: skip
            for each in related(table.name):
                if each.table.name in found:
                    paths[f"{own}/{each.path}"] = _operation(
                        table, f"list_{each.path}_of_{table.name}", f"{_first_line(each.table)} Of one {table.kind}.",
                        [key, *(p for p in _list(each.table) if p["name"] != each.by)], _page_schema(each.table),
                        ("400", "404", "406", "410", "503"),
                    )  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {"title": "movies_platform", "version": version("movies-platform"), "description": _ABOUT},
        "paths": {**paths, **_others(found)},
        "components": {
            "schemas": {table.name: schema(table) for table in tables} | {"Problem": _PROBLEM},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a JWT of the issuer."},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
        "security": [] if auth == "none" else [{"bearer": []}] if auth == "jwt" else [{"bearer": []}, {"key": []}],
    }


def described(table: Table, rows: int) -> Schema:
    """A table for the catalogue of metrics: what it means, what its columns mean, how it is asked."""
    return {
        "name": table.name, "path": table.path, "meaning": table.contract.comment, "rows": rows,
        "key": key_of(table.contract), "parameters": list(table.parameters),
        "columns": [
            {"name": c.name, "type": column_type(c), "meaning": c.comment, "nullable": bool(c.nullable),
             "at_least": c.info.get("at_least"), "one_of": list(c.info.get("one_of") or ()) or None}
            for c in table.columns
        ],
        "files": [f"/v1/tables/{table.name}.{form}" for form in FORMS],
    }  # fmt: skip


def schema(table: Table) -> Schema:
    """A row as JSON Schema."""
    own = {column.name for column in table.contract.columns}
    return {
        "type": "object", "description": table.contract.comment,
        "properties": {str(c.name): column_schema(c, nullable=c.name not in own) for c in table.columns},
    }  # fmt: skip


def column_schema(column: sa.Column[Any], *, nullable: bool = False) -> Schema:
    """A column's values as JSON Schema; `nullable` also where its contract says that it has always one."""
    kinds: dict[type[Any], Schema] = {
        sa.Text: {"type": "string"}, sa.BigInteger: {"type": "integer", "format": "int64"},
        sa.Double: {"type": "number"}, sa.Date: {"type": "string", "format": "date"},
        sa.DateTime: {"type": "string", "format": "date-time"}, sa.Boolean: {"type": "boolean"},
    }  # fmt: skip
    found = {**next(kind for known, kind in kinds.items() if isinstance(column.type, known))}
    can_be_null = nullable or bool(column.nullable)
    if choices := column.info.get("one_of"):
        found["enum"] = [*choices, None] if can_be_null else [*choices]
    if (least := column.info.get("at_least")) is not None:
        found["minimum"] = least
    if can_be_null:
        found["type"] = [found["type"], "null"]
    return {**found, "description": column.comment}


def _first_line(table: Table) -> str:
    return str(table.contract.comment).split("\n")[0]


def _operation(
    table: Table, name: str, summary: str, given: list[Schema], answer: Schema, errors: tuple[str, ...]
) -> Schema:
    headers = {
        "ETag": {"schema": {"type": "string"}, "description": "identifies this answer of this snapshot"},
        "Link": {"schema": {"type": "string"}, "description": "rel=next: the next page"},
    }
    content = {"application/json": {"schema": answer}, "text/csv": {"schema": {"type": "string"}}}
    responses = {"200": {"description": "The answer.", "headers": headers, "content": content},
                 "304": {"description": "It is as it was (If-None-Match)."}, **_errors(*errors)}  # fmt: skip
    tag = "metrics" if table.contract.schema == "metrics" else table.name
    return {"get": {"operationId": name, "summary": summary, "tags": [tag], "parameters": given,
                    "responses": responses}}  # fmt: skip


def _errors(*statuses: str) -> Schema:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": _ERRORS[status], "content": problem} for status in sorted({*statuses, "401", "429"})
    }


def _list(table: Table) -> list[Schema]:
    """The parameters of a page of the table's rows."""
    found = []
    for name, meaning in zip(table.times, ("", "from", "to"), strict=False):
        is_year = table.time_name == "year"
        kind = {"type": "integer", "minimum": 0, "maximum": 9999} if is_year else \
               {"type": "string", "pattern": r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$"}  # fmt: skip
        what = {"from": f"from this {table.time_name} on", "to": f"to this {table.time_name}, which is included"}.get(
            meaning, f"only this {table.time_name}"
        )
        found.append(_parameter(name, kind, what, _EXAMPLES.get(name.split("_")[0])))
    found += [_parameter(each.name, _filter_schema(each), _filter_meaning(each)) for each in table.filters.values()]
    if table.searched:
        part = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": r"\S"}
        found.append(_parameter("q", part, f"a part of {' or '.join(table.searched)}; accents and case do not count; "
                                "the best matches come first unless sort is given"))  # fmt: skip
    columns = "|".join(table.names)
    by = {"type": "string", "pattern": rf"^-?({columns})(,-?({columns})){{0,{MOST_SORTED - 1}}}$"}
    return [
        *found,
        _parameter("sort", by, "columns, separated by commas, each once; - in front means descending; null comes last"),
        _fields(table),
        _parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}, "rows of a page", 10),
        _parameter("cursor", {"type": "string", "pattern": rf"^{SNAPSHOT.pattern}~[0-9]{{1,12}}~[0-9a-f]{{12}}$"},
                   "page.next_cursor of the page before; all other parameters stay as they were"),
        _SNAPSHOT,
    ]  # fmt: skip


def _fields(table: Table) -> Schema:
    columns = "|".join(table.names)
    kind = {"type": "string", "pattern": f"^({columns})(,({columns}))*$"}
    return _parameter("fields", kind, "only these columns, separated by commas, each once")


def _filter_schema(each: Filter) -> Schema:
    if each.choices:
        return {"type": "string", "enum": [*each.choices]}
    return {"type": "string", "minLength": 1, "maxLength": LONGEST}


def _filter_meaning(each: Filter) -> str:
    if each.refers_to:
        return f"id or name of one of {each.refers_to}; accents and case do not count"
    return str(each.column.comment)


def _parameter(name: str, kind: Schema, meaning: str, example: Any = None) -> Schema:
    found = {"name": name, "in": "query", "required": False, "schema": kind, "description": meaning}
    return found if example is None else {**found, "example": example}


def _key_schema(table: Table) -> Schema:
    kind = column_schema(table.contract.columns[table.key or ""])
    return {"type": "string", "minLength": 1} if kind["type"] == "string" else \
           {"type": "integer", "minimum": kind.get("minimum", 0), "maximum": _LARGEST}  # fmt: skip


def _row_schema(table: Table) -> Schema:
    return _envelope({"$ref": f"#/components/schemas/{table.name}"})


def _page_schema(table: Table) -> Schema:
    page = {
        "type": "object", "required": ["limit", "count", "next_cursor"],
        "properties": {
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST},
            "count": {"type": "integer", "minimum": 0, "maximum": MOST, "description": "rows of this page"},
            "next_cursor": {"type": ["string", "null"], "description": "leads to the next page; null on the last"},
        },
    }  # fmt: skip
    return _envelope({"type": "array", "items": {"$ref": f"#/components/schemas/{table.name}"}}, page=page)


def _envelope(data: Schema, **more: Schema) -> Schema:
    named = {"data": data, **more, "snapshot": {"type": "string", "description": "the snapshot that answered"}}
    return {"type": "object", "required": list(named), "properties": named}


_SNAPSHOT = _parameter("snapshot", {"type": "string", "pattern": f"^{SNAPSHOT.pattern}$"},
                       "a kept snapshot, as /v1/snapshots lists them; without it, the latest")  # fmt: skip
_PROBLEM: Schema = {
    "type": "object", "description": "An error (RFC 9457).", "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what is wrong, and what to do"},
        "parameter": {"type": "string", "description": "which parameter is meant"},
        "known": {"type": "array", "description": "what there is"},
    },
}  # fmt: skip


def _others(found: set[str]) -> dict[str, Schema]:
    """The routes that are not about rows."""
    objects = _envelope({"type": "array", "items": {"type": "object"}})
    one = _envelope({"type": "object"})
    paths = {
        "/v1/metrics": _plain("list_metrics", "metrics", "Every metric with its meaning, columns and parameters.",
                              objects, [_SNAPSHOT], "400", "410", "503"),
        "/v1/snapshots": _plain("list_snapshots", "snapshots", "The snapshots that can be asked, newest first.",
                                objects, [], "400", "503"),
        "/v1/snapshots/latest": _plain("get_latest_snapshot", "snapshots", "The snapshot that is served.", one, [],
                                       "400", "503"),
        "/v1/tables": _plain("list_tables", "files", "Every published file with its size and digest.", objects,
                             [_SNAPSHOT], "400", "410", "503"),
        "/livez": _plain("livez", "health", "Whether the process answers.", {"type": "object"}, []),
        "/readyz": _plain("readyz", "health", "Which snapshot is served, and when the store was last seen.",
                          {"type": "object"}, []),
    }  # fmt: skip
    for path in ("/livez", "/readyz"):
        paths[path]["get"]["security"] = []
        paths[path]["get"]["responses"] = {"200": paths[path]["get"]["responses"]["200"]}
    paths["/readyz"]["get"]["responses"]["503"] = {
        "description": "There is no snapshot yet.", "content": {"application/json": {"schema": {"type": "object"}}},
    }  # fmt: skip
    monthly = {table.name for table in MONTHLY}
    for table in served_tables().values():
        for form, kind in FORMS.items():
            month = []
            if table.name in monthly:
                pattern = {"type": "string", "pattern": r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$"}
                month = [{**_parameter("month", pattern, "month of delivery: each has a file"), "required": True}]
            operation = _plain(f"file_{table.name}_{form.replace('.', '_')}", "files",
                               f"{qualified(table.contract)} as a file; ranges are possible.", {}, [*month, _SNAPSHOT],
                               "400", "404", "410", "503")  # fmt: skip
            content = {kind: {"schema": {"type": "string", "format": "binary"}}}
            operation["get"]["responses"]["200"] = {"description": "The whole file.", "content": content}
            operation["get"]["responses"]["206"] = {"description": "The range that was asked for.", "content": content}
            paths[f"/v1/tables/{table.name}.{form}"] = operation
    return paths


def _plain(name: str, tag: str, summary: str, answer: Schema, given: list[Schema], *errors: str) -> Schema:
    content = {"application/json": {"schema": answer}}
    responses = {"200": {"description": "The answer.", "content": content}, **_errors(*errors)}
    return {"get": {"operationId": name, "tags": [tag], "summary": summary, "parameters": given,
                    "responses": responses}}  # fmt: skip
