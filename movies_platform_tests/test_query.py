"""Questions to the latest snapshot: from a shell, from a notebook, while a refresh runs, and nothing but questions."""

import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

import movies_platform
from movies_platform.cli import cli
from movies_platform.errors import MoviesPlatformError, NoSnapshot, SnapshotDamaged
from movies_platform.published.read import latest_snapshot
from movies_platform.published.store import open_store
from movies_platform.published.write import publish
from movies_platform_tests.published_states import State


@pytest.fixture
def published(home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch) -> State:
    monkeypatch.setenv("MOVIES_PUBLISHED", str(states[1].published))
    return states[1]


def ask(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["query", *arguments], input=given)


README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
EXAMPLES = README.split("```sql\n")[1].split("```")[0].strip().removesuffix(";").split(";")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("question", EXAMPLES, ids=lambda text: text.strip().splitlines()[0].removeprefix("-- "))
def test_an_example_of_the_readme_has_an_answer(question: str):
    answer = ask("-", "--format", "json", given=question)
    assert answer.exit_code == 0, answer.output
    rows = json.loads(answer.stdout)
    assert rows
    assert None not in rows[0].values()


@pytest.mark.usefixtures("published")
def test_an_answer_as_json_and_csv_tables_named_with_and_without_schema():
    question = (
        "SELECT count(*) AS n, min(year) AS y FROM genre_budget_by_year WHERE genre_id IN (FROM core.genres SELECT 1)"
    )
    assert ask(question, "--format", "csv").stdout.splitlines()[0] == "n,y"
    rows = json.loads(ask("FROM metrics.genre_budget_by_year SELECT year, genre_name", "--format", "json").stdout)
    assert len(rows) == 100
    assert rows[0]["genre_name"]
    assert "core.movies" in ask("-", given="SELECT table_name FROM snapshot").stdout


@pytest.mark.parametrize("name", ["nosuch", "core.nosuch", '"nosuch"'])
@pytest.mark.usefixtures("published")
def test_an_unknown_table_is_told_with_those_that_there_are(name: str):
    problem = str(ask(f"SELECT * FROM {name}").exception)
    assert problem.startswith("There is no table 'nosuch'. Tables: core.")
    assert "pg_" not in problem
    meant = str(ask("FROM genre_budget_by_yaer").exception)
    assert "genre_budget_by_year was probably meant" in meant


@pytest.mark.usefixtures("published")
def test_no_rows_and_no_question_are_told():
    assert ask("FROM movies WHERE false").stdout == "no rows\n"
    assert ask("FROM movies SELECT movie_id WHERE false", "--format", "csv").stdout == "movie_id\n"
    assert json.loads(ask("FROM movies WHERE false", "--format", "json").stdout) == []
    for text in ("", " ; ", "/* a word */"):
        assert str(ask(text).exception).startswith("The question is empty")


@pytest.mark.usefixtures("published")
def test_cut_rows_are_told():
    answer = ask("FROM movies", "--limit", "2")
    assert "only the first 2 rows" in answer.stderr
    assert "only the first" not in ask("FROM movies", "--limit", "0").stderr


@pytest.mark.parametrize(
    "question",
    [
        "DELETE FROM movies",
        "CREATE TABLE core.mine (a INT)",
        "DROP TABLE movies",
        "COPY movies TO '{home}/stolen.csv'",
        "EXPORT DATABASE '{home}/stolen'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '{home}/secret.csv'",
        "SELECT content FROM read_text('{home}/secret.csv')",
        "SELECT * FROM glob('{home}/*')",
        "ATTACH '{home}/other.duckdb'",
        "INSTALL httpfs",
        "LOAD '{home}/evil.duckdb_extension'",
        "SET enable_external_access = true",
        "SELECT * FROM connection",
        "SELECT 1; SELECT 2",
        "BEGIN",
        "CHECKPOINT",
        "CREATE TEMP TABLE mine (a INT)",
        "CALL enable_logging()",
        "FROM nothing",
        "SELEC 1",
        "",
    ],
)
@pytest.mark.usefixtures("published")
def test_what_is_no_question_is_refused_and_changes_nothing(question: str, home: Path):
    (home / "secret.csv").write_text("a\n1\n")
    done = ask(question.format(home=home))
    assert isinstance(done.exception, MoviesPlatformError)
    assert done.stdout == ""
    # scratch/ is for what a large answer spills
    assert {path.name for path in home.iterdir()} - {"scratch"} == {"secret.csv"}
    assert (home / "secret.csv").read_text() == "a\n1\n"


def test_before_the_first_snapshot_there_is_advice(home: Path):
    with pytest.raises(NoSnapshot, match="movies-platform publish"):
        movies_platform.open_snapshot()
    assert isinstance(ask("SELECT 1").exception, NoSnapshot)


def test_a_lost_database_is_reported_with_its_remedy(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    found = publish().snapshot
    (home / "published" / found.path("movies.duckdb")).unlink()
    with pytest.raises(SnapshotDamaged, match="publish --force"):
        movies_platform.open_snapshot()
    publish(force=True)
    assert movies_platform.open_snapshot().execute("FROM movies").fetchone()


def test_a_notebook_reads_while_the_warehouse_is_written(published: State, home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_WAREHOUSE", str(published.warehouse))
    # the warehouse is open for writing, as a refresh has it
    with duckdb.connect(published.warehouse), movies_platform.open_snapshot() as connection:
        frame = connection.sql("SELECT year, budget_usd FROM genre_budget_by_year").df()
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            connection.execute("DELETE FROM movies")
    assert len(frame) > 0
    assert movies_platform.open_snapshot(str(published.published)).execute("FROM snapshot").fetchall()


def test_a_snapshot_on_s3_is_downloaded_once_and_never_trusted_blindly(
    bucket: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.published.store import BucketStore

    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("MOVIES_PUBLISHED", bucket)
    states[0].use(monkeypatch, home)
    publish()
    fetched: list[str] = []
    real = BucketStore.fetch
    monkeypatch.setattr(BucketStore, "fetch", lambda self, path, to: (fetched.append(path), real(self, path, to)))
    for _ in range(2):
        assert json.loads(ask("SELECT count(*) AS n FROM movies", "--format", "json").stdout)[0]["n"] > 0
    assert len(fetched) == 1
    cached = next((home / "cache/movies-platform").glob("*.duckdb"))
    cached.write_bytes(b"damaged")
    assert ask("SELECT 1").exit_code == 0
    assert len(fetched) == 2
    cached.unlink()
    monkeypatch.setattr(BucketStore, "fetch", lambda self, path, to: to.write_bytes(b"something else"))
    with pytest.raises(SnapshotDamaged):
        movies_platform.open_snapshot()
    assert list(cached.parent.iterdir()) == []


def test_a_refresh_publishes_and_says_so(shell, months: list[Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MOVIES_NO_PUBLISH")
    shell("deliver", months[0], "--month", "2017-11")
    assert "snapshot  2017-11-" in shell("refresh").stdout
    assert "snapshot" not in shell("refresh").stdout  # nothing new, nothing to publish
    (shell.home / "published/latest.json").unlink()  # as if the refresh had been killed before it published
    assert "snapshot  2017-11-" in shell("refresh").stdout
    answer = shell("query", "SELECT max(snapshot_id) AS id FROM snapshot").stdout
    assert latest_snapshot(open_store(str(shell.home / "published"))).manifest.snapshot in answer
