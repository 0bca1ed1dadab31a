"""What a job asks for must exist and be within reach; every error points at its field.

Limits are checked against the layer table of every architecture: of a search space, one that keeps them is
enough for the methods that choose, and the first has to keep them for those that do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import get_args

from models.allocation import Bounds
from models.cost import (
    CostTable,
    LayerKind,
    LayerShape,
    Limit,
    Scope,
    default_scope,
    layer_loads,
    limit_cost,
    within,
)
from models.errors import BitfrontError, InfeasibleError, InvalidInputError, UnknownNameError
from models.nets import architectures
from models.nets.setting import Setting as KnownSetting
from models.nets.setting import checked
from models.repair import check_feasible, greatest_allocation, least_allocation
from models.targets import target_bounds
from search.architecture import Chosen, words
from search.fields import Setting
from search.job import JobSpec
from search.space import space_bounds
from search.strategies import methods

Tables = Mapping[Chosen, Sequence[LayerShape]]
"""The layer table of every architecture of a job."""


def check_methods(spec: JobSpec) -> None:
    """Every method is registered and has what it needs. Raises UnknownNameError or InvalidInputError."""
    known = methods()
    for position, name in enumerate(spec.methods):
        if name not in known:
            raise UnknownNameError(
                f"there is no method {name!r}.",
                fix=f"Use one of {', '.join(known)}.",
                pointer=f"/methods/{position}",
            )
        if known[name].needs_search_space and not spec.search_space:
            raise InvalidInputError(
                f"{name} searches architecture, and this job names nothing to choose among.",
                fix="Add search_space, such as search_space: {width: [8, 16, 24]}, or use gradient.",
                pointer=f"/methods/{position}",
            )


def check_search_space(spec: JobSpec) -> None:
    """Every setting of the search space is one of the architecture, takes each value, and is free to choose.

    Raises InvalidInputError. An unknown architecture is not its concern.
    """
    known = architectures().get(spec.architecture.name)
    if known is None:
        return
    for name, values in spec.search_space.items():
        if name in spec.architecture.settings:
            raise InvalidInputError(
                f"{name} is given in architecture, so there is nothing to choose.",
                fix="Leave it out there, or here.",
                pointer=f"/search_space/{name}",
            )
        for position, value in enumerate(values):
            _check_value(known.settings, name, value, position)


def _check_value(known: Mapping[str, KnownSetting], name: str, value: Setting, position: int) -> None:
    try:
        checked(known, {name: value})
    except BitfrontError as error:
        error.pointer = f"/search_space/{name}" + (f"/{position}" if name in known else "")
        raise


def check_size(spec: JobSpec, tables: Tables) -> None:
    """No method is given more parameters than it takes. Raises InvalidInputError."""
    there = sum(low < high for low, high in space_bounds(tables, spec.bits.bounds()).values())
    known = methods()
    for position, name in enumerate(spec.methods):
        most = known[name].most_parameters
        if most is not None and there > most:
            raise InvalidInputError(
                f"{name} takes at most {most} parameters; this job has {there} to search.",
                fix="Use optuna-tpe, a smaller network, or bounds in /bits that leave less open.",
                pointer=f"/methods/{position}",
            )


def check_cost_table(spec: JobSpec, tables: Tables) -> None:
    """The job's table has an entry for all that can be asked of it, on every architecture.

    Raises InvalidInputError.
    """
    table = spec.cost_basis().table
    scopes = _table_scopes(spec)
    if table is None:
        for pointer in scopes.values():
            raise InvalidInputError(
                "there is no cost table.", fix="Give one as /cost_table.", pointer=pointer
            )
        return
    _check_names(table, tables)
    for chosen, layers in tables.items():
        _check_entries(table, layers, spec.bits.bounds(), scopes or [default_scope("table")], chosen)


def _check_names(table: CostTable, tables: Tables) -> None:
    """Rows are for kinds, or for layers that are there and the same wherever they are there."""
    layers = [layer for there in tables.values() for layer in there]
    unknown = table.unknown(layers, get_args(LayerKind))
    if unknown:
        raise InvalidInputError(
            f"the cost table names {', '.join(unknown)}: neither a kind nor a layer of this network.",
            fix=f"Use {', '.join(get_args(LayerKind))} or the name of a layer.",
            pointer="/cost_table",
        )
    for grid in table.grids:
        if len({layer for layer in layers if layer.name == grid.name}) > 1:
            raise InvalidInputError(
                f"the cost table has one cost for all of {grid.name}, which has several sizes here.",
                fix="Give rows for its kind, which count by MACs, or leave search_space out.",
                pointer="/cost_table",
            )


def _check_entries(
    table: CostTable, layers: Sequence[LayerShape], bounds: Bounds, scopes: Iterable[Scope], chosen: Chosen
) -> None:
    try:
        for scope, end in product(scopes, (least_allocation, greatest_allocation)):
            table.check(layer_loads(layers, end(layers, bounds), scope))
    except BitfrontError as error:
        error.pointer = "/cost_table"
        _say_where(error, chosen)
        raise


def check_reference_rates(spec: JobSpec, tables: Tables) -> None:
    """Every rate is for a layer of the network, on some architecture. Raises InvalidInputError."""
    names = dict.fromkeys(layer.name for layers in tables.values() for layer in layers)
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


def check_limits(spec: JobSpec, tables: Tables) -> None:
    """Every limit can be kept, also by what a method has to itself. Raises InfeasibleError."""
    reaches = list(_reaches(spec, tables))
    for limit, pointer in _limits_as_written(spec):
        _check_limit(tables, spec.bits.bounds(), limit, pointer)
        for own in reaches:
            _check_limit(own.tables, own.bounds, limit, own.pointer)
    for position, maximum in enumerate(spec.budget.max):
        limits = (replace(spec.budgets()[0], maximum=maximum), *spec.constraint_limits())
        _check_together(tables, spec.bits.bounds(), limits, f"/budget/max/{position}")
        for own in reaches:
            _check_together(own.tables, own.bounds, limits, own.pointer)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reach:
    """Where a method finds its bits: in which bounds, and on which architectures."""

    bounds: Bounds
    tables: Tables
    pointer: str


def _reaches(spec: JobSpec, tables: Tables) -> Iterator[_Reach]:
    """The methods of the job that learn bits, or that keep to the first architecture of a search space."""
    known = methods()
    first = dict(list(tables.items())[:1])
    for position, name in enumerate(spec.methods):
        method = known[name]
        if method.learning_bounds is not None:
            bounds = method.learning_bounds(spec.layer_options())
            of_first = bool(spec.search_space) and not method.needs_search_space
            yield _Reach(
                bounds=bounds,
                tables=tables if method.needs_search_space else first,
                pointer=f"/methods/{position}" if of_first else "/bits/learn",
            )
        elif method.trains_first and spec.search_space:
            yield _Reach(bounds=spec.bits.bounds(), tables=first, pointer=f"/methods/{position}")


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


def _check_limit(tables: Tables, bounds: Bounds, limit: Limit, pointer: str) -> None:
    """The architecture that is cheapest by a limit can keep it."""
    costs = {
        chosen: limit_cost(limit, layers, least_allocation(layers, bounds))
        for chosen, layers in tables.items()
    }
    cheapest = min(costs, key=costs.__getitem__)
    try:
        check_feasible(tables[cheapest], bounds, [limit])
    except BitfrontError as error:
        error.pointer = pointer
        _say_where(error, cheapest)
        raise


def _say_where(error: BitfrontError, chosen: Chosen) -> None:
    """Name the architecture of a search space that an error is about."""
    if chosen:
        error.message = f"{error.message.removesuffix('.')}, with {words(chosen)}."


def _check_together(tables: Tables, bounds: Bounds, limits: Sequence[Limit], pointer: str) -> None:
    """One architecture can keep all of the limits, each of which one can keep."""
    if any(within(limits, layers, least_allocation(layers, bounds)) for layers in tables.values()):
        return
    told = ", ".join(f"{limit.metric} <= {limit.maximum:g}" for limit in limits)
    raise InfeasibleError(
        f"no architecture of the search space keeps all of {told}.",
        fix="Raise a limit, lower the bounds of the bits, or add smaller values to search_space.",
        pointer=pointer,
    )
