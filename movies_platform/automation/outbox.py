"""Messages until every channel has taken them; kept in a sensor's cursor.

A channel that does not take a message is tried again with the next tick, and holds up neither the others nor
anything else. The cursor names channels by a digest, because their URLs hold secrets.
"""

import datetime as dt
import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from movies_platform.automation.causes import Cause
from movies_platform.errors import SettingsError

_MOST_WAITING = 200
_MOST_SENT = 2_000
_MOST_SEEN = 1_000
_log = logging.getLogger(__name__)
Send = Callable[[str, str, str], bool]


@dataclass
class Message:
    """A message and the channels that have not taken it."""

    title: str
    text: str
    to: list[str]


@dataclass
class Outbox:
    """`since`: ended runs were looked at up to there (UTC, ISO); `seen` of them; `told` keys; `arrived` month."""

    since: str = ""
    seen: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    waiting: list[Message] = field(default_factory=list)
    arrived: str = ""

    @classmethod
    def recall(cls, cursor: str | None, now: dt.datetime) -> "Outbox":
        """From the cursor; without one (or a broken one) it begins now, and tells nothing of the past."""
        try:
            kept = json.loads(cursor or "{}")
            box = cls(**{name: kept[name] for name in cls.__dataclass_fields__ if name in kept})
            box.waiting = [Message(**message) for message in kept.get("waiting", [])]
        except (ValueError, TypeError):
            box = cls()
        box.since = box.since or now.isoformat()
        return box

    def cursor(self) -> str:
        """As the cursor."""
        return json.dumps(asdict(self))

    def take(self, cause: Cause, channels: Sequence[str]) -> None:
        """Prepare the message of a cause that was not told yet; forget one that is over."""
        if cause.is_over:
            self.told = [key for key in self.told if key != cause.key and not key.startswith(f"{cause.key}:")]
        elif cause.key not in self.told:
            self.told = [*self.told, cause.key][-_MOST_SENT:]
            message = Message(cause.title, cause.text, [channel_id(url) for url in channels])
            self.waiting = [*self.waiting, message][-_MOST_WAITING:]

    def saw(self, run_id: str) -> bool:
        """Whether the run was looked at before; from now on it was."""
        if run_id in self.seen:
            return True
        self.seen = [*self.seen, run_id][-_MOST_SEEN:]
        return False

    def deliver(self, channels: Sequence[str], send: Send) -> list[str]:
        """Send what waits; the problems. `send` takes URL, title and text and says whether it went."""
        urls: Mapping[str, str] = {channel_id(url): url for url in channels}
        broken: dict[str, str] = {}
        for message in self.waiting:
            for channel in [c for c in message.to if c not in broken]:
                problem = _try(send, urls[channel], message) if channel in urls else None
                if problem:
                    broken[channel] = problem
                else:
                    message.to.remove(channel)
        self.waiting = [message for message in self.waiting if message.to]
        return list(broken.values())


def _try(send: Send, url: str, message: Message) -> str | None:
    scheme, separator, _ = url.partition("://")
    scheme = scheme if separator else "(no address)"  # whatever stands there may be a secret
    try:
        return None if send(url, message.title, message.text) else f"{scheme}:// took no message"
    except SettingsError as problem:
        return f"{scheme}:// {problem}"
    except Exception as problem:  # whatever a channel's library raises: alerts never stop anything
        _log.warning("a message could not be sent by %s: %s", scheme, type(problem).__name__)
        return f"{scheme}:// failed ({type(problem).__name__})"


def channel_id(url: str) -> str:
    """Names a channel without its secrets."""
    return hashlib.blake2b(url.encode(), digest_size=4).hexdigest()
