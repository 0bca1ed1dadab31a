"""Writes docs/results.md and pages like it: the tables and figures of benchmarks/search_quality.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.comparison.views import ComparisonView, IntervalView, MethodView, PairView
from service.figures.drawing import figure_svg
from service.figures.views import FigureView

INTRODUCTION = """# Results

Which method finds the best allocations at equal compute? The command below wrote this page. Each figure is a
mean over seeds with its 95 % interval. *Hypervolume* is the accuracy of a method's best point, averaged over
the logarithm of the budget from the least to the greatest ([how it is compared](comparison.md)). *Test* is
the test accuracy of the points that validation chose. Differences are in points, paired by seed. Wall
seconds are as they were, whatever else the machine did; samples are what is equal.

```
{command}
```
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One setting; `figure` has its hypervolume against compute.

    `tests` has a comparison for each method that is compared with the others; `long` compares runs of
    black-box methods that had `times` the compute.
    """

    name: str
    spec: Mapping[str, Any]
    tests: Sequence[ComparisonView]
    validation: ComparisonView
    figure: FigureView
    long: ComparisonView | None
    times: float


def report(sections: Sequence[Section], file: Path, command: str) -> None:
    """Write the report and, beside it under images/, a figure for each setting."""
    images = file.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    for section in sections:
        (images / f"{file.stem}-{section.name}.svg").write_text(figure_svg(section.figure))
    parts = (line for one in sections for line in _section(one, file.stem))
    lines = [INTRODUCTION.format(command=command), *parts]
    file.write_text("\n".join(lines).rstrip() + "\n")


def _section(section: Section, report_name: str) -> Iterator[str]:
    spec = section.spec
    network = " ".join(str(value) for value in spec["architecture"].values())
    images = spec["dataset"]["train_samples"] or "all"
    yield f"## {section.name}\n"
    if space := spec.get("search_space"):
        values = (f"{name} {', '.join(map(str, given))}" for name, given in space.items())
        network = f"{network} with {'; '.join(values)}"
    yield (
        f"{network} on {spec['dataset']['name']} ({images} images, split {spec['dataset']['split_seed']}), "
        f"{spec['training']['epochs']} epochs a trial, {spec['compute']['trials_per_study']} trials a study, "
        f"seeds {', '.join(str(seed) for seed in spec['seeds'])}.\n"
    )
    yield from _methods_table(section)
    for test in section.tests:
        yield f"**{test.verdict}**\n"
        yield from _pairs_table(test)
    if section.long is not None:
        yield from _long_table(section, section.long)
    yield f"![Hypervolume against compute](images/{report_name}-{section.name}.svg)\n"


def _methods_table(section: Section) -> Iterator[str]:
    test = section.tests[0]
    chosen = {one.method: one for one in section.validation.methods}
    budgets = "".join(f" test at {budget:g} |" for budget in test.budgets)
    yield f"| method | hypervolume, test | validation |{budgets} wall seconds a study |"
    yield "|---|---|---|" + "---|" * len(test.budgets) + "---|"
    for one in test.methods:
        cells = [one.method, _interval(one.hypervolume), _interval(chosen[one.method].hypervolume)]
        cells += [_interval(at.accuracy) for at in one.at_budgets]
        yield f"| {' | '.join([*cells, f'{one.seconds:.0f}'])} |"
    yield ""


def _pairs_table(test: ComparisonView) -> Iterator[str]:
    yield f"| {test.subject} against | difference, test | outcome | compute to get there | seeds needed |"
    yield "|---|---|---|---|---|"
    for pair in test.pairs:
        needed = str(pair.seeds_needed or "over 100") if pair.outcome == "undecided" else "–"
        yield f"| {pair.against} | {_signed(pair.difference)} | {pair.outcome} | {_factor(pair)} | {needed} |"
    yield ""


def _long_table(section: Section, long: ComparisonView) -> Iterator[str]:
    """When a black-box method with more compute reaches the median of each method that is compared."""
    targets = {test.subject: _last_median(test) for test in section.tests}
    heads = "".join(f" reaches {subject}'s {_percent(target)} at |" for subject, target in targets.items())
    count = len(long.methods[0].seeds)
    yield f"With {section.times:g} times the compute, {'one seed' if count == 1 else f'{count} seeds'}:\n"
    yield f"| method | hypervolume, test |{heads}"
    yield "|---|---|" + "---|" * len(targets)
    for one in long.methods:
        cells = [one.method, _interval(one.hypervolume)]
        cells += [_reached(one, target, section.times) for target in targets.values()]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _last_median(test: ComparisonView) -> float:
    return next(one for one in test.methods if one.method == test.subject).curve[-1].median


def _reached(one: MethodView, target: float, times: float) -> str:
    there = next((point.share for point in one.curve if point.median >= target), None)
    return f"not within {times:g} x" if there is None else f"{there * times:.1f} x"


def _interval(found: IntervalView | None) -> str:
    if found is None:
        return "–"
    return _with_ends(found, _percent)


def _signed(found: IntervalView | None) -> str:
    if found is None:
        return "–"
    return _with_ends(found, lambda value: f"{100 * value:+.2f}")


def _with_ends(found: IntervalView, shown: Callable[[float], str]) -> str:
    if found.low is None or found.high is None:
        return shown(found.value)
    return f"{shown(found.value)} ({shown(found.low)} to {shown(found.high)})"


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %"


def _factor(pair: PairView) -> str:
    if pair.compute_factor is None:
        return f"not within {pair.compute_searched:.1f} x"
    return f"{pair.compute_factor:.2f} x"
