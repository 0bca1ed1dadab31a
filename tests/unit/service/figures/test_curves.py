"""Mean bits over epochs: which trials are shown, and what a point has."""

from __future__ import annotations

from service.figures.curves import curve_figures
from service.store.curves import Curve
from service.views import EpochView


def curve(
    method: str = "gradient", seed: int = 0, budget: float | None = 4.0, learned: bool = True, bits: float = 3
) -> Curve:
    epochs = tuple(
        EpochView(
            epoch=number,
            samples=1,
            seconds=1,
            learning_rate=0.1,
            train_loss=1,
            train_accuracy=0.5,
            validation_accuracy=0.5,
            budget_cost=4,
            mean_weight_bits=bits + number,
            mean_spike_bits=2,
            mean_steps=1,
        )
        for number in (1, 2)
    )
    return Curve(method=method, seed=seed, budget=budget, learned=learned, epochs=epochs)


def names(*curves: Curve) -> list[str]:
    return [series.name for series in curve_figures(curves, [2, 4])[0].series]


def test_there_is_a_figure_each_of_weight_bits_spike_bits_and_steps():
    keys = [figure.key for figure in curve_figures([curve()], [4])]
    assert keys == ["weight-bits-over-epochs", "spike-bits-over-epochs", "steps-over-epochs"]


def test_seeds_of_a_method_and_budget_make_one_series():
    (series,) = curve_figures([curve(seed=0, bits=3), curve(seed=1, bits=5)], [4])[0].series
    assert [point.x for point in series.points] == [1, 2]
    assert series.points[0].values == {0: 4, 1: 6}
    assert (series.points[0].spread.mean, series.points[0].spread.least) == (5, 4)


def test_trials_of_fixed_bits_are_shown_only_where_nothing_learned():
    fixed = curve(method="uniform", learned=False)
    assert names(fixed, curve()) == ["gradient ≤ 4"]
    assert names(fixed) == ["uniform ≤ 4"]


def test_budgets_that_the_job_does_not_name_and_trials_without_epochs_are_left_out():
    empty = Curve(method="gradient", seed=0, budget=4, learned=True, epochs=())
    assert names(curve(budget=3), curve(budget=None), empty, curve(budget=2)) == ["gradient ≤ 2"]
