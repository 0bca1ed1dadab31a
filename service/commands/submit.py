"""`bitfront submit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from service.commands.settings_given import LabelOption, with_labels
from service.commands.shared import client_of, out, print_json
from service.commands.spec_file import read_mapping, read_spec, read_text


def submit(  # noqa: PLR0917 - Typer reads parameters, it does not call by position
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="A job in YAML or JSON; - reads standard input.", allow_dash=True)
    ],
    wait: Annotated[bool, typer.Option(help="Watch the job until it has ended.")] = False,
    validate_only: Annotated[
        bool, typer.Option(help="Check the job and show its plan; store nothing.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Use this name in place of the file's.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Submitting again with the same key returns the same job.")
    ] = None,
    label: LabelOption = None,
    priority: Annotated[
        int | None, typer.Option(min=-9, max=9, help="In the queue of the workspace; greater is earlier.")
    ] = None,
    hardware: Annotated[
        Path | None, typer.Option(help="A YAML or JSON file that is the job's `hardware`.")
    ] = None,
    cost_table: Annotated[
        Path | None, typer.Option(help="A CSV file that is the job's `cost_table`.")
    ] = None,
    json: Annotated[bool, typer.Option(help="Print the answer as JSON.")] = False,
) -> None:
    """Submit a job."""
    spec = with_labels(read_spec(file) | ({"name": name} if name else {}), label)
    spec |= (
        {}
        if hardware is None
        else {
            "hardware": read_mapping(hardware, "hardware", fix="Write fields such as `rows:` and `columns:`.")
        }
    )
    spec |= {} if priority is None else {"priority": priority}
    spec |= {} if cost_table is None else {"cost_table": read_text(cost_table)}
    client = client_of(context)
    if validate_only:
        plan = client.validate(spec)
        if json:
            print_json(plan)
        else:
            from service.commands.tables import plan_view

            out().print(plan_view(plan))
        return
    job = client.submit(spec, idempotency_key)
    if json and not wait:
        print_json(job)
    elif not json:
        out().print(
            f"Submitted [bold]{escape(job.name)}[/bold] as {job.id}: {client.url}/jobs/{job.id}",
            soft_wrap=True,
        )
    if wait:
        from service.commands.watch import follow, require_success

        job = follow(client, job.id, quiet=json)
        if json:
            print_json(job)
        require_success(job)
