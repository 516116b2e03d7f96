"""The platform's loading of the latest snapshot, without Dagster: python bench/loader.py URL."""

import sys

from movies_platform.loaded.loading import load_all
from movies_platform.loaded.source import latest_source


def main() -> None:
    for attempt in load_all(sys.argv[1:], latest_source):
        if attempt.error:
            raise attempt.error


if __name__ == "__main__":
    main()
