"""The studies that every strategy is asked in, of each kind of budget, constraint, cost and space."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from models.allocation import FIRST_LAYER_BITS, Bounds
from models.cost import CostBasis, CostTable, Hardware, LayerShape, Limit, ReferenceRates
from models.cost.table import CostRow
from search.architecture import SearchSpace, architectures_of
from search.strategy import StudyContext

LAYERS = (
    LayerShape(
        name="stem", kind="conv", macs=9_000, weights=144, inputs=64, biases=16, fixed=FIRST_LAYER_BITS
    ),
    LayerShape(name="stage1.conv", kind="conv", macs=150_000, weights=2_304, inputs=1_024, biases=16),
    LayerShape(name="stage2.conv", kind="conv", macs=80_000, weights=4_608, inputs=1_024, biases=32),
    LayerShape(name="classifier", kind="linear", macs=320, weights=320, inputs=32, biases=10),
)
BUDGETS = tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in (2.0, 4.0, 9.0))
NARROW = CostBasis(hardware=Hardware(rows=8, columns=8, bytes_per_cycle=2))
OWN_TABLE = CostBasis(
    table=CostTable.of(
        CostRow(kind=kind, steps=t, spike_bits=s, weight_bits=w, cost=t * max(s, 2) * w + 0.5)
        for kind in ("conv", "linear")
        for t, s, w in product((1, 2, 4), (1, 2, 3, 6), (1, 4, 8))
    )
)
SPARSE = CostBasis(rates=ReferenceRates(layers=(("stage1.conv", 0.25), ("stage2.conv", 0.5))))
CONTEXTS: dict[str, StudyContext] = {
    "three budgets": StudyContext(
        layers=LAYERS, bounds=Bounds(), budgets=BUDGETS, constraints=(), seed=0, trials=11
    ),
    "one budget and constraints": StudyContext(
        layers=LAYERS,
        bounds=Bounds(weight=(2, 6), spike=(1, 4), steps=(1, 3)),
        budgets=(Limit(metric="s_ace", maximum=1_500_000.0),),
        constraints=(
            Limit(metric="weight_kib", maximum=3.5, scope="all"),
            Limit(metric="spike_kib", maximum=0.6),
        ),
        seed=3,
        trials=7,
    ),
    "cycles and energy": StudyContext(
        layers=LAYERS,
        bounds=Bounds(),
        budgets=tuple(
            Limit(metric="cycles", maximum=maximum, scope="all", basis=NARROW)
            for maximum in (20_000.0, 60_000.0)
        ),
        constraints=(Limit(metric="energy_uj", maximum=0.9, scope="all", basis=NARROW),),
        seed=0,
        trials=6,
    ),
    "a measured cost": StudyContext(
        layers=LAYERS,
        bounds=Bounds(),
        budgets=tuple(Limit(metric="ns_ace", maximum=maximum, basis=SPARSE) for maximum in (400_000.0, 2e6)),
        constraints=(Limit(metric="sops", maximum=180_000.0, basis=SPARSE),),
        seed=0,
        trials=6,
    ),
    "a table of its own": StudyContext(
        layers=LAYERS,
        bounds=Bounds(),
        budgets=tuple(Limit(metric="table", maximum=maximum, basis=OWN_TABLE) for maximum in (1e6, 4e6)),
        constraints=(),
        seed=0,
        trials=6,
    ),
    "more budgets than trials": StudyContext(
        layers=LAYERS, bounds=Bounds(), budgets=BUDGETS, constraints=(), seed=1, trials=2
    ),
    "hardly any space": StudyContext(
        layers=LAYERS,
        bounds=Bounds(weight=(1, 2), spike=(1, 1), steps=(1, 1)),
        budgets=BUDGETS[:2],
        constraints=(),
        seed=2,
        trials=20,
    ),
    "a single allocation": StudyContext(
        layers=LAYERS,
        bounds=Bounds(weight=(1, 1), spike=(1, 1), steps=(1, 1)),
        budgets=BUDGETS[:1],
        constraints=(),
        seed=2,
        trials=9,
    ),
}


def table(width: int, depth: int) -> tuple[LayerShape, ...]:
    """The layers of a made-up network of two settings: layers are wider, and there are more of them."""
    stem, *_, classifier = LAYERS
    convs = [
        LayerShape(
            name=f"conv{number}",
            kind="conv",
            macs=576 * width**2,
            weights=9 * width**2,
            inputs=64 * width,
            biases=width,
        )
        for number in range(depth)
    ]
    return (stem, *convs, replace(classifier, macs=10 * width, weights=10 * width, inputs=width))


def searching(space: SearchSpace, budgets: tuple[Limit, ...], *constraints: Limit) -> StudyContext:
    """A study that may choose among made-up networks."""
    tables = {chosen: table(**dict(chosen)) for chosen in architectures_of(space)}  # type: ignore[arg-type]  # whole numbers
    first = next(iter(tables))
    return StudyContext(
        layers=tables[first],
        settings=first,
        tables=tables,
        bounds=Bounds(),
        budgets=budgets,
        constraints=constraints,
        seed=5,
        trials=11,
    )


CONTEXTS |= {
    "a choice of six architectures": searching({"width": [4, 8, 16], "depth": [2, 3]}, BUDGETS),
    "architectures that are too large": searching(
        {"width": [4, 8, 64, 128], "depth": [1, 2]},
        tuple(Limit(metric="s_ace", maximum=maximum) for maximum in (30_000.0, 90_000.0, 1_000_000.0)),
        Limit(metric="weight_kib", maximum=2.0, scope="all"),
    ),
    "architectures by cycles": searching(
        {"width": [4, 8], "depth": [1, 2]},
        tuple(
            Limit(metric="cycles", maximum=maximum, scope="all", basis=NARROW)
            for maximum in (20_000.0, 60_000.0)
        ),
        Limit(metric="energy_uj", maximum=2.0, scope="all", basis=NARROW),
    ),
}
