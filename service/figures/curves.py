"""Mean bits over epochs: for each method and budget, what the trials of its seeds had after each epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from service.figures.views import FigurePoint, FigureSeries, FigureView, figure_point
from service.store.curves import Curve
from service.views import EpochView

Quantity = Callable[[EpochView], float]
QUANTITIES: Mapping[str, tuple[str, Quantity]] = {
    "weight-bits": ("Mean weight bits Bw", lambda epoch: epoch.mean_weight_bits),
    "spike-bits": ("Mean spike bits Bs", lambda epoch: epoch.mean_spike_bits),
    "steps": ("Mean time steps T", lambda epoch: epoch.mean_steps),
}


def curve_figures(curves: Sequence[Curve], budgets: Sequence[float]) -> list[FigureView]:
    """A figure each of Bw, Bs and T; curves of other budgets than the job's are left out.

    Trials that learn their bits are shown; those of fixed bits only where nothing learned.
    """
    shown = [curve for curve in curves if curve.budget in budgets and curve.epochs]
    learning = [curve for curve in shown if curve.learned]
    return [_figure(key, name, of, learning or shown) for key, (name, of) in QUANTITIES.items()]


def _figure(key: str, name: str, of: Quantity, curves: Sequence[Curve]) -> FigureView:
    keys = dict.fromkeys((curve.method, curve.budget) for curve in curves)
    series = [
        FigureSeries(
            name=f"{method} ≤ {budget:g}",
            points=_points([one for one in curves if (one.method, one.budget) == (method, budget)], of),
        )
        for method, budget in keys
    ]
    return FigureView(
        key=f"{key}-over-epochs",
        title=f"{name} over epochs",
        note="Rounded bits of the searched layers after each epoch, weighted as in the bit budget.",
        kind="lines",
        marks="order",
        x_label="epoch",
        y_label=name,
        log_x=False,
        shares=False,
        series=series,
    )


def _points(curves: Sequence[Curve], of: Quantity) -> list[FigurePoint]:
    """A point per epoch; of two trials of a seed under one budget, the later one counts."""
    by_epoch: dict[int, dict[int, float]] = {}
    for curve in curves:
        for epoch in curve.epochs:
            by_epoch.setdefault(epoch.epoch, {})[curve.seed] = of(epoch)
    found = (figure_point(epoch, values) for epoch, values in sorted(by_epoch.items()))
    return [point for point in found if point is not None]
