"""Tables of ablations for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from search.objective import likelihood_note, measure_name
from service.ablations.views import AblationView, BudgetResult, GroupView, VariantView
from service.commands.tables import coloured, titled
from service.spread import Spread

_NUMBERS = ("validation %", "test %", "cost", "Bw", "Bs", "T", "seeds")


def headline(ablation: AblationView) -> str:
    """How far an ablation is, in one line."""
    jobs = f"{ablation.jobs_ended} of {ablation.jobs} jobs"
    trials = f"{ablation.trials_done} of {ablation.trials_planned} trials"
    return f"{ablation.name} ({ablation.id}): {ablation.state}, {jobs}, {trials}"


def ablations_table(ablations: Iterable[AblationView]) -> Table:
    """One row per ablation."""
    table = Table()
    table.add_column("ablation", no_wrap=True)  # to be copied whole, also in 80 columns
    for column in ("name", "state", "jobs", "groups", "created (UTC)"):
        table.add_column(column)
    for one in ablations:
        jobs, created = f"{one.jobs_ended}/{one.jobs}", f"{one.created_at:%Y-%m-%d %H:%M}"
        groups = ", ".join(one.spec["groups"])
        table.add_row(one.id, escape(one.name), coloured(one.state), jobs, groups, created)
    return table


def ablation_view(ablation: AblationView) -> RenderableType:
    """A table per group: mean ± standard deviation over seeds, least and greatest in brackets."""
    job = ablation.spec["job"]
    metric, objective = job["budget"]["metric"], job.get("objective", "accuracy")
    groups = [titled(f"{group.title}: {group.question}", _table(group, metric)) for group in ablation.groups]
    note = "Mean ± standard deviation over seeds (least to greatest); points chosen by validation "
    note += f"{measure_name(objective)}.{likelihood_note(objective)}"
    return Group(Text(headline(ablation)), *groups, Text(note, style="dim"))


def _table(group: GroupView, metric: str) -> Table:
    table = Table("variant", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"{metric} ≤", justify="right")
    for name in _NUMBERS:
        table.add_column(name, justify="right")
    for variant in group.variants:
        for place, result in enumerate(variant.results):
            table.add_row(*_row(variant, result, first=place == 0))
    return table


def _row(variant: VariantView, result: BudgetResult, *, first: bool) -> list[str]:
    scores = (shares(result.score), shares(result.test_score))
    numbers = (result.cost, result.weight_bits, result.spike_bits, result.steps)
    seeds = f"{len(result.found)}/{result.seeds}"
    name = escape(variant.name) if first else ""
    return [name, f"{result.budget:g}", *scores, *(_mean(number) for number in numbers), seeds]


def shares(spread: Spread | None) -> str:
    """Scores over seeds, in per cent."""
    if spread is None:
        return "-"
    if spread.deviation is None:
        return f"{100 * spread.mean:.1f}"
    around = f"{100 * spread.mean:.1f} ± {100 * spread.deviation:.1f}"
    return f"{around} ({100 * spread.least:.1f} to {100 * spread.greatest:.1f})"


def _mean(spread: Spread | None) -> str:
    return "-" if spread is None else f"{spread.mean:.3g}"
