"""`bitfront compare`: one method of a job against the others."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from service.commands.shared import client_of, find_job, out, print_json, write_text


class AccuracyName(StrEnum):
    """Of the point that validation accuracy chooses, the accuracy that is compared."""

    TEST = "test"
    VALIDATION = "validation"


def compare(  # noqa: PLR0917 - Typer reads parameters, it does not call by position
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job, the beginning of its id, or `latest`.")],
    subject: Annotated[
        str | None,
        typer.Option(help="The method that is compared with the others; `gradient` if the job has it."),
    ] = None,
    accuracy: Annotated[
        AccuracyName, typer.Option(help="Which accuracy of the points that validation chose.")
    ] = AccuracyName.TEST,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", help="Also write what each seed has to this file as CSV.", show_default=False),
    ] = None,
) -> None:
    """Compare the methods of a job at equal compute: hypervolume, accuracy at each budget, differences."""
    from service.commands.comparison_tables import comparison_tables

    client = client_of(context)
    found = find_job(client, job)
    view = client.comparison(found.id, subject=subject, accuracy=accuracy.value)
    if csv is not None:
        write_text(csv, client.comparison_csv(found.id, accuracy=accuracy.value))
    if as_json:
        print_json(view)
    else:
        out().print(comparison_tables(view))
