"""Work that is handed to a thread: done in order, in batches, and whoever asks waits until all is done."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class WriteBehind(Generic[T]):
    """Gives `write` all that was put since it last ended, in a thread of its own."""

    def __init__(self, write: Callable[[Sequence[T]], None]):
        self._write = write
        self._waiting: queue.Queue[T | None] = queue.Queue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="write-behind", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Leave an item to be written; raises what writing an earlier one raised."""
        self._raise()
        self._waiting.put(item)

    def flush(self) -> None:
        """Wait until everything is written; raises what writing raised. The thread itself does not wait."""
        if not self.is_here():
            self._waiting.join()
            self._raise()

    def close(self) -> None:
        """Write the rest and end the thread."""
        self._waiting.put(None)
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
        going_on = True
        while going_on:
            batch = [self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get())
            going_on = None not in batch
            try:
                self._write([item for item in batch if item is not None])
            except BaseException as problem:  # raised where the work comes from
                self._error = problem
            for _ in batch:
                self._waiting.task_done()
