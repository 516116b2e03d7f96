"""Spark as a resource of Dagster: its session for the length of a run, which says how far long work is."""

import contextlib
from collections.abc import Iterator

import dagster as dg

from movies_platform.engines import spark


class Spark(dg.ConfigurableResource["Spark"]):
    """The session of a run, made when a step first needs it; without MOVIES_ENGINE=spark, none does."""

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Spark"]:
        """Until the end of the run, its log tells how many tasks of Spark are done."""
        with spark.reporting(context.log.info) if context.log else contextlib.nullcontext():
            yield self
