"""Scripts for Snowflake and Redshift: parsed whole by a parser of each dialect, and complete."""

import dataclasses

import pytest
import sqlglot
from sqlglot import exp

from movies_platform.contracts.published import SNAPSHOT, published_tables
from movies_platform.contracts.tables import key_of, qualified, references_of
from movies_platform.errors import LoadFailed
from movies_platform.loaded.scripts import KINDS, script_for
from movies_platform.published.read import Snapshot, latest_snapshot
from movies_platform.published.store import BucketStore, open_store
from movies_platform_tests.published_states import State


@pytest.fixture
def snapshot(states: tuple[State, State]) -> Snapshot:
    """A snapshot as it would be on S3 (its files are not needed)."""
    found = latest_snapshot(open_store(str(states[1].published)))
    return dataclasses.replace(found, store=BucketStore("s3://movies/published"))


def parsed(kind: str, snapshot: Snapshot) -> list[exp.Expression]:
    """The script's statements; what the parser does not understand is a `Command`."""
    found = [s for s in sqlglot.parse(script_for(kind, snapshot), read=kind, error_level=sqlglot.ErrorLevel.RAISE) if s]
    assert [s.sql() for s in found if isinstance(s, exp.Command)] == []
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_is_created_as_its_contract_declares(kind: str, snapshot: Snapshot):
    created = {
        s.this.this.sql(): s.this
        for s in parsed(kind, snapshot)
        if isinstance(s, exp.Create) and s.kind == "TABLE" and isinstance(s.this, exp.Schema)
    }
    for table in [*published_tables(), SNAPSHOT]:
        schema = created[qualified(table)]
        columns = [c.name for c in schema.expressions if isinstance(c, exp.ColumnDef)]
        assert columns == [c.name for c in table.columns]
        keys = [[str(i.name) for i in k.expressions] for k in schema.find_all(exp.PrimaryKey)]
        assert keys == ([key_of(table)] if key_of(table) else [])
        assert len(list(schema.find_all(exp.ForeignKey))) == len(references_of(table))


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_that_is_left_out_is_in_no_statement(kind: str, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_LOAD_WITHOUT", "core.people,raw.*")
    parsed(kind, snapshot)
    text = script_for(kind, snapshot)
    assert "core.movie_cast" in text
    assert "core.people" not in text
    assert "data_issues" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_every_parquet_file_is_copied_beside_and_all_tables_change_in_one_transaction(kind: str, snapshot: Snapshot):
    statements = parsed(kind, snapshot)
    copies = [s.sql(dialect=kind) for s in statements if isinstance(s, exp.Copy)]
    files = [f.path for f in snapshot.manifest.files if f.path.endswith(".parquet")]
    assert len(copies) == len(files)
    assert all(any(path in copy and "movies_loading." in copy for copy in copies) for path in files)
    begin = next(n for n, s in enumerate(statements) if isinstance(s, exp.Transaction))
    end = next(n for n, s in enumerate(statements) if isinstance(s, exp.Commit))
    between = statements[begin + 1 : end]
    assert all(isinstance(s, exp.Delete | exp.Insert) for s in between)
    everything = {qualified(t) for t in [*published_tables(), SNAPSHOT]}
    assert {s.this.sql() for s in between if isinstance(s, exp.Delete)} == everything
    assert {s.this.this.sql() for s in between if isinstance(s, exp.Insert)} == everything


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_that_is_not_on_s3_gets_advice(kind: str, states: tuple[State, State]):
    with pytest.raises(LoadFailed, match="MOVIES_PUBLISHED"):
        script_for(kind, latest_snapshot(open_store(str(states[1].published))))
