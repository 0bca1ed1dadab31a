"""Batches on the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from service.batches.views import BatchView
from service.commands.tables import coloured

BAR_WIDTH = 40


def headline(batch: BatchView) -> str:
    """How far a batch is, in one line."""
    jobs = f"{batch.jobs_ended} of {batch.jobs} jobs"
    trials = f"{batch.trials_finished} of {batch.trials_planned} trials"
    done = f"{int(100 * batch.share_done)} %"  # rounded down: 100 % is when nothing is left
    return f"{batch.name} ({batch.id}): {batch.state}, {done}, {jobs}, {trials}"


def states_line(batch: BatchView) -> str:
    """How many jobs are in each state that any is in."""
    return ", ".join(f"{count} {state}" for state, count in batch.jobs_by_state.items() if count)


def batch_view(batch: BatchView) -> RenderableType:
    """A batch with a bar of its progress."""
    bar = ProgressBar(total=1.0, completed=batch.share_done, width=BAR_WIDTH)
    return Group(Text(headline(batch)), bar, Text(states_line(batch)))


def batches_table(batches: Iterable[BatchView]) -> Table:
    """One row per batch."""
    table = Table()
    table.add_column("batch", no_wrap=True)  # to be copied whole, also in 80 columns
    for column in ("name", "state", "done", "jobs", "created (UTC)"):
        table.add_column(column)
    for one in batches:
        done, jobs = f"{int(100 * one.share_done)} %", f"{one.jobs_ended}/{one.jobs}"
        created = f"{one.created_at:%Y-%m-%d %H:%M}"
        table.add_row(one.id, escape(one.name), coloured(one.state), done, jobs, created)
    return table
