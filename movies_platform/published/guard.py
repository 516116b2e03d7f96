"""What is refused aloud: tables that a reader would take for the truth and that probably are not."""

from collections.abc import Collection, Mapping, Sequence

from movies_platform.snapshots.manifest import Manifest

LEAST_SHARE = 0.8  # of the rows of before; whole histories of the real data differ by 3 %


def objections(
    months: Sequence[str], rows: Mapping[str, int], before: Manifest | None, free: Collection[str] = ()
) -> list[str]:
    """Why the tables look wrong: empty, much smaller than in the snapshot before, or without one of its months.

    `rows` are rows by table; those of `free` tables may be any number.
    """
    watched = {name: count for name, count in rows.items() if name not in free}
    found = [f"{name} is empty" for name, count in watched.items() if not count]
    if before is None:
        return found
    for name, count in watched.items():
        had = before.tables[name].rows if name in before.tables else 0
        if 0 < count < LEAST_SHARE * had:
            found.append(f"{name} has {count:,} rows, {had:,} in the snapshot before")
    found += [f"{name} is not there any more" for name in before.tables if name not in rows]
    gone = sorted(set(before.months) - set(months))
    return [*found, *([f"the months {', '.join(gone)} of the snapshot before are not there any more"] if gone else [])]
