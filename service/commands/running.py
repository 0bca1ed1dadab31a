"""`bitfront serve`, `dispatcher` and `demo`: the commands that run the service itself."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from service.commands.shared import out, settings_with

Home = Annotated[Path | None, typer.Option(help="Where the database, checkpoints and data are kept.")]
Jobs = Annotated[
    int | None,
    typer.Option(min=1, max=64, help="How many jobs run at a time, sharing the CPUs and GPUs."),
]
Port = Annotated[
    int | None, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
]
RayAddress = Annotated[
    str | None, typer.Option(help="The head of a Ray cluster, HOST:PORT; a local Ray is started without.")
]
RayToken = Annotated[Path | None, typer.Option(help="The file with the token of that cluster.")]


def serve(
    *,
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="The loopback address to listen on.")] = None,
    port: Port = None,
    dispatcher: Annotated[
        bool, typer.Option(help="Also run the searches, not only the API and the page.")
    ] = True,
    jobs: Jobs = None,
    ray_address: RayAddress = None,
    ray_token_file: RayToken = None,
) -> None:
    """Run the service until Ctrl-C: the API, the page and the searches."""
    cluster = {"ray_address": ray_address, "ray_token_file": ray_token_file}
    settings = settings_with(home=home, host=host, port=port, jobs=jobs, **cluster)
    from service.serve import serve as run

    run(settings, with_dispatcher=dispatcher)


def dispatcher(
    home: Home = None,
    jobs: Jobs = None,
    ray_address: RayAddress = None,
    ray_token_file: RayToken = None,
) -> None:
    """Run searches from the queue; `bitfront serve` starts this by itself."""
    settings = settings_with(home=home, jobs=jobs, ray_address=ray_address, ray_token_file=ray_token_file)
    from service import logs
    from service.dispatcher import run_dispatcher

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    logs.configure()
    run_dispatcher(settings, stop=stop)


def migrate(home: Home = None) -> None:
    """Make the database, or bring it to the newest schema; `bitfront serve` does so by itself."""
    settings = settings_with(home=home)
    from service.serve import prepare

    prepare(settings)
    out().print("The database has the newest schema.")


def demo(
    home: Home = None,
    port: Port = None,
    leave: Annotated[bool, typer.Option("--exit", help="End after the result is printed.")] = False,
) -> None:
    """Search the bits of a small network on digits, watch it, and open its page."""
    settings = settings_with(home=home, port=port)
    from service.demo import run_demo

    run_demo(settings, leave=leave)
