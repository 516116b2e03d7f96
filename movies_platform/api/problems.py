"""What is wrong with a request, as problem+json (RFC 9457)."""

from http import HTTPStatus
from typing import Any

import orjson

MEDIA_TYPE = b"application/problem+json"


class Problem(Exception):  # RFC 9457's word
    """An answer that is an error: its status, a sentence that says what to do, further members and headers."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None, **members: Any):
        super().__init__(detail)
        self.status, self.detail, self.headers, self.members = status, detail, headers or {}, members

    def body(self) -> bytes:
        """The problem as JSON."""
        title = HTTPStatus(self.status).phrase
        return orjson.dumps({"type": "about:blank", "title": title, "status": self.status, "detail": self.detail,
                             **self.members})  # fmt: skip

    def header_list(self) -> list[tuple[bytes, bytes]]:
        """Its headers, without the length."""
        given = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        return [(b"content-type", MEDIA_TYPE), (b"cache-control", b"no-store"), *given]
