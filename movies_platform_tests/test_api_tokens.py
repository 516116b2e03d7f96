"""JWTs of an issuer that runs here: which are good, new keys, an outage."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from movies_platform_tests.api import InProcess, in_process, serve_from
from movies_platform_tests.published_states import State

AUDIENCE = "movies"


class TestIssuer:
    """An OIDC issuer that can go away and change its keys."""

    __test__ = False

    def __init__(self) -> None:
        self.keys: dict[str, tuple[Any, str]] = {}
        self.is_away = False
        self.asked = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                if issuer.is_away:
                    self.send_error(503)
                    return
                found = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"}
                body = json.dumps({"keys": issuer.public()} if self.path == "/keys" else found).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def public(self) -> list[dict[str, Any]]:
        found = []
        for name, (key, algorithm) in self.keys.items():
            kind = RSAAlgorithm if algorithm == "RS256" else ECAlgorithm
            found.append({**kind.to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig", "alg": algorithm})
        return found

    def add(self, name: str, algorithm: str = "RS256") -> None:
        key = rsa.generate_private_key(65537, 2048) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())
        self.keys[name] = (key, algorithm)

    def token(self, name: str, **claims: Any) -> str:
        key, algorithm = self.keys[name]
        return signed(key, algorithm, name, {"iss": self.url} | claims)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def signed(key: Any, algorithm: str, name: str, claims: dict[str, Any]) -> str:
    given = {"sub": "someone", "aud": AUDIENCE, "exp": time.time() + 600} | claims
    given = {claim: value for claim, value in given.items() if value is not None}
    return jwt.encode(given, key, algorithm=algorithm, headers={"kid": name})


def nested(depth: int) -> str:
    """A token whose header is a list in a list in a list ..."""
    return base64.urlsafe_b64encode(b"[" * depth).decode() + ".e30.AAAA"


@pytest.fixture
def issuer() -> Iterator[TestIssuer]:
    running = TestIssuer()
    running.add("first")
    running.add("curve", "ES256")
    yield running
    running.close()


@pytest.fixture
def locked(
    issuer: TestIssuer, states: tuple[State, State], api_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InProcess]:
    serve_from(monkeypatch, states[1].published, api_cache)
    monkeypatch.setenv("MOVIES_API_AUTH", "jwt")
    monkeypatch.setenv("MOVIES_API_ISSUER", issuer.url)
    monkeypatch.setenv("MOVIES_API_AUDIENCE", AUDIENCE)
    with in_process() as api:
        yield api


def status(api: InProcess, token: str) -> int:
    return api.get("/v1/genres", authorization=f"Bearer {token}").status


@pytest.mark.parametrize("key", ["first", "curve"])
def test_a_good_token_is_let_in(key: str, locked: InProcess, issuer: TestIssuer):
    assert status(locked, issuer.token(key)) == 200
    assert status(locked, issuer.token(key, aud=["others", AUDIENCE])) == 200
    assert status(locked, issuer.token(key, sub=None, client_id="a service")) == 200


def test_any_other_token_is_refused(locked: InProcess, issuer: TestIssuer):
    now = time.time()
    wrong = [
        issuer.token("first", aud="others"),
        issuer.token("first", aud=None),
        issuer.token("first", iss="http://127.0.0.1:1"),
        issuer.token("first", exp=now - 1),
        issuer.token("first", exp=None),
        issuer.token("first", nbf=now + 600),
        issuer.token("first", sub=None),
        signed("", "none", "first", {"iss": issuer.url}),
        signed("a secret of at least thirty-two bytes", "HS256", "first", {"iss": issuer.url}),
        signed(issuer.keys["curve"][0], "ES256", "first", {"iss": issuer.url}),
        signed(rsa.generate_private_key(65537, 2048), "RS256", "first", {"iss": issuer.url}),
        signed(issuer.keys["first"][0], "RS512", "first", {"iss": issuer.url}),
        issuer.token("first")[:-6] + "AAAAAA",
        issuer.token("first", exp=10**400),
        issuer.token("first", exp=float("inf")),
        issuer.token("first", nbf=float("inf")),
        issuer.token("first", iat=float("nan")),
        issuer.token("first", sub=5),
        nested(10_000),
        "mp_no-token",
        "a.b.c",
    ]
    assert [status(locked, token) for token in wrong] == [401] * len(wrong)
    problem = locked.get("/v1/genres", authorization=f"Bearer {wrong[3]}")
    assert "expired" in problem.problem(401)
    assert 'error="invalid_token"' in problem.headers["www-authenticate"]


def test_a_new_key_is_good_at_once_and_an_old_one_is_not_for_long(
    locked: InProcess, issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch
):
    old = issuer.token("first")
    assert status(locked, old) == 200
    monkeypatch.setattr("movies_platform.api.auth._RETRY_SECONDS", 0.0)
    issuer.add("second")
    assert status(locked, issuer.token("second")) == 200
    del issuer.keys["first"]
    monkeypatch.setattr("movies_platform.api.auth.Issuer.refresh.__defaults__", (0.0,))
    locked.run(locked.api.authenticator.fetch_keys())
    assert status(locked, old) == 401
    assert status(locked, issuer.token("second")) == 200


def test_a_withdrawn_key_is_refused_as_soon_as_its_successor_is_seen(
    locked: InProcess, issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch
):
    old = issuer.token("first")
    assert status(locked, old) == 200
    del issuer.keys["first"]
    issuer.add("second")
    monkeypatch.setattr("movies_platform.api.auth._RETRY_SECONDS", 0.0)
    assert status(locked, issuer.token("second")) == 200
    assert status(locked, old) == 401


def test_a_withdrawn_key_is_refused_while_the_file_of_keys_is_damaged(
    issuer: TestIssuer, states: tuple[State, State], api_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    serve_from(monkeypatch, states[1].published, api_cache)
    for name, value in (("AUTH", "both"), ("ISSUER", issuer.url), ("AUDIENCE", AUDIENCE), ("KEYS", tmp_path / "keys")):
        monkeypatch.setenv(f"MOVIES_API_{name}", str(value))
    monkeypatch.setattr("movies_platform.api.app._SECOND", 0.01)
    with in_process() as api:
        old = issuer.token("first")
        assert status(api, old) == 200
        (tmp_path / "keys").write_text("nothing")
        del issuer.keys["first"]
        monkeypatch.setattr("movies_platform.api.auth.Issuer.refresh.__defaults__", (0.0,))
        api.wait_for(lambda: status(api, old) == 401)


def test_an_issuer_that_answers_nonsense_is_as_good_as_down(
    locked: InProcess, issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("movies_platform.api.auth._RETRY_SECONDS", 0.0)
    monkeypatch.setattr(issuer, "public", lambda: ["nonsense"])
    assert status(locked, signed(issuer.keys["first"][0], "RS256", "new", {"iss": issuer.url})) == 401
    assert status(locked, issuer.token("first")) == 200


def test_unknown_keys_do_not_make_us_ask_the_issuer_each_time(locked: InProcess, issuer: TestIssuer):
    before = issuer.asked
    stranger = rsa.generate_private_key(65537, 2048)
    for number in range(20):
        assert status(locked, signed(stranger, "RS256", f"unknown-{number}", {"iss": issuer.url})) == 401
    assert issuer.asked - before <= 2


def test_known_keys_stay_good_while_the_issuer_is_down(
    locked: InProcess, issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch
):
    assert status(locked, issuer.token("first")) == 200
    issuer.is_away = True
    monkeypatch.setattr("movies_platform.api.auth.Issuer.refresh.__defaults__", (0.0,))
    locked.run(locked.api.authenticator.fetch_keys())
    assert status(locked, issuer.token("first", sub="another")) == 200
    assert status(locked, signed(issuer.keys["first"][0], "RS256", "new", {"iss": issuer.url})) == 401


def test_without_any_key_the_issuer_is_said_to_be_away(
    issuer: TestIssuer, states: tuple[State, State], api_cache: Path, monkeypatch: pytest.MonkeyPatch
):
    issuer.is_away = True
    serve_from(monkeypatch, states[1].published, api_cache)
    for name, value in (("AUTH", "both"), ("ISSUER", issuer.url), ("AUDIENCE", AUDIENCE)):
        monkeypatch.setenv(f"MOVIES_API_{name}", value)
    with in_process() as api:
        got = api.get("/v1/genres", authorization=f"Bearer {issuer.token('first')}")
        assert "cannot be reached" in got.problem(503)
        issuer.is_away = False
        monkeypatch.setattr("movies_platform.api.auth._RETRY_SECONDS", 0.0)
        assert status(api, issuer.token("first")) == 200
