"""Dagster's in-process executor, holding the lock by which a killed run is known (`resources.liveness`)."""

from collections.abc import Iterator

import dagster as dg
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor

from movies_platform.resources.liveness import alive


class WatchedExecutor(InProcessExecutor):
    """All steps in the run's process, which is known to live meanwhile."""

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Run the steps."""
        with alive(plan_context.run_id):
            yield from super().execute(plan_context, execution_plan)


@dg.executor(name="watched_in_process")
def watched_executor(_: dg.InitExecutorContext) -> WatchedExecutor:
    """One process for all steps: the warehouse takes one writer."""
    return WatchedExecutor(retries=RetryMode.ENABLED)
