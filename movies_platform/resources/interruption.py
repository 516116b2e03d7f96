"""SIGTERM and Ctrl-C end a command within seconds, whatever it is doing.

The signal raises SystemExit in the main thread, so that the command ends in order. That is not enough: Python waits
for its threads and for whatever does not ask for signals (a name that is looked up, a disk), and while a job runs,
Dagster puts handlers of its own in the place of ours: it keeps to itself what arrives between two steps, and tries
interrupted steps again. So a thread hears of each signal through a pipe, whatever handler there is, and ends the
process when it has not ended after GRACE_SECONDS. Nothing is lost then: the next command completes what a killed
process leaves, at whatever moment.
"""

import os
import select
import signal
import socket
import sys
import threading
import time
from types import FrameType

from movies_platform.errors import ENDED_BY_CTRL_C, ENDED_BY_SIGNAL

GRACE_SECONDS = 3
_STATUS = {signal.SIGINT: ENDED_BY_CTRL_C, signal.SIGTERM: ENDED_BY_SIGNAL}
_pipe: list[socket.socket] = []
_is_said = threading.Event()


def end_with_signals() -> None:
    """From now on signals end this process; for the start of a command, in the main thread.

    A signal that whoever started the process had it ignore (a shell does so with Ctrl-C behind `&`) stays without
    effect: it is blocked, because Dagster would copy "ignored" from one signal to the other.
    """
    ignored = {each for each in _STATUS if signal.getsignal(each) == signal.SIG_IGN}
    signal.pthread_sigmask(signal.SIG_BLOCK, ignored)
    _pipe[:] = socket.socketpair()
    for end in _pipe:
        end.setblocking(False)
    signal.set_wakeup_fd(_pipe[1].fileno(), warn_on_full_buffer=False)
    for each in _STATUS:
        signal.signal(each, _raise)
    threading.Thread(target=_end_after_a_while, name="signals", daemon=True).start()


def status() -> int:
    """The exit status of a process that a signal ends; 0 as long as none has arrived."""
    try:
        return _STATUS[signal.Signals(_pipe[0].recv(1, socket.MSG_PEEK)[0])] if _pipe else 0
    except BlockingIOError:
        return 0


def raise_if_interrupted() -> None:
    """Raise SystemExit where a signal has arrived that somebody kept to himself."""
    if ended := status():
        raise SystemExit(ended)


def say_so() -> None:
    """Tell the user, once, that the command did not come to its end."""
    if not _is_said.is_set():
        _is_said.set()
        sys.stderr.write("movies-platform: interrupted. The same command goes on where it was.\n")


def _raise(number: int, _: FrameType | None) -> None:
    raise SystemExit(_STATUS[signal.Signals(number)])


def _end_after_a_while() -> None:
    select.select([_pipe[0]], [], [])
    time.sleep(GRACE_SECONDS)
    say_so()
    os._exit(status())
