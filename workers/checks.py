"""What a job asks for must exist and be within reach; every error points at its field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import get_args

from models.allocation import Bounds
from models.cost import LayerKind, LayerShape, Limit, Scope, default_scope, layer_loads
from models.errors import BitfrontError, InvalidInputError, UnknownNameError
from models.repair import check_feasible, greatest_allocation, least_allocation
from models.targets import target_bounds
from search.job import JobSpec
from search.space import space_bounds
from search.strategies import methods


def check_methods(spec: JobSpec) -> None:
    """Every method is registered. Raises UnknownNameError."""
    known = methods()
    for position, name in enumerate(spec.methods):
        if name not in known:
            raise UnknownNameError(
                f"there is no method {name!r}.",
                fix=f"Use one of {', '.join(known)}.",
                pointer=f"/methods/{position}",
            )


def check_size(spec: JobSpec, layers: Sequence[LayerShape]) -> None:
    """No method is given more parameters than it takes. Raises InvalidInputError."""
    there = sum(low < high for low, high in space_bounds(layers, spec.bits.bounds()).values())
    known = methods()
    for position, name in enumerate(spec.methods):
        most = known[name].most_parameters
        if most is not None and there > most:
            raise InvalidInputError(
                f"{name} takes at most {most} parameters; this job has {there} to search.",
                fix="Use optuna-tpe, a smaller network, or bounds in /bits that leave less open.",
                pointer=f"/methods/{position}",
            )


def check_cost_table(spec: JobSpec, layers: Sequence[LayerShape]) -> None:
    """The job's table has an entry for all that can be asked of it. Raises InvalidInputError."""
    table = spec.cost_basis().table
    scopes = _table_scopes(spec)
    if table is None:
        for pointer in scopes.values():
            raise InvalidInputError(
                "there is no cost table.", fix="Give one as /cost_table.", pointer=pointer
            )
        return
    unknown = table.unknown(layers, get_args(LayerKind))
    if unknown:
        raise InvalidInputError(
            f"the cost table names {', '.join(unknown)}: neither a kind nor a layer of this network.",
            fix=f"Use {', '.join(get_args(LayerKind))} or the name of a layer.",
            pointer="/cost_table",
        )
    bounds = spec.bits.bounds()
    try:
        for scope, end in product(
            scopes or [default_scope("table")], (least_allocation, greatest_allocation)
        ):
            table.check(layer_loads(layers, end(layers, bounds), scope))
    except BitfrontError as error:
        error.pointer = "/cost_table"
        raise


def check_reference_rates(spec: JobSpec, layers: Sequence[LayerShape]) -> None:
    """Every rate is for a layer of the network. Raises InvalidInputError."""
    names = [layer.name for layer in layers]
    for name in spec.reference_rates:
        if name not in names:
            raise InvalidInputError(
                f"there is a reference rate for {name}, which is no layer of this network.",
                fix=f"The layers are {', '.join(names)}.",
                pointer="/reference_rates",
            )


def _table_scopes(spec: JobSpec) -> dict[Scope, str]:
    """The scopes in which the table bounds something, each with the pointer of what it bounds."""
    found = {limit.scope: "/budget/metric" for limit in spec.budgets() if limit.metric == "table"}
    for position, limit in enumerate(spec.constraint_limits()):
        if limit.metric == "table":
            found.setdefault(limit.scope, f"/constraints/{position}/metric")
    return found


def check_limits(spec: JobSpec, layers: Sequence[LayerShape]) -> None:
    """Every limit can be kept, also by what a method learns alone. Raises InfeasibleError."""
    learning = list(_learning_bounds(spec))
    for limit, pointer in _limits_as_written(spec):
        _check_limit(layers, spec.bits.bounds(), limit, pointer)
        for bounds in learning:
            _check_limit(layers, bounds, limit, "/bits/learn")


def _learning_bounds(spec: JobSpec) -> Iterator[Bounds]:
    """The bounds in which each method of the job that learns bits learns them."""
    known = methods()
    for name in spec.methods:
        bounds_of = known[name].learning_bounds
        if bounds_of is not None:
            yield bounds_of(spec.layer_options())


def check_targets(spec: JobSpec) -> None:
    """Each target of what is learned lies where it can be learned. Raises InvalidInputError."""
    bounds = target_bounds(spec.layer_options())
    for position, target in enumerate(spec.targets):
        for name in spec.bits.learn:
            low, high = getattr(bounds, name)
            if not low <= getattr(target, name) <= high:
                raise InvalidInputError(
                    f"{getattr(target, name):g} is out of reach: learning ends at {low} and {high}.",
                    fix=f"Use {low} to {high}, or change /bits.",
                    pointer=f"/targets/{position}/{name}",
                )


def check_early_stopping(spec: JobSpec) -> None:
    """There is an epoch after which a trial could be stopped. Raises InvalidInputError."""
    stopping, epochs = spec.compute.early_stopping, spec.training.epochs
    if stopping is None or stopping.min_epoch < epochs:
        return
    raise InvalidInputError(
        f"nothing can be stopped after epoch {stopping.min_epoch} of {epochs}.",
        fix=f"Use 1 to {epochs - 1}." if epochs > 1 else "Leave it out, or train for more epochs.",
        pointer="/compute/early_stopping/min_epoch",
    )


def _limits_as_written(spec: JobSpec) -> Iterator[tuple[Limit, str]]:
    """Constraints and budgets in the user's order, with their pointers into the job."""
    for position, constraint in enumerate(spec.constraint_limits()):
        yield constraint, f"/constraints/{position}/max"
    by_maximum = {limit.maximum: limit for limit in spec.budgets()}
    for position, maximum in enumerate(spec.budget.max):
        yield by_maximum[maximum], f"/budget/max/{position}"


def _check_limit(layers: Sequence[LayerShape], bounds: Bounds, limit: Limit, pointer: str) -> None:
    try:
        check_feasible(layers, bounds, [limit])
    except BitfrontError as error:
        error.pointer = pointer
        raise
