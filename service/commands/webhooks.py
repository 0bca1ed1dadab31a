"""`bitfront webhooks`: over the service, with a key that has the scope `admin`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import TypeAdapter
from rich.markup import escape
from rich.table import Table

from service.commands.shared import client_of, err, out, print_json

if TYPE_CHECKING:
    from service.hooks.views import DeliveryView, WebhookView

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Which = Annotated[str, typer.Argument(metavar="WEBHOOK", help="The id of a webhook.")]

webhooks = typer.Typer(name="webhooks", help="Have jobs tell a server when they end.", no_args_is_help=True)


@webhooks.command()
def create(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Where messages are posted, as https://hooks.example.org/in.")],
    event: Annotated[list[str] | None, typer.Option(help="Such as job.failed; may be repeated.")] = None,
    description: Annotated[str, typer.Option(help="A note for the list of webhooks.")] = "",
) -> None:
    """Make a webhook and print its secret, once; standard output holds nothing else."""
    made = client_of(context).create_webhook(url, events=event or None, description=description)
    typer.echo(made.secret)
    err().print(
        f"[bold]{made.id}[/bold] is told of {', '.join(made.events)}. Its secret is shown this once; the "
        f"receiver checks messages by it. Try it: bitfront webhooks test {made.id}",
        soft_wrap=True,
    )


@webhooks.command("list")
def list_webhooks(context: typer.Context, as_json: Json = False) -> None:
    """List the webhooks of the workspace, without their secrets."""
    from service.hooks.views import WebhookView

    found = client_of(context).webhooks()
    if as_json:
        typer.echo(TypeAdapter(list[WebhookView]).dump_json(found, indent=2).decode())
    else:
        out().print(_table(found) if found else "No webhooks yet: make one with `bitfront webhooks create`.")


@webhooks.command()
def delete(context: typer.Context, webhook: Which) -> None:
    """Take a webhook away, with what was and was to be sent to it."""
    client_of(context).delete_webhook(webhook)
    out().print(f"{webhook} is deleted.")


@webhooks.command()
def enable(context: typer.Context, webhook: Which) -> None:
    """Send to a disabled webhook again from now on."""
    client_of(context).enable_webhook(webhook)
    out().print(f"{webhook} is enabled.")


@webhooks.command("test")
def send_test(context: typer.Context, webhook: Which, as_json: Json = False) -> None:
    """Send a message that says nothing, once."""
    sent = client_of(context).test_webhook(webhook)
    if as_json:
        print_json(sent)
    else:
        out().print(f"{sent.id} is on its way: bitfront webhooks deliveries {webhook}")


@webhooks.command()
def deliveries(
    context: typer.Context,
    webhook: Which,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """Show what was and is to be sent, newest first."""
    found = client_of(context).deliveries(webhook, limit=limit)
    if as_json:
        print_json(found)
    else:
        out().print(_deliveries_table(found.items) if found.items else "Nothing was sent yet.")


def _table(found: list[WebhookView]) -> Table:
    table = Table("webhook", "address", "events", "state", "description")
    for one in found:
        events = ", ".join(one.events)
        table.add_row(one.id, escape(one.url), events, escape(_state(one)), escape(one.description))
    return table


def _state(one: WebhookView) -> str:
    if one.disabled_at is not None:
        return f"disabled: {one.disabled_reason}"
    since = one.failing_since
    return "working" if since is None else f"failing since {since:%Y-%m-%d %H:%M}"


def _deliveries_table(found: list[DeliveryView]) -> Table:
    table = Table("delivery", "event", "state", "tries", "what came of the last", "created (UTC)")
    for one in found:
        last = one.attempts[-1] if one.attempts else None
        said = "-" if last is None else " ".join(filter(None, (str(last.status or ""), last.reason)))
        created = f"{one.created_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(one.id, one.event, one.state, str(len(one.attempts)), escape(said), created)
    return table
