"""Snapshots as everybody reads them: where they are kept, what they hold, the latest one.

    latest.json                          names the snapshot to read; replaced in one step
    snapshots/<time>-<snapshot id>/      one whole snapshot, never changed
        manifest.json                    written last: what is in it
        movies.duckdb                    every table, for analysts
        parquet/core/movies.parquet      ... and each as Parquet and CSV
        csv/core/movies.csv.gz
        parquet/raw/data_issues/2017-11.parquet
        genre_data.csv, production_data.csv

Stage `published` writes them; this package reads, and knows the two kinds of places (a folder, S3).
"""

from movies_platform.resources.settings import settings
from movies_platform.snapshots.store import Store


def open_store(address: str | None = None) -> Store:
    """The place of the snapshots: `address`, or what the settings name (a folder or `s3://bucket/prefix`)."""
    place = address or settings().published
    if "://" in place:
        from movies_platform.snapshots.bucket import BucketStore

        return BucketStore(place)
    from movies_platform.snapshots.folder import FolderStore

    return FolderStore(place)
