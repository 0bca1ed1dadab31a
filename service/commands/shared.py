"""What the commands share: consoles, the client, names of jobs, errors and exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape

from models.errors import BitfrontError, DataDamagedError, DataMissingError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service.ablations.views import AblationView
    from service.batches.views import BatchView
    from service.client import BitfrontClient
    from service.settings import Settings
    from service.views import JobView, Page


class NotThereError(InvalidInputError):
    """Nothing has the name that was given."""

    code = "not_found"


T = TypeVar("T", bound=BaseModel)

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_UNREACHABLE = 3
EXIT_NOT_FOUND = 4
EXIT_NO_FIT = 5
EXIT_INTERRUPTED = 130
PLURALS = {"batch": "batches"}
"""Of kinds that take more than an s."""
NOT_THERE = frozenset({"not_found", "checkpoint_gone"})
"""Codes of what was named and is not there."""
ID_LETTERS = 16
"""Of an id, after its kind."""


def out() -> Console:
    """Where answers go."""
    return Console(file=sys.stdout, highlight=False)


def err() -> Console:
    """Where errors and asides go."""
    return Console(file=sys.stderr, highlight=False)


def print_json(value: BaseModel) -> None:
    """An answer as JSON, unadorned, for other programs."""
    typer.echo(value.model_dump_json(indent=2))


def write_text(path: Path, text: str) -> None:
    """Write a file. Raises InvalidInputError where that cannot be."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}.") from None


def make_folder(path: Path) -> None:
    """Make a folder, and those above it. Raises InvalidInputError where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(f"the folder {path} cannot be made: {error.strerror}.") from None


def client_of(context: typer.Context) -> BitfrontClient:
    """A client of the service that `--url` or the settings name; closed when the command ends."""
    from service.client import BitfrontClient

    client = BitfrontClient(service_url(context))
    context.call_on_close(client.close)
    return client


def service_url(context: typer.Context) -> str:
    """The address of the service."""
    given = context.find_root().params.get("url")
    return str(given) if given else settings_with().url


def settings_with(**given: Any) -> Settings:
    """The settings of the environment, with what the command line gave in their place."""
    from pydantic import ValidationError

    from service.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = f"BITFRONT_{str(first['loc'][0]).upper()}"
        raise InvalidInputError(f"the setting {name} is not acceptable: {first['msg']}.") from None


class Named(Protocol):
    """Anything with an id of its own."""

    @property
    def id(self) -> str:
        """A kind, `-` and ID_LETTERS more characters."""


def find_job(client: BitfrontClient, text: str) -> JobView:
    """A job by its id, the unique beginning of its id (with or without `job-`), or the word `latest`."""
    return client.job(found_id("job", text, every_job(client), start="bitfront submit FILE"))


def every_job(client: BitfrontClient, **chosen: Any) -> Iterator[JobView]:
    """All jobs, newest first, or those that are chosen as in `BitfrontClient.jobs`."""
    return _all_of(lambda cursor: client.jobs(limit=100, cursor=cursor, **chosen))


def find_ablation(client: BitfrontClient, text: str) -> AblationView:
    """An ablation, named as jobs are in `find_job`."""
    every = _all_of(lambda cursor: client.ablations(limit=100, cursor=cursor))
    return client.ablation(found_id("ablation", text, every, start="bitfront ablate FILE"))


def find_batch(client: BitfrontClient, text: str) -> BatchView:
    """A batch, named as jobs are in `find_job`."""
    every = _all_of(lambda cursor: client.batches(limit=100, cursor=cursor))
    return client.batch(found_id("batch", text, every, start="bitfront batch FILE"))


def found_id(kind: str, text: str, newest_first: Iterator[Named], *, start: str) -> str:
    """The whole id of what a user named; `start` is the command that makes the first one.

    Raises InvalidInputError where nothing, or more than one, is meant.
    """
    plural = PLURALS.get(kind, f"{kind}s")
    if text == "latest":
        newest = next(newest_first, None)
        if newest is None:
            raise NotThereError(f"there are no {plural} yet.", fix=f"Start one: `{start}`.")
        return newest.id
    beginning = text if text.startswith(f"{kind}-") else f"{kind}-{text}"
    if len(beginning) == len(kind) + 1 + ID_LETTERS:
        return beginning
    matches = [one.id for one in newest_first if one.id.startswith(beginning)]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        fix = f"`bitfront {plural}` lists them."
        raise NotThereError(f"no {kind}'s id begins with {text!r}.", fix=fix)
    listed = ", ".join(matches[:5])
    raise InvalidInputError(
        f"{len(matches)} {plural} begin with {text!r}: {listed}.", fix="Give more characters."
    )


def _all_of(page_at: Callable[[str | None], Page[T]]) -> Iterator[T]:
    """The items of every page."""
    cursor: str | None = None
    while True:
        page = page_at(cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def show_error(error: BitfrontError) -> None:
    """Every field that is wrong, why, and how to mend it."""
    console = err()
    fields: list[Any] = list(getattr(error, "errors", []))
    for entry in fields:
        place = entry.pointer or entry.parameter or "the job"
        console.print(f"[red]✗[/red] [bold]{escape(place)}[/bold]: {escape(entry.detail)}", soft_wrap=True)
        if entry.fix:
            console.print(f"  [green]{escape(entry.fix)}[/green]", soft_wrap=True)
    if not fields:
        console.print(f"[red]✗[/red] {escape(error.message)}", soft_wrap=True)
        if error.fix:
            console.print(f"  [green]{escape(error.fix)}[/green]", soft_wrap=True)


def exit_code_of(error: BitfrontError) -> int:
    """2 for input that the user can mend, 3 when no service answers, 4 for what is not there, else 1."""
    if error.code == "unreachable":
        return EXIT_UNREACHABLE
    if error.code in NOT_THERE:
        return EXIT_NOT_FOUND
    status = getattr(error, "status", None)
    if status is not None:
        return EXIT_BAD_INPUT if 400 <= status < 500 and error.code != "no_feasible_point" else EXIT_FAILED
    bad_input = isinstance(error, InvalidInputError | DataMissingError | DataDamagedError)
    return EXIT_BAD_INPUT if bad_input else EXIT_FAILED
