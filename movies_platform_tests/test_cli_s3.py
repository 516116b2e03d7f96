"""The command line with the landing zone on S3: the same commands."""

from pathlib import Path

import pytest

from movies_platform_tests.buckets import Store
from movies_platform_tests.shell import Shell


def test_the_commands_work_on_s3_as_in_a_folder(
    shell: Shell, store: Store, months: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIES_LANDING", store.address)
    shell("deliver", months[1], "--month", "2017-11")
    assert "had not been read yet; it is in failed/ now" in shell("deliver", months[0], "--month", "2017-11").stdout
    assert " 0 warned" in shell("refresh").stdout
    tables = shell.tables("parsed", "core", "metrics")
    assert tables["core.movies"]
    assert "processed" in shell("status").stdout
    (shell.home / "warehouse.duckdb").unlink()
    shell("rebuild")
    assert shell.tables("parsed", "core", "metrics") == tables
    # five files, what became of them, and the marker
    assert [key.split("/")[0] for key in store.listing()] == ["failed"] * 7 + ["processed"] * 7


def test_a_bucket_that_is_not_there_is_one_clear_line(
    shell: Shell, store: Store, months: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIES_LANDING", "s3://not-there/landing")
    done = shell("deliver", months[0], "--month", "2017-11", status=1)
    assert "The specified bucket does not exist" in done.stderr
    assert len(done.stderr.splitlines()) == 1
