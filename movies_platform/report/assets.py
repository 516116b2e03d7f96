"""The report as assets: a picture each, and the page. Drawn in a run of their own, so that no refresh waits for it."""

from collections.abc import Callable

import dagster as dg

from movies_platform.contracts.catalogue import OWNER
from movies_platform.report.page import draw, write_page
from movies_platform.report.pictures import PICTURES, Picture

GROUP = "report"


def _asset(
    compute: Callable[..., dg.MaterializeResult[None]], name: str, description: str, kinds: set[str],
    deps: list[dg.AssetKey],
) -> dg.AssetsDefinition:  # fmt: skip
    make: Callable[..., dg.AssetsDefinition] = dg.asset(
        key=[GROUP, name], group_name=GROUP, description=description, kinds=kinds, owners=[OWNER],
        tags={"stage": GROUP}, deps=deps, pool="duckdb",
    )  # fmt: skip
    return make(compute)


def picture_asset(picture: Picture) -> dg.AssetsDefinition:
    """The asset of a picture: drawn into the UI and into files."""

    def drawn() -> dg.MaterializeResult[None]:
        made = draw(picture)
        return dg.MaterializeResult(
            metadata={"picture": dg.MetadataValue.md(made.markdown), "file": dg.MetadataValue.path(made.file)}
        )

    tables = [dg.AssetKey(name.split(".")) for name in picture.tables]
    return _asset(drawn, picture.name, f"{picture.title}. {picture.meaning}", {"matplotlib", "image"}, tables)


def written(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Pictures, answers and checks on one page."""
    return dg.MaterializeResult(metadata={"file": dg.MetadataValue.path(write_page(context.instance))})


pictures = [picture_asset(picture) for picture in PICTURES]
report_page = _asset(
    written, "report_page",
    "One page that needs nothing beside it: the pictures, the nine answers, the state of the checks. "
    "`movies-platform report` writes it, too.",
    {"html"}, [asset.key for asset in pictures],
)  # fmt: skip
