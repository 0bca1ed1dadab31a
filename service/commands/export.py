"""`bitfront export` and `bitfront verify`: a point as files, and proof that its integers are it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.errors import ExportDamagedError
from service.commands.shared import EXIT_FAILED, client_of, err, out, settings_with
from service.views import ExportFormat

if TYPE_CHECKING:
    from models.export import Export
    from models.export.files import Contents
    from workers.exporting import TrainedPoint


def export(
    context: typer.Context,
    point: Annotated[str, typer.Argument(metavar="POINT", help="The id of a point.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to write.")],
    form: Annotated[
        ExportFormat, typer.Option("--format", help="Packed integers, or a graph in an open format.")
    ] = "integers",
) -> None:
    """Write a point as files for hardware or another framework, with a manifest and hashes."""
    archive = client_of(context).export(point, form)

    from models.export import write_export

    contents, said = _checked(archive, form, to)
    write_export(contents, to)
    sizes = ", ".join(f"{name} {len(content):,} bytes" for name, content in contents.items())
    out().print(f"Wrote {point} to {to}: {sizes}.", soft_wrap=True, markup=False)
    out().print(said, soft_wrap=True, markup=False)


def _checked(archive: bytes, form: ExportFormat, to: Path) -> tuple[Contents, str]:
    """The files of an archive, which match their hashes, and what to know of them."""
    from models.export import export_of, unarchived

    if form == "integers":
        contents = unarchived(archive)
        found = export_of(contents)
        return contents, f"{len(found.layers)} layers. Prove it with: bitfront verify {to}"
    from models.export.formats import names_of, unexpressed_of

    contents = unarchived(archive, names_of(form))
    title = f"What {form.upper()} cannot say (not_expressed in manifest.json), and what stands instead:"
    return contents, "\n".join([title, *_listed(unexpressed_of(contents))])


def _listed(unexpressed: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """A line for each thing, with the layers that it is about."""
    layers: dict[tuple[str, str], list[str]] = {}
    for one in unexpressed:
        layers.setdefault((one["what"], one["instead"]), []).append(one["layer"])
    for (what, instead), names in layers.items():
        where = f" ({', '.join(names)})" if all(names) else ""
        yield f"  {what}{where}: {instead}."


def verify(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `export` wrote.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="The point's checkpoint; fetched from the service unless given.")
    ] = None,
    home: Annotated[Path | None, typer.Option(help="The home folder whose data is used.")] = None,
) -> None:
    """Run an export on the whole test set; exit 0 only if it equals the trained network."""
    from models.export import read_export
    from service.commands.export_tables import show
    from workers.exporting import check_data, point_splits, trained_network
    from workers.exporting import verify as run

    found = read_export(folder)
    console = out()
    console.print(f"The files of {folder} are whole and consistent.", soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="bitfront-verify-") as place:
        point = _trained(context, found, checkpoint, Path(place))
        splits = point_splits(point, settings_with(home=home).data)
        check_data(found, splits)
        network = trained_network(point, splits)
    with _samples_bar() as bar:
        task = bar.add_task("test samples", total=len(splits.test))
        verification = run(found, network, splits.test, lambda done: bar.update(task, completed=done))
    show(console, found, verification)
    if not verification.comparison.equal:
        raise typer.Exit(EXIT_FAILED)


def _samples_bar() -> Progress:
    """The three networks beside each other take minutes on thousands of samples."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err(), transient=True)


def _trained(context: typer.Context, found: Export, checkpoint: Path | None, place: Path) -> TrainedPoint:
    """What the trained network is rebuilt from; the checkpoint must be the one that was exported."""
    from workers.exporting import TrainedPoint, check_point

    facts = found.facts
    try:
        point_id, sha256 = str(facts["point"]), str(facts["checkpoint_sha256"])
        spec, proposal = _object(facts["spec"]), _object(facts["proposal"])
    except KeyError as error:
        raise ExportDamagedError(f"the manifest does not say of which {error.args[0]} it is.") from None
    path = checkpoint or place / "point.safetensors"
    point = TrainedPoint(spec=spec, proposal=proposal, checkpoint=path, checkpoint_sha256=sha256)
    check_point(point)
    if checkpoint is None:
        client_of(context).checkpoint(_point_id(point_id), path)
    return point


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ExportDamagedError("the manifest has no job or no proposal.")
    return value


def _point_id(text: str) -> str:
    """The id of a point. Raises ExportDamagedError where the manifest has anything else in its place."""
    if not re.fullmatch(r"point-[0-9a-z]+", text):
        raise ExportDamagedError("the manifest does not name a point.")
    return text
