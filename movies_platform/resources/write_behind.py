"""Work that is handed to a thread: done in order, in batches, and whoever asks waits until it is done."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class WriteBehind(Generic[T]):
    """Gives `write` all that was put since it last ended, in a thread of its own."""

    def __init__(self, write: Callable[[Sequence[T]], None]):
        self._write = write
        self._changed = threading.Condition()  # guards the next four
        self._waiting: list[T] = []
        self._taken_on = 0
        self._done = 0
        self._closing = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="write-behind", daemon=True)
        self._thread.start()

    def put(self, item: T) -> int:
        """Leave an item to be written; a ticket for `flush`. Raises what writing an earlier one raised."""
        self._raise()
        with self._changed:
            self._waiting.append(item)
            self._taken_on += 1
            self._changed.notify_all()
            return self._taken_on

    def flush(self, upto: int | None = None) -> None:
        """Wait until the item of the ticket, or everything, is written; raises what writing raised.

        The thread itself does not wait.
        """
        if self.is_here():
            return
        with self._changed:
            last = self._taken_on if upto is None else upto
            self._changed.wait_for(lambda: self._done >= last)
        self._raise()

    def close(self) -> None:
        """Write the rest and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._raise()

    def is_here(self) -> bool:
        """Whether the caller is the thread that writes."""
        return threading.current_thread() is self._thread

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _work(self) -> None:
        while batch := self._next():
            try:
                self._write(batch)
            except BaseException as problem:  # raised where the work comes from
                self._error = problem
            with self._changed:
                self._done += len(batch)
                self._changed.notify_all()

    def _next(self) -> list[T]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            batch, self._waiting = self._waiting, []
            return batch
