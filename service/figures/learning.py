"""The learning curves of one trial as figures: accuracy, loss, mean bits and the cost that is bounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.figures.views import FigureSeries, FigureView, figure_point
from service.views import EpochView, TrialView

Values = Callable[[EpochView], float | None]
CURVES: Mapping[str, tuple[str, str, Mapping[str, Values]]] = {
    "accuracy": (
        "Accuracy over epochs",
        "accuracy",
        {"training": lambda at: at.train_accuracy, "validation": lambda at: at.validation_accuracy},
    ),
    "loss": (
        "Loss over epochs",
        "mean cross entropy",
        {"training": lambda at: at.train_loss, "validation": lambda at: at.validation_loss},
    ),
    "bits": (
        "Mean bits and steps over epochs",
        "bits; time steps",
        {
            "weight bits": lambda at: at.mean_weight_bits,
            "spike bits": lambda at: at.mean_spike_bits,
            "time steps": lambda at: at.mean_steps,
        },
    ),
    "cost": ("Cost over epochs", "cost", {"cost": lambda at: at.budget_cost}),
}
"""(title, axis, series) by key."""
NOTES = {
    "accuracy": "After each epoch; the test split is not looked at before the end.",
    "loss": "After each epoch. The training loss has the recipe's smoothing and mixup, where it has any.",
    "bits": "Means over the searched layers, as they are counted for the budget.",
    "cost": "By the metric of the budget, with bits rounded up to whole numbers.",
}


def learning_figures(trial: TrialView) -> list[FigureView]:
    """A figure for each curve that has points."""
    figures = [_figure(trial, key) for key in CURVES]
    return [figure for figure in figures if figure.series]


def _figure(trial: TrialView, key: str) -> FigureView:
    title, axis, curves = CURVES[key]
    series = [_series(trial, name, value) for name, value in curves.items()]
    return FigureView(
        key=key,
        title=title,
        note=NOTES[key],
        kind="lines",
        marks="order",
        x_label="epoch",
        y_label=axis,
        log_x=False,
        shares=key == "accuracy",
        series=[one for one in series if one.points],
    )


def _series(trial: TrialView, name: str, value: Values) -> FigureSeries:
    values = [(epoch.epoch, value(epoch)) for epoch in trial.epochs]
    points = [figure_point(at, {trial.seed: found}) for at, found in values if found is not None]
    return FigureSeries(name=name, points=[point for point in points if point is not None])
