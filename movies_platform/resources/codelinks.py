"""Assets -> assets that link to the code that makes them.

Like `dg.with_source_code_references`, but an asset that a decorator made links to the function that was
decorated, and the label is the path inside the package.
"""

import inspect
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg

_ROOT = Path(__file__).parents[1]
SOURCE = "source_function"  # attribute of a decorator's function: the function that a reader should see


def with_code_links(assets: Iterable[Any]) -> list[Any]:
    """The assets with a link to their function, file and line; whatever else is among them is left as it is."""
    return [_linked(each) if isinstance(each, dg.AssetsDefinition) else each for each in assets]


def _linked(assets: dg.AssetsDefinition) -> dg.AssetsDefinition:
    made_by = inspect.unwrap(assets.op.compute_fn.decorated_fn)  # type: ignore[union-attr]
    function = getattr(made_by, SOURCE, made_by)
    path, line = Path(function.__code__.co_filename), function.__code__.co_firstlineno
    label = f"{path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path.name}:{line}"
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        reference = dg.LocalFileCodeReference(file_path=str(path), line_number=line, label=label)
        metadata = {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}
    return assets.map_asset_specs(lambda spec: spec.merge_attributes(metadata=metadata))
