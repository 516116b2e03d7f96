"""How a delivery is settled, in every landing zone: its folder, its note, what an interruption leaves."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from movies_platform.errors import LandingDamaged
from movies_platform.landing.deliveries import Delivery, Outcome, Settled, brings_movies

_SETTLED = re.compile(r"(\d{4,})-([0-9a-f]{12})")
SUPERSEDED = "Another delivery for the month arrived before this one was processed"


def parse_settled(name: str) -> tuple[int, str] | None:
    """Number and id in the name of a settled delivery's folder."""
    match = _SETTLED.fullmatch(name)
    return (int(match[1]), match[2]) if match else None


def read_note(content: str | bytes, place: str) -> dict[str, Any]:
    """What delivery.json or error.json says; raises LandingDamaged when it cannot be read."""
    try:
        note = json.loads(content)
    except ValueError:
        note = None
    if not isinstance(note, dict) or "files" not in note:
        raise LandingDamaged(
            f"{place} is damaged. Restore it, or take its folder out of the landing zone and deliver the files that "
            "are in it again."
        )
    return note


def settled_name(existing: Sequence[str], delivery_id: str) -> str:
    """Folder name for a delivery that is about to be settled beside `existing` ones of its month.

    The newest one is continued when it is the same delivery, which an interruption left unfinished or
    a repetition brings again.
    """
    numbered = sorted(filter(None, map(parse_settled, existing)))
    if numbered and numbered[-1][1] == delivery_id:
        return f"{numbered[-1][0]:04d}-{delivery_id}"
    return f"{numbered[-1][0] + 1 if numbered else 1:04d}-{delivery_id}"


def place_of(outcome: Outcome, existing: Mapping[Outcome, Sequence[str]], delivery_id: str) -> str:
    """Folder name in `outcome`/ for a delivery, beside the `existing` ones of its month by outcome."""
    name = settled_name([n for names in existing.values() for n in names], delivery_id)
    if any(name in names for other, names in existing.items() if other != outcome):  # the same content, judged anew
        return f"{int(name.split('-')[0]) + 1:04d}-{delivery_id}"
    return name


def is_left_over(waiting: Delivery, newest: Sequence[Settled]) -> bool:
    """Whether the files are what an interrupted settling of the `newest` delivery did not take out.

    It takes out the movies first, so that what it leaves is known.
    """
    if any(brings_movies(file.name) for file in waiting.files):
        return False
    kept = {(file["name"], file.get("blake2b") or file.get("etag")) for s in newest for file in s.note["files"]}
    return all((file.name, file.digest) in kept for file in waiting.files)


def note_content(delivery: Delivery, note: Mapping[str, Any], digest: Literal["blake2b", "etag"]) -> str:
    """The text of delivery.json or error.json; `digest` says what the files' digests are."""
    files = [{"name": f.name, "size_bytes": f.size, digest: f.digest} for f in delivery.files]
    content = {"month": f"{delivery.month:%Y-%m}", "delivery_id": delivery.id, **note, "files": files}
    return json.dumps(content, indent=2, ensure_ascii=False, default=str)
