"""`bitfront keys` and `bitfront workspaces`: on the database itself, for whoever runs the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from models.errors import InvalidInputError
from service.commands.shared import err, out, settings_with

if TYPE_CHECKING:
    from service.keys import KeyView
    from service.store import Unit
    from service.workspaces import Quotas, WorkspaceView

Home = Annotated[Path | None, typer.Option(help="The home of the service; its settings name the database.")]
Queued = Annotated[int | None, typer.Option(min=0, help="Jobs that may wait at a time.")]
Trials = Annotated[int | None, typer.Option(min=0, help="Trials that may be submitted within 24 hours.")]
Hours = Annotated[float | None, typer.Option(min=0, help="Device hours that may be used within 30 days.")]
Stored = Annotated[int | None, typer.Option(min=0, help="Bytes that checkpoints may take.")]

keys = typer.Typer(name="keys", help="Make, list and revoke API keys.", no_args_is_help=True)
workspaces = typer.Typer(name="workspaces", help="Make, list and limit workspaces.", no_args_is_help=True)


@keys.command()
def create(
    scope: Annotated[str, typer.Option(help="What it may do: read, submit or admin.")] = "submit",
    workspace: Annotated[str, typer.Option(help="Whose jobs it opens.")] = "default",
    expires: Annotated[str, typer.Option(help="How long it lives: 12h, 90d, 8w or never.")] = "90d",
    name: Annotated[str, typer.Option(help="A note for the list of keys.")] = "",
    home: Home = None,
) -> None:
    """Make a key and print it, once; standard output holds nothing else."""
    from service.keys import lifetime, scope_named

    made = {"workspace": workspace, "name": name[:200]}
    with _unit(home) as unit:
        view, key = unit.keys.create(**made, scope=scope_named(scope), lives=lifetime(expires))
    typer.echo(key.text)
    until = f"until {view.expires_at:%Y-%m-%d %H:%M} UTC" if view.expires_at else "until it is revoked"
    err().print(
        f"It opens the workspace [bold]{view.workspace}[/bold] ({view.scope}) {until}. It is shown this once:"
        " put it into BITFRONT_API_KEY, or into a file that BITFRONT_API_KEY_FILE names.",
        soft_wrap=True,
    )


@keys.command("list")
def list_keys(
    workspace: Annotated[str | None, typer.Option(help="Only keys of this workspace.")] = None,
    home: Home = None,
) -> None:
    """List keys, newest first, without their secrets, which are not stored."""
    with _unit(home) as unit:
        found = unit.keys.all(workspace)
    out().print(_keys_table(found) if found else "No keys yet: make one with `bitfront keys create`.")


@keys.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The id of a key, with or without `bf_`; not the secret.")],
    home: Home = None,
) -> None:
    """End a key for good, and every browser's sign-in with it."""
    if len(key) > len("bf_000000000000"):
        raise InvalidInputError(
            "that is more than the id of a key.", fix="Give its first part, bf_ and 12 digits, only."
        )
    with _unit(home) as unit:
        view = unit.keys.revoke(key.removeprefix("bf_"))
    out().print(f"bf_{view.id} is revoked.")


@workspaces.command("create")
def create_workspace(  # noqa: PLR0917 - Typer reads parameters, it does not call by position
    name: Annotated[str, typer.Argument(help="Small letters, digits and '-'.")],
    queued_jobs: Queued = None,
    trials_per_day: Trials = None,
    device_hours: Hours = None,
    stored_bytes: Stored = None,
    home: Home = None,
) -> None:
    """Make a workspace; what is not given has no limit."""
    quotas = _quotas(queued_jobs, trials_per_day, device_hours, stored_bytes)
    with _unit(home) as unit:
        view = unit.workspaces.create(name, quotas)
    out().print(_workspaces_table([view]))


@workspaces.command("set")
def set_quotas(  # noqa: PLR0917 - Typer reads parameters, it does not call by position
    name: Annotated[str, typer.Argument(help="The workspace.")],
    queued_jobs: Queued = None,
    trials_per_day: Trials = None,
    device_hours: Hours = None,
    stored_bytes: Stored = None,
    home: Home = None,
) -> None:
    """Replace the quotas of a workspace; what is not given has no limit."""
    quotas = _quotas(queued_jobs, trials_per_day, device_hours, stored_bytes)
    with _unit(home) as unit:
        view = unit.workspaces.set_quotas(name, quotas)
    out().print(_workspaces_table([view]))


@workspaces.command("list")
def list_workspaces(home: Home = None) -> None:
    """List workspaces and their quotas."""
    with _unit(home) as unit:
        out().print(_workspaces_table(unit.workspaces.all()))


def _quotas(queued: int | None, trials: int | None, hours: float | None, stored: int | None) -> Quotas:
    from service.workspaces import Quotas

    return Quotas(queued_jobs=queued, trials_per_day=trials, device_hours=hours, stored_bytes=stored)


@contextmanager
def _unit(home: Path | None) -> Iterator[Unit]:
    """A unit of work on the database of the service, brought to its newest form."""
    from service.store import Store

    store = Store.open(settings_with(home=home).database)
    try:
        store.migrate()
        with store.unit() as unit:
            yield unit
    finally:
        store.close()


def _keys_table(found: list[KeyView]) -> Table:
    table = Table("key", "name", "workspace", "scope", "state", "created (UTC)", "expires", "last used")
    for key in found:
        moments = (key.created_at, key.expires_at, key.last_used_at)
        table.add_row(
            f"bf_{key.id}",
            escape(key.name),
            key.workspace,
            key.scope,
            key.state,
            *(f"{moment:%Y-%m-%d %H:%M}" if moment else "-" for moment in moments),
        )
    return table


def _workspaces_table(found: list[WorkspaceView]) -> Table:
    table = Table("workspace", "queued jobs", "trials a day", "device hours (30 days)", "stored bytes")
    for one in found:
        limits = one.quotas.model_dump().values()
        table.add_row(one.id, *("-" if limit is None else f"{limit:,}" for limit in limits))
    return table
