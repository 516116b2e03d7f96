"""The OpenAPI document is valid, says what the contracts say, and is kept by the API whatever is asked."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate

from movies_platform.api.openapi import document
from movies_platform.api.tables import served_tables
from movies_platform_tests.api import InProcess, in_process, serve_from
from movies_platform_tests.conftest import _forget_settings
from movies_platform_tests.published_states import State

CASES = 1_000


def test_the_document_is_valid_and_describes_every_column():
    found = json.loads(json.dumps(document(None, "both")))
    validate(found)
    for table in served_tables().values():
        columns = found["components"]["schemas"][table.name]["properties"]
        for column in table.contract.columns:
            assert columns[column.name]["description"] == column.comment
            assert ("null" in columns[column.name]["type"]) == bool(column.nullable)
    share = found["components"]["schemas"]["most_popular_genre_by_year"]["properties"]["measure"]
    assert share["enum"] == ["total", "mean", "median", "max"]


@pytest.fixture(scope="module")
def running(states: tuple[State, State], api_cache: Path) -> Iterator[InProcess]:
    with pytest.MonkeyPatch.context() as patch:
        _forget_settings(patch)
        serve_from(patch, states[1].published, api_cache)
        with in_process() as api:
            yield api


def bridged(api: InProcess) -> Any:
    """The application for schemathesis, which runs each request in a loop of its own, in the loop that it lives in."""
    import asyncio
    import threading

    threading.Thread(target=api.loop.run_forever, daemon=True).start()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        here = asyncio.get_running_loop()

        async def pass_on(message: Any) -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(send(message), here))

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(api.api(scope, receive, pass_on), api.loop))

    return app


def test_a_thousand_questions_are_answered_as_the_document_says(running: InProcess):
    app = bridged(running)
    try:
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        operations = [result.ok() for result in schema.get_all_operations()]
        asked = 0
        each = -(-CASES // len(operations)) + 2  # some have fewer questions than that
        for operation in operations:
            asked += ask(operation, each)
        assert asked >= CASES
    finally:
        running.loop.call_soon_threadsafe(running.loop.stop)


def ask(operation: Any, count: int) -> int:
    """Ask an operation so many generated questions; how many they were."""
    from hypothesis import given

    done = 0

    @given(case=operation.as_strategy())
    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def check(case: Any) -> None:
        nonlocal done
        done += 1
        # a name that no row has, or a cursor of nothing, is 400 or 410 by design, however well it is written
        case.call_and_validate(excluded_checks=[schemathesis.checks.positive_data_acceptance])

    check()
    return done
