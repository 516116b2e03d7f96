"""Messages wait for every channel that wants them: one cause is told once, a broken channel holds up no other."""

import datetime as dt

import pytest

from movies_platform.automation.causes import Cause
from movies_platform.automation.outbox import Outbox, channel_id

NOW = dt.datetime(2026, 11, 12, tzinfo=dt.UTC)
ONE, TWO = "json://user:secret@one/hook", "mailto://user:secret@two"


class Channels:
    """Hears what is sent; those in `broken` refuse."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.broken: dict[str, Exception | None] = {}

    def send(self, url: str, title: str, text: str) -> bool:
        if url in self.broken:
            if problem := self.broken[url]:
                raise problem
            return False
        self.heard.append((url, title))
        return True


def test_a_cause_is_told_once_until_it_is_over():
    box, channels = Outbox.recall(None, NOW), Channels()
    for over in (False, False, True, False):
        box.take(Cause("failed:job", "It failed", is_over=over), [ONE])
        assert box.deliver([ONE], channels.send) == []
        box = Outbox.recall(box.cursor(), NOW)
    assert channels.heard == [(ONE, "It failed")] * 2


@pytest.mark.parametrize("fault", [None, OSError("unreachable")], ids=["refuses", "raises"])
def test_a_broken_channel_is_tried_again_and_holds_up_no_other(fault):
    box, channels = Outbox.recall(None, NOW), Channels()
    channels.broken[ONE] = fault
    for key in "ab":
        box.take(Cause(key, key), [ONE, TWO])
    (problem,) = box.deliver([ONE, TWO], channels.send)
    assert problem.startswith("json://")
    assert channels.heard == [(TWO, "a"), (TWO, "b")]
    box = Outbox.recall(box.cursor(), NOW)
    channels.broken.clear()
    assert box.deliver([ONE, TWO], channels.send) == []
    assert channels.heard[2:] == [(ONE, "a"), (ONE, "b")]
    assert box.waiting == []


def test_a_channel_that_is_no_longer_wanted_is_forgotten():
    box, channels = Outbox.recall(None, NOW), Channels()
    box.take(Cause("a", "a"), [ONE])
    assert box.deliver([TWO], channels.send) == []
    assert (channels.heard, box.waiting) == ([], [])


def test_the_cursor_holds_no_secret_and_a_broken_one_begins_anew():
    box = Outbox.recall("no json", NOW)
    assert box.since == NOW.isoformat()
    box.take(Cause("a", "a"), [ONE])
    assert "secret" not in box.cursor()
    assert channel_id(ONE) in box.cursor()
