"""Tables of a comparison for the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from search.objective import likelihood_note, measure_name
from service.commands.tables import duration, titled
from service.comparison.views import AtBudgetView, ComparisonView, MethodView, PairView
from service.comparison.words import (
    NOTHING,
    difference_words,
    factor_words,
    outcome_words,
    seeds_words,
    share_words,
)

COLOURS = {"better": "green", "worse": "red"}
NOTE = (
    "Hypervolume: the {measure} of the best point, averaged over the budgets on a logarithmic axis. "
    "Validation {measure} chooses the points.{likelihood} In brackets: 95 % intervals of the mean over seeds."
)


def comparison_tables(view: ComparisonView) -> RenderableType:
    """The verdict, then what it rests on."""
    measure = measure_name(view.objective)
    said = NOTE.format(measure=measure, likelihood=likelihood_note(view.objective))
    parts = [
        titled(f"hypervolume by {view.metric}, {view.accuracy} {measure}, %", _hypervolumes(view)),
        titled(f"{view.accuracy} {measure} at each budget, %", _scores(view)),
        titled(f"{view.subject} against the others: difference in hypervolume, points", _pairs(view)),
    ]
    return Group(Text(view.verdict, style="bold"), Text(), *parts, Text(said, style="dim"))


def _hypervolumes(view: ComparisonView) -> Table:
    table = _table("method", "hypervolume", "seeds", "samples", "wall time", "GPU time")
    for one in view.methods:
        table.add_row(*_hypervolume_row(one))
    return table


def _hypervolume_row(one: MethodView) -> list[str]:
    used = f"{one.samples:,} of {one.share:,}"
    seconds = (duration(one.seconds), duration(one.device_seconds) if one.device_seconds else NOTHING)
    return [escape(one.method), share_words(one.hypervolume), str(one.hypervolume.seeds), used, *seconds]


def _scores(view: ComparisonView) -> Table:
    table = _table("method", *(f"≤ {budget:g}" for budget in view.budgets))
    for one in view.methods:
        table.add_row(escape(one.method), *(_score(entry) for entry in one.at_budgets))
    return table


def _score(entry: AtBudgetView) -> str:
    missing = f", {entry.missing} without a point" if entry.missing else ""
    return share_words(entry.score) + missing


def _pairs(view: ComparisonView) -> Table:
    table = _table("against", "difference", "outcome", "compute to reach it", "seeds to settle it")
    for pair in view.pairs:
        table.add_row(*_pair_row(pair))
    return table


def _pair_row(pair: PairView) -> list[str]:
    outcome, colour = outcome_words(pair.outcome), COLOURS.get(pair.outcome)
    shown = f"[{colour}]{outcome}[/{colour}]" if colour else outcome
    difference = difference_words(pair.difference)
    return [escape(pair.against), difference, shown, factor_words(pair), seeds_words(pair)]


def _table(first: str, *columns: str) -> Table:
    table = Table(first, box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right")
    return table
