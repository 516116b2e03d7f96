"""What the sensor `deliveries` keeps in its cursor from one look to the next."""

import datetime as dt
import json
from dataclasses import asdict, dataclass, field

_MOST_TOLD = 2_000


@dataclass
class Memory:
    """Kept as JSON. `here` is what lies in incoming/ now, by month; `told` what was said of what is no delivery.

    With a queue: `months` that were told of and not seen to be gone, `received` messages that may be deleted now that
    these are recorded, `listed` when everything was listed last (UTC, ISO).
    """

    here: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    months: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    listed: str = ""

    @classmethod
    def recall(cls, cursor: str | None) -> "Memory":
        """From the cursor; a cursor that cannot be read is an empty memory, which starts nothing twice."""
        try:
            kept = json.loads(cursor or "{}")
            return cls(**{name: kept[name] for name in cls.__dataclass_fields__ if name in kept})
        except (ValueError, TypeError):
            return cls()

    def cursor(self) -> str:
        """As the cursor."""
        return json.dumps(asdict(self))

    def news(self, sentences: list[str]) -> list[str]:
        """Those that were not told yet; from now on they are, and those that are no longer true are forgotten."""
        new = [sentence for sentence in sentences if sentence not in set(self.told)]
        self.told = sentences[:_MOST_TOLD]
        return new

    def list_is_due(self, now: dt.datetime) -> bool:
        """Whether everything was listed more than a day ago, or never."""
        return not self.listed or now - dt.datetime.fromisoformat(self.listed) > dt.timedelta(days=1)
