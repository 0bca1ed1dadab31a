"""`bitfront rerun`: train a point again from what was stored with it, and compare."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from models.errors import BitfrontError
from service.commands.shared import EXIT_FAILED, client_of, out, settings_with
from service.commands.tables import percent

if TYPE_CHECKING:
    from service.views import PointView
    from workers.report import EpochReport, PointResult, TrialOutcome


def rerun(
    context: typer.Context,
    point: Annotated[str, typer.Argument(metavar="POINT", help="The id of a point.")],
    home: Annotated[Path | None, typer.Option(help="The home folder whose data is used.")] = None,
) -> None:
    """Train a point again on this machine; exit 0 only if it reaches the same accuracies and objective."""
    stored = client_of(context).point(point)
    console = out()
    threads = _threads(stored)
    console.print(f"Training {stored.id} again ({stored.method}, seed {stored.seed}, threads: {threads}).")
    outcome = _train(stored, threads, home, console)
    again = _same_allocation(stored, outcome)
    console.print(_comparison(stored, again))
    if not _equal(stored, again):
        console.print("[red]Not the same.[/red] Another machine or other library versions can be the cause.")
        raise typer.Exit(EXIT_FAILED)
    console.print("[green]The same.[/green]")


def _train(stored: PointView, threads: int, home: Path | None, console: Console) -> TrialOutcome:
    from workers.report import TrialRequest
    from workers.trial import run_trial

    request = TrialRequest(trial_id="rerun", spec=stored.spec, proposal=stored.proposal, seed=stored.seed)

    def show(report: EpochReport) -> None:
        accuracy = percent(report.validation_accuracy)
        console.print(
            f"epoch {report.epoch} of {report.epochs}: validation {accuracy} %, {report.seconds:.1f} s"
        )

    with tempfile.TemporaryDirectory(prefix="bitfront-rerun-") as folder:
        data_folder = settings_with(home=home).data
        return run_trial(
            request, checkpoints=Path(folder), data_folder=data_folder, threads=threads, report=show
        )


def _threads(stored: PointView) -> int:
    threads = stored.provenance.get("threads")
    if not isinstance(threads, int):
        raise BitfrontError(f"{stored.id} does not say with how many threads it was trained.")
    return threads


def _same_allocation(stored: PointView, outcome: TrialOutcome) -> PointResult | None:
    """The point in the same place of its trial, where it has the same bits: a trial may end in several."""
    found = outcome.points[stored.ordinal : stored.ordinal + 1]
    return next((point for point in found if dict(point.allocation) == stored.allocation), None)


def _equal(stored: PointView, again: PointResult | None) -> bool:
    return again is not None and all(
        getattr(again, name) == getattr(stored, name) for name in _measured(stored)
    )


def _measured(stored: PointView) -> tuple[str, ...]:
    """The accuracies, and what the objective of its job is read from."""
    of_objective = (f"validation_{stored.objective}", f"test_{stored.objective}")
    return tuple(dict.fromkeys(("validation_accuracy", "test_accuracy", *of_objective)))


def _comparison(stored: PointView, again: PointResult | None) -> Table:
    table = Table("", "stored", "again")
    if again is None:
        table.add_row("allocation", "as stored", "another one")
        return table
    for name in _measured(stored):
        table.add_row(name.replace("_", " "), repr(getattr(stored, name)), repr(getattr(again, name)))
    return table
