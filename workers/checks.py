"""What a job asks for must exist and be within reach; every error points at its field.

Limits are checked against the layer table of every architecture: of a search space, one that keeps them is
enough for the methods that choose, and the first has to keep them for those that do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from models.allocation import Bounds
from models.cost import LayerShape, Limit, limit_cost, within
from models.errors import BitfrontError, InfeasibleError, InvalidInputError, UnknownNameError
from models.nets import architectures
from models.nets.setting import Setting as KnownSetting
from models.nets.setting import checked
from models.repair import check_feasible, least_allocation
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


def check_limits(spec: JobSpec, tables: Tables) -> None:
    """Every limit can be kept, also by what a method learns alone. Raises InfeasibleError."""
    learning = list(_learning(spec, tables))
    for limit, pointer in _limits_as_written(spec):
        _check_limit(tables, spec.bits.bounds(), limit, pointer)
        for learnt in learning:
            _check_limit(learnt.tables, learnt.bounds, limit, learnt.pointer)
    for position, maximum in enumerate(spec.budget.max):
        limits = (replace(spec.budgets()[0], maximum=maximum), *spec.constraint_limits())
        _check_together(tables, spec.bits.bounds(), limits, f"/budget/max/{position}")
        for learnt in learning:
            _check_together(learnt.tables, learnt.bounds, limits, learnt.pointer)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Learning:
    """Where a method learns bits: in which bounds, and on which architectures."""

    bounds: Bounds
    tables: Tables
    pointer: str


def _learning(spec: JobSpec, tables: Tables) -> Iterator[_Learning]:
    """The methods of the job that learn bits; on the first architecture alone where they choose none."""
    known = methods()
    first = dict(list(tables.items())[:1])
    for position, name in enumerate(spec.methods):
        method = known[name]
        if method.learning_bounds is not None:
            bounds = method.learning_bounds(spec.layer_options())
            of_first = bool(spec.search_space) and not method.needs_search_space
            yield _Learning(
                bounds=bounds,
                tables=tables if method.needs_search_space else first,
                pointer=f"/methods/{position}" if of_first else "/bits/learn",
            )


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
        if cheapest:
            error.message = f"{error.message.removesuffix('.')}, with {words(cheapest)}."
        raise


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
