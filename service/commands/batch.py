"""`bitfront batch` and `batches`: many jobs from one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from service.commands.shared import EXIT_FAILED, client_of, err, find_batch, out, print_json
from service.commands.spec_file import read_spec

if TYPE_CHECKING:
    from service.batches.views import BatchView

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def batch(  # noqa: PLR0917 - Typer reads parameters, it does not call by position
    context: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A template with a grid or a list of jobs, in YAML or JSON (- reads standard input); "
            "or a batch that is there, by its id or `latest`.",
        ),
    ],
    wait: Annotated[bool, typer.Option(help="Watch it until all its jobs have ended.")] = False,
    name: Annotated[str | None, typer.Option(help="Use this name in place of the file's.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Submitting again with the same key returns the same batch.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Submit many jobs at once, all or none; or show a batch that is there."""
    from service.commands.follow_batch import follow

    client = client_of(context)
    if _names_a_batch(file):
        found = find_batch(client, file)
    else:
        spec = read_spec(Path(file)) | ({"name": name} if name else {})
        found = client.submit_batch(spec, idempotency_key)
        if not as_json:
            address = f"{client.url}/batches/{found.id}"
            said = f"Submitted [bold]{escape(found.name)}[/bold] as {found.id} ({found.jobs} jobs): {address}"
            out().print(said, soft_wrap=True)
    if wait:
        found = follow(client, found.id, quiet=as_json)
    if as_json:
        print_json(found)
    elif not wait and _names_a_batch(file):
        _show(found)
    if wait and found.state != "succeeded":
        err().print(f"The batch ended as {found.state}: see its jobs.", markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_FAILED)


def batches(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List batches, newest first."""
    from service.commands.batch_tables import batches_table

    page = client_of(context).batches(limit=limit)
    if as_json:
        print_json(page)
    elif page.items:
        out().print(batches_table(page.items))
    else:
        out().print("No batches yet: submit one with `bitfront batch FILE`.")


def _names_a_batch(text: str) -> bool:
    return text == "latest" or (text.startswith("batch-") and not Path(text).exists())


def _show(found: BatchView) -> None:
    from service.commands.batch_tables import batch_view

    out().print(batch_view(found))
