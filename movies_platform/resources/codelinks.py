"""Assets -> assets that link to the code that makes them.

Like `dg.with_source_code_references`, but each asset of a step may link to a function of its own, and the label is
the path inside the package.
"""

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg

F = TypeVar("F", bound=Callable[..., Any])
_ROOT = Path(__file__).parents[1]
_SOURCES = "source_functions"


def leads_to(functions: Mapping[dg.AssetKey, Callable[..., Any]]) -> Callable[[F], F]:
    """Decorate a step's function: its assets link to these functions, which a reader should see instead."""

    def decorate(step: F) -> F:
        setattr(step, _SOURCES, functions)
        return step

    return decorate


def with_code_links(assets: Iterable[Any]) -> list[Any]:
    """The assets with a link to their function, file and line; whatever else is among them is left as it is."""
    return [_linked(each) if isinstance(each, dg.AssetsDefinition) else each for each in assets]


def _linked(assets: dg.AssetsDefinition) -> dg.AssetsDefinition:
    step = inspect.unwrap(assets.op.compute_fn.decorated_fn)  # type: ignore[union-attr]
    functions = getattr(step, _SOURCES, {})
    return assets.map_asset_specs(lambda spec: spec.merge_attributes(metadata=_link_to(functions.get(spec.key, step))))


def _link_to(function: Callable[..., Any]) -> dict[str, Any]:
    path, line = Path(function.__code__.co_filename), function.__code__.co_firstlineno
    label = f"{path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path.name}:{line}"
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        reference = dg.LocalFileCodeReference(file_path=str(path), line_number=line, label=label)
        return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}
