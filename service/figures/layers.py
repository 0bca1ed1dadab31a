"""The bits of each layer of a job's best point under each budget, as bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.allocation import Allocation, LayerBits
from search.architecture import chosen_of, words
from search.objective import measure_name
from service.figures.views import FigureSeries, FigureView, figure_point
from service.views import PointView


def layer_figures(best: Sequence[tuple[float, PointView]]) -> list[FigureView]:
    """A figure for each (budget, point)."""
    return [_figure(budget, point) for budget, point in best]


def layer_key(budget: float) -> str:
    """The key of the figure of a budget's point."""
    return f"layers-at-{budget:g}".replace("+", "")


def _figure(budget: float, point: PointView) -> FigureView:
    measure = measure_name(point.objective)
    score = f"{100 * point.score:.1f} % validation {measure}"
    built = f" Architecture: {words(chosen_of(point.settings))}." if point.settings else ""
    best = f"The best point by validation {measure}: {point.method}, seed {point.seed}, {score}."
    return FigureView(
        key=layer_key(budget),
        title=f"Bits of each layer under a budget of {budget:g}",
        note=best + built,
        kind="bars",
        marks="order",
        x_label="layer",
        y_label="steps or bits",
        log_x=False,
        shares=False,
        series=list(_series(point)),
    )


def _series(point: PointView) -> Iterator[FigureSeries]:
    layers = list(Allocation.from_json(point.allocation))
    for name, values in _quantities([bits for _, bits in layers]):
        points = [
            figure_point(layer, {point.seed: value}) for (layer, _), value in zip(layers, values, strict=True)
        ]
        yield FigureSeries(name=name, points=[one for one in points if one is not None])


def _quantities(bits: Sequence[LayerBits]) -> tuple[tuple[str, list[float]], ...]:
    return (
        ("Time steps T", [one.steps for one in bits]),
        ("Spike bits Bs", [one.mean_spike_bits for one in bits]),
        ("Weight bits Bw", [round(one.mean_weight_bits, 1) for one in bits]),
    )
