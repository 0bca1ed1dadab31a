"""`bitfront trial`: one trial, its attempts, and what its workers wrote down."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from service.commands.shared import client_of, out, print_json
from service.views import TrialView
from service.web.formats import clock, duration, flattened
from service.worker_log import WorkerLineView

AsJson = Annotated[bool, typer.Option("--json", help="Print the trial as JSON.")]
WithLog = Annotated[bool, typer.Option("--log", help="Print the log of its workers too.")]


def trial(
    context: typer.Context,
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="The id of a trial.")],
    log: WithLog = False,
    as_json: AsJson = False,
) -> None:
    """Show a trial: what became of it, and every attempt with the reason of its end."""
    client = client_of(context)
    found = client.trial(trial)
    if as_json:
        print_json(found)
        return
    out().print(_words(found), soft_wrap=True, markup=False)
    if found.attempts:
        out().print(_attempts(found))
    if log:
        for line in client.trial_log(trial):
            out().print(_line(line), soft_wrap=True, markup=False)


def _words(trial: TrialView) -> str:
    said = f"{trial.id}: {trial.state}, {trial.method}, seed {trial.seed}, {trial.epochs_done} epochs done"
    reused = f"; took over the result of {trial.reused_from}" if trial.reused_from else ""
    why = f"; {trial.reason}: {trial.message}" if trial.reason else ""
    points = f"; points: {', '.join(trial.point_ids)}" if trial.point_ids else ""
    return f"{said}{reused}{why}{points}."


def _attempts(trial: TrialView) -> Table:
    table = Table("Attempt", "State", "Began (UTC)", "Took", "First epoch", "Why it ended")
    for one in trial.attempts:
        took = duration((one.ended_at - one.started_at).total_seconds()) if one.ended_at else "–"
        first = str(one.first_epoch or "–")
        table.add_row(str(one.number), one.state, clock(one.started_at), took, first, one.message or "–")
    return table


def _line(line: WorkerLineView) -> str:
    more = "; ".join(f"{name} {value}" for name, value in flattened(line.details))
    return f"{clock(line.timestamp)} {line.level} {line.event} {more}".rstrip()
