"""Which snapshots stay: the latest, a set number of older ones, and whatever another writer may be at."""

import datetime as dt
from collections.abc import Sequence

from movies_platform.snapshots.store import Store

# Nobody takes a day to write a snapshot: an older folder that nothing names belongs to a writer that died.
_ABANDONED = dt.timedelta(days=1)


def remove_old(store: Store, kept: Sequence[str], known: Sequence[str], now: dt.datetime) -> list[str]:
    """Remove what was `known` and is not `kept`, and what dead writers left; the folders removed."""
    removed = [
        folder
        for folder, changed in store.folders().items()
        if folder not in kept and (folder in known or now - changed > _ABANDONED)
    ]
    for folder in removed:
        store.remove(folder)
    return removed
