"""`bitfront clone` and `label`: a new job from one that is there, and the labels of a job."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from models.errors import InvalidInputError
from service.commands.settings_given import LabelOption, with_labels, with_settings
from service.commands.shared import client_of, find_job, out, print_json
from service.labels import given_label

JobName = Annotated[str, typer.Argument(metavar="JOB", help="A job, the beginning of its id, or `latest`.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def clone(  # noqa: PLR0917 - Typer reads parameters, it does not call by position
    context: typer.Context,
    job: JobName,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A field and its value, as architecture.width=16; may be repeated."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Use this name in place of the job's.")] = None,
    label: LabelOption = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Cloning again with the same key returns the same job.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Watch the new job until it has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Submit a job anew with some fields changed."""
    from service.batches.patch import patch_between

    client = client_of(context)
    found = find_job(client, job)
    before = {**found.spec, "labels": found.labels}
    after = with_labels(with_settings(before, settings) | ({"name": name} if name else {}), label)
    made = client.clone(found.id, patch_between(before, after), idempotency_key)
    if not as_json:
        said = f"Submitted [bold]{escape(made.name)}[/bold] as {made.id}: {client.url}/jobs/{made.id}"
        out().print(said, soft_wrap=True)
    if wait:
        from service.commands.watch import follow, require_success

        made = follow(client, made.id, quiet=as_json)
    if as_json:
        print_json(made)
    if wait:
        require_success(made)


def label(
    context: typer.Context,
    job: JobName,
    labels: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY:VALUE]...", help="Labels to set.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(help="The key of a label to take away; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change the labels of a job, or show them."""
    client = client_of(context)
    found = find_job(client, job)
    changes: dict[str, str | None] = dict.fromkeys(remove or ())
    given = dict(given_label(text) for text in labels or ())
    if changes.keys() & given.keys():
        raise InvalidInputError("a label is both set and removed.", fix="Do one of both.")
    changes |= given
    shown = client.label(found.id, changes) if changes else found
    if as_json:
        print_json(shown)
    else:
        listed = "\n".join(f"{key}:{value}" for key, value in shown.labels.items())
        out().print(listed or f"{shown.id} has no labels.", markup=False, soft_wrap=True)
