"""`bitfront ablate`, `ablation` and `ablations`: submit an ablation, show one, list them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from service.commands.shared import EXIT_FAILED, client_of, err, find_ablation, out, print_json, write_text
from service.commands.spec_file import read_spec

if TYPE_CHECKING:
    from service.ablations.views import AblationView
    from service.client import BitfrontClient

Wait = Annotated[bool, typer.Option("--wait", "--watch", help="Watch it until all its jobs have ended.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
CsvFile = Annotated[
    Path | None, typer.Option("--csv", help="Also write the table to this file as CSV.", show_default=False)
]


def ablate(  # noqa: PLR0917 - Typer reads parameters, it does not call by position
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(help="A job in YAML or JSON to vary; - reads standard input.", allow_dash=True),
    ],
    groups: Annotated[
        str | None, typer.Option(help="Which groups, with commas between: learned,renewal,steps,targets.")
    ] = None,
    wait: Wait = False,
    name: Annotated[str | None, typer.Option(help="Use this name in place of the file's.")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Submitting again with the same key returns the same ablation.")
    ] = None,
    as_json: AsJson = False,
    csv: CsvFile = None,
) -> None:
    """Train variants of a job, each changed in one respect, and compare them."""
    job = read_spec(file) | ({"name": name} if name else {})
    client = client_of(context)
    chosen = None if groups is None else [key.strip() for key in groups.split(",")]
    found = client.ablate(job, chosen, idempotency_key)
    if not as_json:
        address = f"{client.url}/ablations/{found.id}"
        out().print(
            f"Submitted [bold]{escape(found.name)}[/bold] as {found.id} ({found.jobs} jobs): {address}",
            soft_wrap=True,
        )
    if wait or as_json or csv:
        _show(client, found, wait=wait, as_json=as_json, csv=csv)


def ablation(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="ABLATION", help="An ablation, the beginning of its id, or `latest`.")
    ] = "latest",
    wait: Wait = False,
    as_json: AsJson = False,
    csv: CsvFile = None,
) -> None:
    """Show an ablation: every variant under every budget, with the spread over seeds."""
    client = client_of(context)
    _show(client, find_ablation(client, name), wait=wait, as_json=as_json, csv=csv)


def ablations(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List ablations, newest first."""
    from service.commands.ablation_tables import ablations_table

    page = client_of(context).ablations(limit=limit)
    if as_json:
        print_json(page)
    elif page.items:
        out().print(ablations_table(page.items))
    else:
        out().print("No ablations yet: start one with `bitfront ablate FILE`.")


def _show(
    client: BitfrontClient, found: AblationView, *, wait: bool, as_json: bool, csv: Path | None
) -> None:
    from service.commands.ablation_tables import ablation_view
    from service.commands.follow_ablation import follow

    shown = follow(client, found.id, quiet=as_json) if wait else found
    if csv is not None:
        write_text(csv, client.ablation_csv(shown.id))
    if as_json:
        print_json(shown)
    else:
        out().print(ablation_view(shown))
    if wait and shown.state != "succeeded":
        err().print(f"The ablation ended as {shown.state}: see its jobs.", markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_FAILED)
