"""Who asks: API keys from a file of digests, and JWTs of an OIDC issuer.

A key is 32 random bytes, so that its SHA-256 is enough to keep. Tokens that were verified are kept in memory, for at
most five minutes; all are forgotten when the file of keys or the issuer's keys change.

The issuer's keys are fetched every 15 seconds and when a token names an unknown one; while the issuer is down, the
known ones stay good.
"""

import asyncio
import datetime as dt
import fcntl
import hashlib
import json
import logging
import os
import re
import secrets
import time
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from movies_platform.api.problems import Problem
from movies_platform.errors import SettingsError
from movies_platform.settings import Settings

PREFIX = "mp_"
ALGORITHMS = ["RS256", "ES256"]
_KEPT_SECONDS, _REMEMBERED = 300.0, 10_000
_REFRESH_SECONDS, _RETRY_SECONDS, _TIMEOUT_SECONDS = 15.0, 3.0, 5.0
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="movies"'}
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Caller:
    """Who asks: a name for quotas and logs, units a minute (None: the setting's), until when that is known."""

    name: str
    quota: int | None
    until: float  # seconds since 1970


@dataclass(frozen=True)
class Key:
    """An API key as it is kept: everything but the key. Times are ISO 8601, UTC where they name no time zone.

    Raises ValueError where it could not be used: another program may have written it.
    """

    id: str
    name: str
    sha256: str
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None
    quota: int | None = None

    def __post_init__(self) -> None:
        for name in ("id", "name", "sha256", "created_at"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} of the key {self.id!r} is not text")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"sha256 of the key {self.id!r} is not a digest in hexadecimal digits")
        for name in ("expires_at", "revoked_at"):
            try:
                _moment(getattr(self, name))
            except (ValueError, TypeError):
                raise ValueError(f"{name} of the key {self.id!r} is not a time, as 2027-01-31T12:00:00+00:00") from None
        if self.quota is not None and (type(self.quota) is not int or self.quota < 1):
            raise ValueError(f"quota of the key {self.id!r} is not a number of at least 1")


class KeyFile:
    """The file of keys; a missing one holds none. It is replaced in one step."""

    def __init__(self, path: Path):
        self.path = path

    def read(self) -> list[Key]:
        """Every key; raises SettingsError where the file is none of ours."""
        try:
            return [Key(**each) for each in json.loads(self.path.read_text(encoding="utf-8"))["keys"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError) as problem:
            raise SettingsError(
                f"MOVIES_API_KEYS: {self.path} is not a file that 'movies-platform keys' wrote ({problem})."
            ) from problem

    def create(self, name: str, quota: int | None = None, expires: dt.datetime | None = None) -> tuple[Key, str]:
        """Add a key; the key itself is returned, and kept nowhere. Raises SettingsError for an empty name."""
        if not name.strip():
            raise SettingsError("A key needs a name: who uses it, and what for.")
        text = PREFIX + secrets.token_urlsafe(32)
        until = None if expires is None else expires.isoformat(timespec="seconds")
        key = Key(secrets.token_hex(4), name, digest(text.encode()), _now(), until, quota=quota)
        self._change(lambda keys: [*keys, key])
        return key, text

    def revoke(self, identifier: str) -> Key:
        """Revoke a key by its id; raises SettingsError where there is none."""
        found = [key for key in self.read() if key.id == identifier]
        if not found:
            raise SettingsError(f"There is no key {identifier!r}. 'movies-platform keys list' shows all.")
        revoked = replace(found[0], revoked_at=found[0].revoked_at or _now())
        self._change(lambda keys: [revoked if key.id == identifier else key for key in keys])
        return revoked

    def _change(self, change: Callable[[list[Key]], list[Key]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(f".{self.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            content = {"keys": [asdict(key) for key in change(self.read())]}
            fresh.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            fresh.replace(self.path)

    def changed(self) -> tuple[int, int, int]:
        """Tells one content of the file from the next."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


class Issuer:
    """An OIDC issuer's public keys, from its discovery document.

    `forget` is called when they change: what was verified with a key that is withdrawn is not good any more.
    """

    def __init__(self, address: str, forget: Callable[[], None]):
        self.address, self._forget = address, forget
        self.keys: dict[str | None, Any] = {}
        self._content = b""
        self._tried = -_REFRESH_SECONDS
        self._fetching = asyncio.Lock()
        self.is_reachable = False

    async def key(self, identifier: str | None) -> Any:
        """The key of that id; an unknown one is looked for at the issuer. Raises Problem where there is none."""
        if identifier not in self.keys:
            await self.refresh(_RETRY_SECONDS)
        if identifier in self.keys:
            return self.keys[identifier]
        if not self.keys and not self.is_reachable:
            raise Problem(503, "The issuer of tokens cannot be reached. Try again later.", {"Retry-After": "10"})
        raise Problem(401, "The token is signed with a key that its issuer does not publish.", _CHALLENGE)

    async def refresh(self, older_than: float = _REFRESH_SECONDS) -> None:
        """Fetch the keys, unless that was tried within so many seconds."""
        async with self._fetching:  # who waited finds that it was just done
            if time.monotonic() - self._tried < older_than:
                return
            try:
                content = await asyncio.to_thread(self._fetch)
                keys = _public_keys(content)
                self.is_reachable = True
            except Exception as problem:  # of the network, or of what came through it, which can be anything
                self.is_reachable = False
                _log.warning("the keys of %s cannot be fetched (%s); the known ones stay good", self.address, problem)
                return
            finally:
                self._tried = time.monotonic()
            if content != self._content:
                self._content, self.keys = content, keys
                self._forget()

    def _fetch(self) -> bytes:
        found = json.loads(_get(f"{self.address.rstrip('/')}/.well-known/openid-configuration"))
        if found["issuer"] != self.address:
            raise ValueError(f"it calls itself {found['issuer']!r}")
        if self.address.startswith("https://") and not str(found["jwks_uri"]).startswith("https://"):
            raise ValueError("its keys are not served over https")
        return _get(found["jwks_uri"])


class Authenticator:
    """Tells who asks, by `MOVIES_API_AUTH`."""

    def __init__(self, chosen: Settings):
        self.mode = chosen.api_auth
        self._keys = KeyFile(chosen.api_keys) if self.mode in ("keys", "both") else None
        self._known: dict[str, Key] = {}
        self._changed: Any = None
        self._remembered: dict[bytes, Caller] = {}
        self._issuer = Issuer(chosen.api_issuer, self._remembered.clear) if self.mode in ("jwt", "both") else None
        self._audience = chosen.api_audience

    def remembered(self, token: bytes) -> Caller | None:
        """Who sent a token that was verified a short time ago."""
        caller = self._remembered.get(token)
        return caller if caller is not None and caller.until > time.time() else None

    async def caller(self, token: bytes | None) -> Caller:
        """Who sent the token; raises Problem where it is not good."""
        if not token:
            raise Problem(401, "Send an API key or a token: 'Authorization: Bearer ...'.", _CHALLENGE)
        if self._issuer is None or (self._keys is not None and token.startswith(PREFIX.encode())):
            caller = self._of_key(token)
        else:
            caller = await self._of_jwt(self._issuer, token)
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[token] = caller
        return caller

    async def read_keys(self) -> None:
        """Look whether the file has changed; what was verified with the old keys is verified again."""
        if self._keys is not None and (changed := self._keys.changed()) != self._changed:
            self._known = {key.sha256: key for key in await asyncio.to_thread(self._keys.read)}
            self._changed = changed
            self._remembered.clear()

    async def fetch_keys(self) -> None:
        """Fetch the issuer's keys, where that is due."""
        if self._issuer is not None:
            await self._issuer.refresh()

    def _of_key(self, token: bytes) -> Caller:
        key, now = self._known.get(digest(token)), dt.datetime.now(dt.UTC)
        if key is None or key.revoked_at is not None:
            raise Problem(401, "The API key is unknown or was revoked.", _CHALLENGE)
        until = _moment(key.expires_at)
        if until <= now:
            raise Problem(401, f"The API key has expired, at {key.expires_at}.", _CHALLENGE)
        return Caller(f"key:{key.id}", key.quota, min(until.timestamp(), time.time() + _KEPT_SECONDS))

    async def _of_jwt(self, issuer: Issuer, token: bytes) -> Caller:
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise Problem(401, f"The token must be signed by {' or '.join(ALGORITHMS)}.", _CHALLENGE)
            key = await issuer.key(header.get("kid"))
            claims = jwt.decode(
                token, key, algorithms=ALGORITHMS, audience=self._audience, issuer=issuer.address,
                options={"require": ["exp", "iss", "aud"]},
            )  # fmt: skip
            until = min(float(claims["exp"]), time.time() + _KEPT_SECONDS)
        except Problem:
            raise
        except Exception as problem:  # the library's, or of numbers and nesting that neither it nor Python can take
            challenge = {"WWW-Authenticate": f'{_CHALLENGE["WWW-Authenticate"]}, error="invalid_token"'}
            raise Problem(401, f"The token is not good: {problem}.", challenge) from problem
        name = next((str(claims[each]) for each in ("sub", "client_id", "azp") if claims.get(each)), None)
        if name is None:
            raise Problem(401, "The token does not say whose it is (sub).", _CHALLENGE)
        return Caller(f"jwt:{name}", None, until)


def check(chosen: Settings, host: str) -> None:
    """Raise SettingsError where the settings of who may read do not go together with the address served on."""
    if chosen.api_auth == "none" and host not in ("127.0.0.1", "::1", "localhost"):
        raise SettingsError(
            f"MOVIES_API_AUTH is none, which is for this machine only, but --host is {host}. "
            "Set MOVIES_API_AUTH=keys and make a key with 'movies-platform keys create'."
        )
    if chosen.api_auth in ("jwt", "both") and not (chosen.api_issuer and chosen.api_audience):
        raise SettingsError(f"MOVIES_API_AUTH={chosen.api_auth} needs MOVIES_API_ISSUER and MOVIES_API_AUDIENCE.")
    if chosen.api_auth in ("keys", "both"):
        KeyFile(chosen.api_keys).read()


def digest(token: bytes) -> str:
    """What is kept of an API key."""
    return hashlib.sha256(token).hexdigest()


def _public_keys(content: bytes) -> dict[str | None, Any]:
    import jwt

    found: dict[str | None, Any] = {}
    for each in json.loads(content)["keys"]:
        if each.get("use", "sig") == "sig" and each.get("kty") in ("RSA", "EC"):
            try:
                found[each.get("kid")] = jwt.PyJWK(each)
            except jwt.PyJWTError as problem:  # of a kind that nobody asks us to accept
                _log.warning("a key of the issuer cannot be used: %s", problem)
    return found


def _get(address: str) -> bytes:
    if not address.startswith(("https://", "http://")):
        raise ValueError(f"{address!r} is no web address")
    with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer:
        return bytes(answer.read(1_000_000))


def _moment(text: str | None) -> dt.datetime:
    """The time of a text; of none, one that never comes."""
    found = dt.datetime.max.replace(tzinfo=dt.UTC) if text is None else dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
