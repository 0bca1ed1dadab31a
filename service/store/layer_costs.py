"""What each layer of a stored point costs, from the layer table that its job was planned with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from models.allocation import Allocation, LayerBits
from models.cost import LayerShape, Scope, costs, layer_costs
from search.architecture import chosen_of
from search.job import JobSpec
from service.views import LayerCostView

SHAPE_FIELDS = ("name", "kind", "macs", "weights", "inputs", "biases", "partner")


def stored_layers(plan: Mapping[str, Any], settings: Mapping[str, Any]) -> list[LayerShape]:
    """The layer table of a stored plan for an architecture, by the settings that were chosen for it.

    Layers whose fixed bits an earlier version did not store are left out.
    """
    return [_shape(row) for row in _rows(plan, settings) if row["searched"] or row.get("fixed")]


def point_layer_costs(
    spec: Mapping[str, Any],
    plan: Mapping[str, Any],
    allocation: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> list[LayerCostView]:
    """The costs of every layer of a point on the architecture with these settings.

    None where its job has no plan with the layers of the point.
    """
    layers = stored_layers(plan, settings)
    if not _names(layers) or _names(layers) != set(allocation):
        return []
    basis = JobSpec.model_validate(spec).cost_basis()
    found = layer_costs(layers, Allocation.from_json(allocation), basis)
    return [LayerCostView(**asdict(one)) for one in found]


def _rows(plan: Mapping[str, Any], settings: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    named: Sequence[Mapping[str, Any]] = plan.get("layers", ())
    if not settings:
        return named
    chosen, tables = chosen_of(settings), plan.get("tables", ())
    return next((one["layers"] for one in tables if chosen_of(one["settings"]) == chosen), ())


def _names(layers: Sequence[LayerShape]) -> set[str]:
    return {layer.name for layer in layers if layer.fixed is None}


def _shape(row: Mapping[str, Any]) -> LayerShape:
    fixed = None if row["searched"] else LayerBits.from_json(row["fixed"])
    fields: dict[str, Any] = {name: row.get(name) for name in SHAPE_FIELDS}
    return LayerShape(**fields, fixed=fixed)


def computed_costs(
    spec: JobSpec,
    plan: Mapping[str, Any],
    allocation: Mapping[str, Any],
    settings: Mapping[str, Any],
    rates: Mapping[str, Sequence[float]],
) -> dict[Scope, dict[str, float]]:
    """The costs of a stored point, computed anew from its layers, bits and rates with its job's hardware.

    By scope; a scope is left out where the stored plan does not tell all of its layers.
    """
    layers = stored_layers(plan, settings)
    if not _names(layers) or _names(layers) != set(allocation):
        return {}
    scopes: tuple[Scope, ...] = ("searched", "all") if whole_table(plan, settings) else ("searched",)
    bits, basis = Allocation.from_json(allocation), spec.cost_basis()
    measured = rates if all(layer.name in rates for layer in layers) else None
    return {scope: costs(layers, bits, scope, measured, basis) for scope in scopes}


def whole_table(plan: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether a stored plan tells the fixed bits of every layer that is not searched."""
    rows = _rows(plan, settings)
    return bool(rows) and all(row["searched"] or row.get("fixed") for row in rows)
