"""`bitfront rerun`: train a point again from what was stored with it, and compare."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from models.errors import BitfrontError
from service.commands.shared import EXIT_FAILED, client_of, err, out, print_json, settings_with
from service.commands.tables import percent
from service.reruns.comparison import equal, measures, same_allocation

if TYPE_CHECKING:
    from service.reruns.views import RerunView
    from service.views import PointView
    from workers.report import EpochReport, PointResult, TrialOutcome


def rerun(
    context: typer.Context,
    point: Annotated[str, typer.Argument(metavar="POINT", help="The id of a point.")],
    home: Annotated[Path | None, typer.Option(help="The home folder whose data is used.")] = None,
    on_service: Annotated[
        bool,
        typer.Option("--on-service", help="The service trains it, and puts back what is gone."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Train a point again, here unless told; exit 0 only if it reaches the same accuracies and objective."""
    if on_service:
        _end_on_service(client_of(context).wait_rerun(client_of(context).rerun(point).id), as_json)
        return
    stored = client_of(context).point(point)
    console = err() if as_json else out()
    threads = _threads(stored)
    console.print(f"Training {stored.id} again ({stored.method}, seed {stored.seed}, threads: {threads}).")
    outcome = _train(stored, threads, home, console)
    again = same_allocation(stored, outcome)
    if as_json:
        print_json(_rerun(stored, again))
    else:
        console.print(_comparison(stored, again))
    if not equal(stored, again):
        console.print("[red]Not the same.[/red] Another machine or other library versions can be the cause.")
        raise typer.Exit(EXIT_FAILED)
    console.print("[green]The same.[/green]")


def _end_on_service(found: RerunView, as_json: bool) -> None:
    if as_json:
        print_json(found)
    elif found.error is not None:
        err().print(f"[red]✗[/red] {found.error}")
    else:
        for one in found.measures:
            out().print(f"{one.name.replace('_', ' ')}: stored {one.stored!r}, again {one.again!r}")
        out().print("[green]The same.[/green]" if found.same else "[red]Not the same.[/red]")
    if not found.same:
        raise typer.Exit(EXIT_FAILED)


class Rerun(BaseModel):
    """A point as it was stored and as it came out again; None where the allocation is another one."""

    point_id: str
    same: bool
    validation_accuracy: tuple[float, float | None]
    test_accuracy: tuple[float, float | None]


def _rerun(stored: PointView, again: PointResult | None) -> Rerun:
    return Rerun(
        point_id=stored.id,
        same=equal(stored, again),
        validation_accuracy=(stored.validation_accuracy, again and again.validation_accuracy),
        test_accuracy=(stored.test_accuracy, again and again.test_accuracy),
    )


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


def _comparison(stored: PointView, again: PointResult | None) -> Table:
    table = Table("", "stored", "again")
    if again is None:
        table.add_row("allocation", "as stored", "another one")
        return table
    for name in measures(stored):
        table.add_row(name.replace("_", " "), repr(getattr(stored, name)), repr(getattr(again, name)))
    return table
