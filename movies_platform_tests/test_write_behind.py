"""Writing behind: everything, in order, and errors where they can be seen."""

import threading

import pytest

from movies_platform.resources.write_behind import WriteBehind


def test_everything_is_written_in_order():
    written = []
    writer = WriteBehind(written.extend)
    for number in range(1_000):
        writer.put(number)
    writer.flush()
    assert written == list(range(1_000))
    writer.put(1_000)
    writer.close()
    assert written[-1] == 1_000


def test_what_waits_is_written_together():
    batches, started, go_on = [], threading.Event(), threading.Event()

    def write(items):
        batches.append(list(items))
        started.set()
        go_on.wait(10)

    writer = WriteBehind(write)
    writer.put(1)
    started.wait(10)
    writer.put(2)
    writer.put(3)
    go_on.set()
    writer.close()
    assert [batch for batch in batches if batch] == [[1], [2, 3]]


@pytest.mark.parametrize("ask", ["flush", "close"])
def test_an_error_is_raised_where_the_work_comes_from(ask):
    def write(items):
        if items:
            raise OSError("disk full")

    writer = WriteBehind(write)
    writer.put(1)
    with pytest.raises(OSError, match="disk full"):
        getattr(writer, ask)()


def test_whoever_has_a_ticket_waits_for_that_item_and_whoever_has_none_for_all():
    log, go_on = [], threading.Event()

    def write(items):
        if "late" in items:
            go_on.wait(10)
        log.extend(items)

    def flush_all():
        writer.flush()
        log.append("flushed")

    writer = WriteBehind(write)
    early = writer.put("early")
    writer.flush(early)
    assert log == ["early"]
    late = writer.put("late")
    writer.flush(early)  # would hang here for ten seconds, and find `late` written
    writer.flush(0)
    assert log == ["early"]
    waiting = threading.Thread(target=flush_all)
    waiting.start()
    go_on.set()
    writer.flush(late)
    waiting.join(10)
    assert log == ["early", "late", "flushed"]
    writer.close()


def test_an_error_is_told_once_to_whoever_waited_for_the_item():
    def write(_):
        raise OSError("disk full")

    writer = WriteBehind(write)
    ticket = writer.put(1)
    with pytest.raises(OSError, match="disk full"):
        writer.flush(ticket)
    writer.flush(ticket)  # told once
    writer.close()
