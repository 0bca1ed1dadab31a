"""`bitfront backup` and `restore`: everything a service knows, as one file and back."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from service.commands.running import Home
from service.commands.shared import EXIT_FAILED, err, out, settings_with

if TYPE_CHECKING:
    from service.backup import Manifest


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to write; it must not be there yet.")
    ],
    home: Home = None,
) -> None:
    """Save the database and the checkpoints to one file; the service may go on running."""
    settings = settings_with(home=home)
    from service.backup import save
    from service.store import Store

    with closing(Store.open(settings.database)) as store, _progress() as progress:
        task = progress.add_task("looking", total=None)
        manifest = save(
            store,
            settings.checkpoint_place,
            file,
            progress=lambda name: progress.update(task, description=name),
        )
    out().print(f"Saved {_content(manifest)} to {file} ({file.stat().st_size:,} bytes).", soft_wrap=True)
    if manifest.missing:
        err().print(f"[red]✗[/red] checkpoints that are gone or altered: {', '.join(manifest.missing)}")
        raise typer.Exit(EXIT_FAILED)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `bitfront backup` wrote.")],
    home: Home = None,
) -> None:
    """Fill an empty home and database from a backup, which may come from the other kind of database."""
    settings = settings_with(home=home)
    from service.backup import restore as fill
    from service.store import Store

    with closing(Store.open(settings.database)) as store, _progress() as progress:
        task = progress.add_task("checking", total=None)
        manifest = fill(
            store,
            settings.checkpoint_place,
            file,
            progress=lambda name: progress.update(task, description=name),
        )
    out().print(f"Restored {_content(manifest)}, as of {manifest.created_at:%Y-%m-%d %H:%M:%S} UTC.")


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err(), transient=True
    )


def _content(manifest: Manifest) -> str:
    rows = {name: member.rows for name, member in manifest.tables().items()}
    return (
        f"{rows['jobs']} jobs, {rows['trials']} trials, {rows['points']} points "
        f"and {len(manifest.checkpoints())} checkpoints"
    )
