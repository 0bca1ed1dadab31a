"""The command line `bitfront`.

Exit codes: 0 fine; 1 a job failed, a comparison differs or something is wrong; 2 the input is not acceptable;
3 no service answers; 4 what was named is not there; 5 no point fits; 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from models.errors import BitfrontError
from service.commands import (
    ablate,
    backup,
    batch,
    clone,
    compare,
    diff,
    doctor,
    events,
    export,
    figures,
    fit,
    front,
    fronts,
    keys,
    listing,
    prune,
    queue,
    rerun,
    running,
    submit,
    trial,
    upload,
    webhooks,
)
from service.commands.shared import EXIT_INTERRUPTED, err, exit_code_of, show_error


class Commands(TyperGroup):
    """Shows the errors that users can meet without a traceback, and exits with their code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except BitfrontError as error:
            show_error(error)
            raise typer.Exit(exit_code_of(error)) from None
        except KeyboardInterrupt:
            err().print("Interrupted.")
            raise typer.Exit(EXIT_INTERRUPTED) from None


app = typer.Typer(
    cls=Commands,
    name="bitfront",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 failed or differs, 2 bad input, 3 no service answers, 4 not found, "
    "5 no point fits, 130 interrupted.",
)


@app.callback()
def options(
    url: Annotated[
        str | None,
        typer.Option(envvar="BITFRONT_URL", help="The address of the service.", show_default=False),
    ] = None,
) -> None:
    """Find the time steps, spike bits and weight bits of every layer of a spiking neural network."""


def watch(
    context: typer.Context,
    job: Annotated[str, typer.Argument(help="A job, the beginning of its id, or `latest`.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the job as JSON once it has ended.")] = False,
) -> None:
    """Show a job until it has ended."""
    from service.commands.watch import watch as run

    run(context, job, as_json=as_json)


_COMMANDS: tuple[Callable[..., None], ...] = (
    running.demo,
    running.serve,
    running.dispatcher,
    running.migrate,
    doctor.doctor,
    submit.submit,
    clone.clone,
    clone.label,
    batch.batch,
    batch.batches,
    listing.jobs,
    queue.queue,
    queue.priority,
    watch,
    events.events,
    front.front,
    front.best,
    fit.fit,
    fronts.fronts,
    fronts.table,
    trial.trial,
    compare.compare,
    diff.diff,
    ablate.ablate,
    ablate.ablation,
    ablate.ablations,
    figures.figures,
    listing.cancel,
    rerun.rerun,
    upload.upload,
    upload.uploads,
    upload.forget,
    backup.backup,
    backup.restore,
    prune.prune,
    export.export,
    export.verify,
    listing.methods,
    listing.architectures,
    listing.datasets,
)
for command in _COMMANDS:
    app.command()(command)
app.command("list", hidden=True)(listing.jobs)  # what people try first
for group in (keys.keys, keys.workspaces, webhooks.webhooks):
    app.add_typer(group)


def main() -> None:
    """The entry point."""
    app()


if __name__ == "__main__":
    main()
