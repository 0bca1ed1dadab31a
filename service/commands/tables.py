"""Tables of jobs, plans and progress for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from search.architecture import chosen_of, words
from search.objective import measure_name
from service.views import BestUnderBudget, JobView, NamedView, PlanView, StudyView, objective_of

STATE_COLOURS = {"succeeded": "green", "failed": "red", "cancelled": "yellow", "running": "cyan"}


def percent(fraction: float | None) -> str:
    """An accuracy in per cent, or a dash."""
    return "-" if fraction is None else f"{100 * fraction:.1f}"


def duration(seconds: float | None) -> str:
    """Seconds in words; empty when unknown."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def coloured(state: str) -> str:
    """A state in its colour."""
    colour = STATE_COLOURS.get(state)
    return f"[{colour}]{state}[/{colour}]" if colour else state


def titled(title: str, content: RenderableType) -> RenderableType:
    """A heading above its content; a table's own title would be wrapped to the table's width."""
    return Group(Text(title, style="bold"), content)


def jobs_table(jobs: Iterable[JobView]) -> Table:
    """One row per job."""
    jobs = list(jobs)
    labelled = any(job.labels for job in jobs)
    table = Table("job", "name", "state", "trials", "created (UTC)", *(["labels"] if labelled else []))
    for job in jobs:
        trials = f"{job.trials_finished}/{job.trials_planned}"
        created = f"{job.created_at:%Y-%m-%d %H:%M}"
        labels = " ".join(f"{key}:{value}" for key, value in job.labels.items())
        cells = [job.id, escape(job.name), coloured(job.state), trials, created, escape(labels)]
        table.add_row(*cells[: len(table.columns)])
    return table


def headline(job: JobView) -> str:
    """How far a job is, in one line."""
    left = (
        f", about {duration(job.seconds_left)} left" if job.seconds_left is not None and _going(job) else ""
    )
    trials = f"{job.trials_finished} of {job.trials_planned} trials"
    return f"{job.name} ({job.id}): {job.state}, {trials}{left}"


def plain_line(job: JobView) -> str:
    """How far a job is and its best scores, in one line without colour."""
    best = ", ".join(
        f"{percent(entry.score)} % at {entry.budget:g}" for entry in job.best if entry.score is not None
    )
    named = "" if objective_of(job) == "accuracy" else f"{measure_name(objective_of(job))} "
    return headline(job) + (f"; best {named}{best}" if best else "")


def progress_view(job: JobView) -> RenderableType:
    """One row per study under the headline; compact, so that the demo's fits a terminal of 24 lines."""
    budgets = [entry.budget for entry in job.best]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("method")
    for column in ("seed", "trials", "samples", *(f"≤ {budget:g}" for budget in budgets)):
        table.add_column(column, justify="right")
    for study in job.studies:
        table.add_row(*_study_row(study, budgets))
    trials = f"{job.trials_finished}/{job.trials_planned}"
    table.add_row("together", "", trials, "", *_best_cells(job.best, budgets), style="bold")
    metric, measure = job.spec["budget"]["metric"], measure_name(objective_of(job))
    return Group(Text(headline(job)), Text(f"Best validation {measure} in % by {metric}:"), table)


def plan_view(plan: PlanView) -> RenderableType:
    """The layer table, the reach of each cost, and the compute."""
    layers = Table("layer", "kind", "searched")
    for column in ("MACs", "weights", "inputs"):
        layers.add_column(column, justify="right")
    for layer in plan.layers:
        counts = (f"{layer.macs:,}", f"{layer.weights:,}", f"{layer.inputs:,}")
        layers.add_row(layer.name, layer.kind, "yes" if layer.searched else "fixed", *counts)
    reach = Table("cost", "least", "greatest")
    for metric, (least, greatest) in plan.costs.items():
        reach.add_row(metric, f"{least:,.6g}", f"{greatest:,.6g}")
    named = f"layers with {words(chosen_of(plan.settings))}" if plan.settings else "layers"
    reached = f"what {plan.architectures} architectures" if plan.settings else "what the bits"
    compute = f"{plan.trials} trials at most; {plan.samples_per_study:,} training samples per study."
    return Group(titled(named, layers), titled(f"{reached} can reach", reach), Text(compute))


def named_table(named: Iterable[NamedView]) -> Table:
    """What a job may name."""
    table = Table("name", "what it is", "available")
    for entry in named:
        available = "yes" if entry.available else f"no: {entry.reason or 'no reason given'}"
        table.add_row(escape(entry.name), escape(entry.summary), escape(available))
    return table


def _study_row(study: StudyView, budgets: Sequence[float]) -> list[str]:
    ended = study.trials_succeeded + study.trials_failed
    trials = f"{ended}/{study.trials_planned}" + (f" +{study.trials_running}" if study.trials_running else "")
    trials += f" ({study.trials_failed} failed)" if study.trials_failed else ""
    trials += f" ({study.trials_stopped} stopped)" if study.trials_stopped else ""
    trials += f" ({study.trials_reused} reused)" if study.trials_reused else ""
    if study.finished:
        trials = f"{ended} done" + trials.partition(str(study.trials_planned))[2]
    return [study.method, str(study.seed), trials, f"{study.samples:,}", *_best_cells(study.best, budgets)]


def _best_cells(best: Sequence[BestUnderBudget], budgets: Sequence[float]) -> list[str]:
    found = {entry.budget: entry.score for entry in best}
    return [percent(found.get(budget)) for budget in budgets]


def _going(job: JobView) -> bool:
    return job.state in {"queued", "running", "cancelling"}
