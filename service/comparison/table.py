"""A comparison as CSV: what each seed of each method has, from which all of it can be computed anew."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from search.objective import measure_name
from service.comparison.views import ChosenView, ComparisonView, MethodView, SeedView

COLUMNS = (
    "method",
    "seed",
    "quantity",
    "budget",
    "value",
    "cost",
    "validation_accuracy",
    "test_accuracy",
    "samples",
    "share",
    "samples_used",
    "seconds",
    "device_seconds",
    "finished",
    "objective",
    "score",
    "test_score",
)


def comparison_csv(comparison: ComparisonView) -> str:
    """For each seed: the objective at each budget, `hypervolume` at its end, and each change before."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for method in comparison.methods:
        for seed in method.seeds:
            writer.writerows(_rows(comparison, method, seed))
    return text.getvalue()


def _rows(comparison: ComparisonView, method: MethodView, seed: SeedView) -> Iterator[list[object]]:
    own = (method.method, seed.seed)
    measure = measure_name(comparison.objective).replace(" ", "_")
    used = (seed.share, seed.samples, seed.seconds, seed.device_seconds, seed.finished, comparison.objective)
    for one in seed.chosen:
        score = one.test_score if comparison.accuracy == "test" else one.score
        yield [*own, measure, one.budget, score, *_point(one), *used, one.score, one.test_score]
    for step in seed.history:
        yield [
            *own,
            "hypervolume_so_far",
            None,
            step.hypervolume,
            None,
            None,
            None,
            step.samples,
            *used,
            None,
            None,
        ]
    yield [*own, "hypervolume", None, seed.hypervolume, None, None, None, seed.samples, *used, None, None]


def _point(one: ChosenView) -> tuple[float | None, ...]:
    return one.cost, one.validation_accuracy, one.test_accuracy, one.samples
