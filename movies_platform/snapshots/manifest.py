"""manifest.json: what a snapshot holds, with digests to prove it."""

import json
from dataclasses import asdict, dataclass

DATABASE = "movies.duckdb"


@dataclass(frozen=True)
class Content:
    """A published table: rows, `sha256` of its rows as CSV in the order of its key, version of its contract."""

    rows: int
    sha256: str
    contract_version: str


@dataclass(frozen=True)
class PublishedFile:
    """A file: `path` below the snapshot's folder, size in bytes, digest.

    `table` and `contract_version` say what its rows are (None where it holds several tables), `month` (YYYY-MM)
    whose rows they are where a table is published month by month, `rows` is None for a database.
    """

    path: str
    bytes: int
    sha256: str
    table: str | None = None
    month: str | None = None
    rows: int | None = None
    contract_version: str | None = None


@dataclass(frozen=True)
class Manifest:
    """A snapshot.

    `snapshot` is its id, made from the content: the same tables have the same id. `deliveries` identifies the
    deliveries that the tables were computed from when it was published.
    """

    snapshot: str
    published_at: str
    deliveries: str
    months: list[str]
    tables: dict[str, Content]
    files: list[PublishedFile]

    def file(self, path: str) -> PublishedFile:
        """The entry of a file."""
        return next(file for file in self.files if file.path == path)

    def to_json(self) -> bytes:
        """The file's content."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        """Read the file's content."""
        fields = json.loads(content)
        return cls(
            snapshot=fields["snapshot"],
            published_at=fields["published_at"],
            deliveries=fields["deliveries"],
            months=fields["months"],
            tables={name: Content(**table) for name, table in fields["tables"].items()},
            files=[PublishedFile(**file) for file in fields["files"]],
        )
