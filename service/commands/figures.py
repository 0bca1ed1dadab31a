"""`bitfront figures`: the figures of a job or an ablation as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel

from service.commands.shared import (
    client_of,
    find_ablation,
    find_job,
    make_folder,
    out,
    print_json,
    write_text,
)

if TYPE_CHECKING:
    from service.client import BitfrontClient
    from service.figures.views import FigureView


class FilesWritten(BaseModel):
    """What `figures` wrote."""

    files: list[str]


def figures(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="JOB", help="A job as ever, or an ablation by its id."),
    ],
    to: Annotated[Path, typer.Option(help="The folder to write to; it is made if it is not there.")],
    csv_only: Annotated[bool, typer.Option(help="Write no drawings; they need the extra `figures`.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print which files were written as JSON.")] = False,
) -> None:
    """Write each figure as CSV and SVG: accuracy under each budget, bits over epochs, bits of each layer."""
    client = client_of(context)
    owner = _owner(client, name)
    found = client.figures(owner)
    drawings = {} if csv_only else _drawn(found)
    tables = {f"{figure.key}.csv": client.figure_csv(owner, figure.key) for figure in found}
    make_folder(to)
    files = {to / file: text for file, text in {**tables, **drawings}.items()}
    for file, text in files.items():
        write_text(file, text)
    if as_json:
        print_json(FilesWritten(files=[str(file) for file in files]))
    else:
        out().print(f"Wrote {len(files)} files to {to}.", markup=False, soft_wrap=True)


def _owner(client: BitfrontClient, name: str) -> str:
    return find_ablation(client, name).id if name.startswith("ablation-") else find_job(client, name).id


def _drawn(found: list[FigureView]) -> dict[str, str]:
    from service.figures.drawing import figure_svg

    return {f"{figure.key}.svg": figure_svg(figure) for figure in found}
