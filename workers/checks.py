"""What a job asks for must exist and be within reach; every error points at its field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.allocation import Bounds
from models.cost import LayerShape, Limit
from models.errors import BitfrontError, InvalidInputError, UnknownNameError
from models.repair import check_feasible
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
