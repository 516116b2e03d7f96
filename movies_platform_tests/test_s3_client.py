"""Answers of S3 that break off are asked for again, wherever they do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from movies_platform.resources import s3
from movies_platform_tests.buckets import speak_to

ANSWER = (
    b'HTTP/1.1 200 OK\r\nETag: "0123456789abcdef0123456789abcdef"\r\nContent-Type: text/csv\r\n'
    b"Last-Modified: Sat, 28 Nov 2026 08:00:00 GMT\r\nx-amz-meta-a: b\r\nContent-Length: 10\r\n\r\n0123456789"
)
STATUS = ANSWER.index(b"\r\n") + 2


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """A server that gives one answer after the other, each on a connection of its own; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize("length", range(STATUS, len(ANSWER), 4))
def test_an_answer_that_breaks_off_anywhere_is_asked_for_again(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_PAUSES", (0.0,))
    with answering(ANSWER[:length], ANSWER) as url:
        speak_to(url, monkeypatch)
        client = s3.s3_client()
        assert s3.whole_body(lambda: client.get_object(Bucket="b", Key="k")) == b"0123456789"
