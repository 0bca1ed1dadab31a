"""The table of an ablation as CSV: a row per variant and budget, a column per statistic."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from service.ablations.views import AblationView, BudgetResult, GroupView, VariantView
from service.spread import Spread

SCORES = ("score", "test_score")
QUANTITIES = ("validation_accuracy", "test_accuracy", "cost", "weight_bits", "spike_bits", "steps", *SCORES)
STATISTICS = ("mean", "least", "greatest", "deviation")
_PLACE = (
    "group",
    "variant",
    "method",
    "budget",
    "seeds",
    "seeds_with_a_point",
    "trials_done",
    "trials_planned",
)


def ablation_csv(ablation: AblationView) -> str:
    """Every number of an ablation's table; what is not known yet is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    columns = [f"{quantity}_{statistic}" for quantity in QUANTITIES for statistic in STATISTICS]
    writer.writerow([*_PLACE, *columns, "point_ids", "job_ids"])
    writer.writerows(_rows(ablation))
    return text.getvalue()


def _rows(ablation: AblationView) -> Iterator[list[object]]:
    for group in ablation.groups:
        for variant in group.variants:
            yield from (_row(group, variant, result) for result in variant.results)


def _row(group: GroupView, variant: VariantView, result: BudgetResult) -> list[object]:
    place = (group.key, variant.name, variant.method, result.budget, result.seeds, len(result.found))
    numbers = [number for quantity in QUANTITIES for number in _numbers(getattr(result, quantity))]
    trials = (variant.trials_done, variant.trials_planned)
    return [
        *place,
        *trials,
        *numbers,
        " ".join(one.point_id for one in result.found),
        " ".join(variant.job_ids),
    ]


def _numbers(spread: Spread | None) -> Sequence[float | None]:
    return [getattr(spread, statistic) if spread else None for statistic in STATISTICS]
