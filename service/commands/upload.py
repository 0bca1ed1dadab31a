"""`bitfront upload`, `uploads` and `forget`: files that a job may name, brought to the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from models.errors import InvalidInputError
from service.commands.shared import client_of, out, print_json
from service.uploads.views import ENDINGS, UploadKind
from service.web.formats import clock

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def upload(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .npz or .safetensors file.")],
    name: Annotated[
        str | None, typer.Option(help="What to call it; the name of the file unless given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a data set (.npz) or float weights (.safetensors) to the service, for jobs to name."""
    kind = kind_of(file)
    made = client_of(context).upload(file, kind, name=name)
    if as_json:
        print_json(made)
        return
    use = "dataset: {name: %s}" if kind == "dataset" else "training: {warm_start: %s}"
    out().print(f"{made.id}: {made.bytes:,} bytes. In a job: {use % made.id}", soft_wrap=True, markup=False)


def uploads(context: typer.Context, limit: int = 50, as_json: AsJson = False) -> None:
    """List uploads, newest first."""
    page = client_of(context).uploads(limit=limit)
    if as_json:
        print_json(page)
        return
    table = Table("Upload", "Kind", "Name", "Bytes", "Brought (UTC)")
    for one in page.items:
        table.add_row(one.id, one.kind, one.name, f"{one.bytes:,}", clock(one.created_at))
    out().print(table)


def forget(
    context: typer.Context, upload: Annotated[str, typer.Argument(metavar="UPLOAD", help="Its id.")]
) -> None:
    """Take an upload away, unless a job that has not ended names it."""
    client_of(context).forget_upload(upload)
    out().print(f"{upload} is gone.", soft_wrap=True, markup=False)


def kind_of(file: Path) -> UploadKind:
    """What a file is, by its ending. Raises InvalidInputError."""
    found = next((kind for kind, ending in ENDINGS.items() if file.suffix == ending), None)
    if found is None:
        raise InvalidInputError(
            f"{file.name} ends in neither {' nor '.join(ENDINGS.values())}.",
            fix="Convert it; see docs/data.md.",
        )
    return found
