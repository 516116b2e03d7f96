"""Answers are the rows of the snapshot: all of them, in the order that was asked for, page after page."""

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movies_platform.api.index import folded
from movies_platform.api.rows import Opened
from movies_platform.api.tables import Table, served_tables
from movies_platform.contracts.tables import order_of, qualified
from movies_platform.published.read import database_of, latest_snapshot
from movies_platform.published.store import open_store
from movies_platform_tests.api import InProcess
from movies_platform_tests.published_states import State

TABLES = served_tables()


@pytest.fixture
def source(states: tuple[State, State]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The snapshot's own database."""
    with duckdb.connect(database_of(latest_snapshot(open_store(str(states[1].published)))), read_only=True) as opened:
        yield opened


def plain(value: Any) -> Any:
    """A value as JSON has it; times are in UTC."""
    if isinstance(value, dt.datetime):
        return f"{value.isoformat()}Z"
    return value.isoformat() if isinstance(value, dt.date) else value


def rows_of(source: duckdb.DuckDBPyConnection, query: str, values: Any = ()) -> list[dict[str, Any]]:
    answer = source.execute(query, list(values))
    names = [column[0] for column in answer.description or []]
    return [dict(zip(names, map(plain, row), strict=True)) for row in answer.fetchall()]


@pytest.mark.parametrize("name", [*TABLES])
def test_every_row_of_every_table_is_as_in_its_parquet_file(name: str, api: InProcess, states: tuple[State, State]):
    table = TABLES[name].contract
    folder = states[1].published / latest_snapshot(open_store(str(states[1].published))).pointer.folder
    files = folder / "parquet" / (table.schema or "")
    found = files / f"{name}.parquet" if (files / f"{name}.parquet").exists() else files / name / "*.parquet"
    order = ", ".join(order_of(table)) or "ALL"
    with duckdb.connect() as connection:
        expected = rows_of(connection, f"SELECT * FROM read_parquet('{found}') ORDER BY {order}")
    own = [column.name for column in table.columns]
    walked = [{key: row[key] for key in own} for row in api.walk(f"{TABLES[name].path}?limit=137")]
    assert walked == expected
    assert expected


def test_names_that_were_joined_are_those_of_the_other_table(api: InProcess, source: duckdb.DuckDBPyConnection):
    joined = "core.movie_genres l JOIN core.movies USING (movie_id) JOIN core.genres USING (genre_id)"
    expected = rows_of(source, f"SELECT l.*, title, genre_name FROM {joined} ORDER BY movie_id, genre_id")
    assert list(api.walk("/v1/movie_genres")) == expected


class Oracle:
    """What a question's rows are, asked of DuckDB in one query."""

    def __init__(self, source: duckdb.DuckDBPyConnection, table: Table):
        self._source, self._table = source, table

    def rows(self, given: dict[str, Any], sort: list[tuple[str, bool]]) -> list[dict[str, Any]]:
        table, conditions, values = self._table, [], []
        for name, value in given.items():
            each = table.filters.get(name)
            if each is None:
                sign = ">=" if name.endswith("_from") else "<=" if name.endswith("_to") else "="
                assert table.time is not None
                conditions.append(f"t.{table.time.name} {sign} ?")
            elif each.links:
                links = " UNION ".join(f"SELECT {link.own} FROM core.{link.table} WHERE {link.other} = ?"
                                       for link in each.links)  # fmt: skip
                conditions.append(f"t.{table.key} IN ({links})")
                values += [value] * (len(each.links) - 1)
            else:
                conditions.append(f"t.{each.column.name} = ?")
            values.append(value)
        order = [f"t.{name} {'DESC' if down else 'ASC'} NULLS LAST" for name, down in sort]
        ranged = not sort and any(name.endswith(("_from", "_to")) for name in given)
        order += [f"t.{table.time.name}"] if ranged and table.time is not None else []
        order += [f"t.{name}" for name in order_of(table.contract)]
        own = ", ".join(f"t.{column.name}" for column in table.contract.columns)
        where = " AND ".join(conditions) or "true"
        return rows_of(self._source, f"SELECT {own} FROM {qualified(table.contract)} t WHERE {where} "
                                     f"ORDER BY {', '.join(order)}", values)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_filter_sort_and_page_size_gives_the_rows_of_one_query(
    data: st.DataObject, api: InProcess, source: duckdb.DuckDBPyConnection
):
    table = TABLES[data.draw(st.sampled_from([name for name in TABLES if name != "data_issues"]))]
    asked: dict[str, Any] = {}
    if table.time is not None and table.time_name == "year":
        chosen = data.draw(st.sampled_from([(), table.times[:1], table.times[1:2], table.times[2:], table.times[1:]]))
        years = st.lists(st.integers(1915, 2020), min_size=len(chosen), max_size=len(chosen))
        asked = dict(zip(chosen, sorted(data.draw(years)), strict=True))
    for name, each in table.filters.items():
        if data.draw(st.booleans()):
            ids = rows_of(source, f"SELECT DISTINCT {each.column.name} AS id FROM "
                                  f"{qualified(each.column.table)} WHERE id IS NOT NULL ORDER BY 1 LIMIT 40"
                          )  # fmt: skip
            asked[name] = data.draw(st.sampled_from([row["id"] for row in ids]))
    own = [column.name for column in table.contract.columns]
    sort = [(name, data.draw(st.booleans()))
            for name in data.draw(st.lists(st.sampled_from(own), unique=True, max_size=3))]  # fmt: skip
    expected = Oracle(source, table).rows(asked, sort)
    # a page size that makes some pages, also one that ends exactly with the last row
    limit = data.draw(st.sampled_from([max(1, -(-len(expected) // n)) for n in (1, 2, 3, 7)]))
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    by = f"&sort={','.join(('-' if down else '') + name for name, down in sort)}" if sort else ""
    walked = [{key: row[key] for key in own} for row in api.walk(f"{table.path}?limit={min(limit, 1000)}&{query}{by}")]
    assert walked == expected


def test_nulls_come_last_in_both_directions(api: InProcess):
    for sort in ("budget_usd", "-budget_usd"):
        found = [row["budget_usd"] for row in api.walk(f"/v1/movies?sort={sort}&limit=7")]
        known = [value for value in found if value is not None]
        assert found == sorted(known, reverse=sort.startswith("-")) + [None] * (len(found) - len(known))
        assert 0 < len(known) < len(found)


def test_a_name_finds_the_same_rows_as_its_id_whatever_its_accents_and_case(api: InProcess):
    genre = api.get("/v1/genres?limit=1").rows[0]
    by_id = api.get(f"/v1/movies?genre={genre['genre_id']}").rows
    assert by_id == api.get(f"/v1/movies?genre={genre['genre_name'].upper().replace(' ', '%20')}").rows
    assert by_id == api.get(f"/v1/genres/{genre['genre_id']}/movies").rows


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Méliès", "melies"), ("ŁÓDŹ  Film", "lodz film"), ("Straße", "strasse"), ("Ærø", "aero"), ("ＴＯＨＯ", "toho")],
)
def test_names_are_folded(text: str, expected: str):
    assert folded(text) == expected


def test_a_search_finds_every_name_with_the_text_the_best_first(api: InProcess):
    companies = list(api.walk("/v1/companies"))
    word = companies[5]["company_name"].split()[0].lower()[:4]
    expected = [row for row in companies if folded(word) in folded(row["company_name"])]
    found = list(api.walk(f"/v1/companies?q={word}&limit=3"))
    assert sorted(found, key=lambda row: row["company_id"]) == expected
    begins = [folded(row["company_name"]).startswith(word) for row in found]
    assert begins == sorted(begins, reverse=True)
    assert list(api.walk(f"/v1/companies?q={word}&sort=company_id&limit=3")) == expected
    name = companies[5]["company_name"]
    assert api.get(f"/v1/companies?q={name.replace(' ', '%20').replace('&', '%26')}").rows[0]["company_name"] == name


def test_a_search_can_be_narrowed(api: InProcess):
    movie = api.get("/v1/movies?year_from=1900&limit=1").rows[0]
    part = folded(movie["title"])[:3].replace(" ", "%20")
    year = movie["release_year"]
    found = list(api.walk(f"/v1/movies?q={part}&year={year}&limit=2"))
    assert movie in found
    assert {row["release_year"] for row in found} == {year}


def test_one_row_and_what_is_related_to_it(api: InProcess):
    movie = api.get("/v1/movies?limit=1").rows[0]
    assert api.get(f"/v1/movies/{movie['movie_id']}").rows == movie
    links = [row["genre_id"] for row in api.walk(f"/v1/movie_genres?movie={movie['movie_id']}")]
    assert [row["genre_id"] for row in api.walk(f"/v1/movies/{movie['movie_id']}/genres")] == links
    history = api.get(f"/v1/movies/{movie['movie_id']}/history").rows
    assert {row["movie_id"] for row in history} == {movie["movie_id"]}


def test_a_row_without_a_year_is_in_no_year(api: InProcess):
    rows = list(api.walk("/v1/movies?limit=1000"))
    unknown = {row["movie_id"] for row in rows if row["release_year"] is None}
    genres = {row["genre_id"] for row in api.walk("/v1/movie_genres?limit=1000") if row["movie_id"] in unknown}
    assert genres
    for genre in genres:
        known = [row for row in api.walk(f"/v1/movies?genre={genre}&limit=1000") if row["movie_id"] not in unknown]
        for sort in ("", "&sort=movie_id"):
            by = f"/v1/movies?genre={genre}&limit=1000{sort}"
            assert api.get(f"{by}&year=0").rows == []
            for asked in ("year_from=0", "year_to=9999", "year_from=0&year_to=9999"):
                found = api.get(f"{by}&{asked}").rows
                assert sorted(found, key=lambda row: row["movie_id"]) == known


def test_an_id_is_the_whole_number(api: InProcess):
    row = api.get("/v1/movies?limit=1").rows[0]
    number = row["movie_id"]
    assert api.get(f"/v1/movies/{number:040}").rows == row
    for other in (f"{number:020}999", f"{number}{0:020}", "9" * 19):
        assert api.get(f"/v1/movies/{other}").status == 404


def test_year_is_a_column_by_the_name_of_its_parameter(api: InProcess):
    for asked in ("sort=-revenue_usd,{}", "sort=-{},title", "fields=title,{}"):
        first, second = (api.get(f"/v1/movies?{asked.format(name)}").rows for name in ("year", "release_year"))
        assert first == second
    assert api.get("/v1/metrics/genre_budget_by_year?sort=-year&fields=year").status == 200


def test_fields_and_csv_have_the_same_values(api: InProcess):
    import csv
    import io

    whole = api.get("/v1/movies?limit=5").rows
    chosen = api.get("/v1/movies?limit=5&fields=title,budget_usd").rows
    assert chosen == [{"title": row["title"], "budget_usd": row["budget_usd"]} for row in whole]
    got = api.get("/v1/movies?limit=5", accept="text/csv")
    assert got.headers["content-type"].startswith("text/csv")
    assert 'rel="next"' in got.headers["link"]
    read = list(csv.DictReader(io.StringIO(got.body.decode())))
    assert [row["title"] for row in read] == [row["title"] or "" for row in whole]
    assert [float(row["budget_usd"]) if row["budget_usd"] else None for row in read] == [r["budget_usd"] for r in whole]
    one = api.get(f"/v1/movies/{whole[0]['movie_id']}?fields=title", accept="text/csv")
    assert one.body.decode() == f"title\n{whole[0]['title']}\n"


def test_the_order_of_parameters_does_not_change_the_question(api: InProcess):
    first = api.get("/v1/movies?genre=18&year_from=1950&limit=2").json["page"]["next_cursor"]
    assert api.get(f"/v1/movies?limit=2&year_from=1950&genre=18&cursor={first}").status == 200


def test_a_cursor_of_every_row_leads_on_from_it(api: InProcess):
    """The pages of one row each are the rows of one page, over nulls and equal values."""
    for sort in ("-budget_usd,release_year", "status", "-release_date"):
        whole = api.get(f"/v1/movies?genre=18&sort={sort}&limit=1000").rows
        assert list(itertools.islice(api.walk(f"/v1/movies?genre=18&sort={sort}&limit=1"), 60)) == whole[:60]


def test_an_index_is_built_once_and_holds_what_the_manifest_says(
    states: tuple[State, State], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from concurrent.futures import ThreadPoolExecutor

    from movies_platform.api import index

    snapshot = latest_snapshot(open_store(str(states[0].published)))
    started: list[object] = []
    real = index.subprocess.run
    monkeypatch.setattr(index.subprocess, "run", lambda *a, **k: started.append(a) or real(*a, **k))
    with ThreadPoolExecutor(3) as workers:
        files = set(workers.map(lambda _: index.prepared(snapshot, tmp_path), range(3)))
    assert len(files) == len(started) == 1
    opened = Opened(files.pop())
    assert opened.rows == {name.split(".")[1]: content.rows for name, content in snapshot.manifest.tables.items()}
    opened.close()


def test_a_table_that_is_too_large_is_served_as_a_file(
    states: tuple[State, State], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from movies_platform_tests.api import in_process, serve_from

    serve_from(monkeypatch, states[0].published, tmp_path / "cache")
    monkeypatch.setenv("MOVIES_API_MAX_ROWS", "100")
    with in_process() as api:
        assert "/v1/tables/movie_genres.parquet" in api.get("/v1/movie_genres").problem(404)
        assert api.get("/v1/tables/movie_genres.parquet").status == 200
        assert api.get("/v1/genres").status == 200
        paths = api.get("/openapi.json").json["paths"]
        assert "/v1/movie_genres" not in paths
        assert "/v1/genres" in paths


def test_a_damaged_snapshot_is_not_served(states: tuple[State, State], tmp_path: Path):
    import shutil

    from movies_platform.api.index import prepared
    from movies_platform.errors import SnapshotDamaged

    shutil.copytree(states[0].published, tmp_path / "published")
    snapshot = latest_snapshot(open_store(str(tmp_path / "published")))
    database = tmp_path / "published" / snapshot.pointer.folder / "movies.duckdb"
    with duckdb.connect(database) as connection:
        connection.execute("DELETE FROM core.movies WHERE movie_id = (SELECT min(movie_id) FROM core.movies)")
    with pytest.raises(SnapshotDamaged, match=r"movies has [\d,]+ rows, the manifest says"):
        prepared(snapshot, tmp_path / "cache")
    assert list((tmp_path / "cache").glob("*.sqlite")) == []
