"""Looks at everything that a search needs on this machine, and says what to do where something is missing.

No folder or database is made, and no table changed; the CPU kernel is built, as the first training would do.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from models.errors import BitfrontError
from service.settings import Settings

Verdict = Literal["fine", "note", "wrong"]
"""`note`: Bitfront works without it, if less well. `wrong`: it does not work until this is mended."""

LEAST_PYTHON = (3, 11)
LITTLE_SPACE = 5 * 2**30
TOO_LITTLE_SPACE = 200 * 2**20


class Check(BaseModel):
    """One thing that was looked at: how it stands, what was found, and what to do."""

    model_config = ConfigDict(frozen=True)

    name: str
    verdict: Verdict
    found: str
    fix: str = ""


class Diagnosis(BaseModel):
    """All checks; `works` is false where one of them is wrong."""

    model_config = ConfigDict(frozen=True)

    works: bool
    checks: list[Check]


def diagnose(settings: Settings, service_answers: Callable[[], str]) -> Diagnosis:
    """Every check in turn; `service_answers` asks the service, and raises where it does not answer."""
    checks = list(_checks(settings, service_answers))
    return Diagnosis(works=all(check.verdict != "wrong" for check in checks), checks=checks)


def _checks(settings: Settings, service_answers: Callable[[], str]) -> Iterator[Check]:
    yield python()
    yield library("torch", fix="Install Bitfront anew: pip install -e . with constraints.txt.")
    yield library("ray", fix="Install Bitfront anew: without Ray no trial is placed.")
    yield guarded("compiler", compiler)
    yield guarded("GPU", gpu)
    yield guarded("home", lambda: folder("home", settings.home))
    yield guarded("disk space", lambda: space(settings.home))
    yield guarded("data sets", lambda: data(settings.data))
    yield guarded("database", lambda: database(settings))
    yield page()
    yield service(service_answers)


def guarded(name: str, check: Callable[[], Check]) -> Check:
    """A check that fails itself is an answer too."""
    try:
        return check()
    except Exception as error:  # whatever a driver or a broken installation raises must not hide the rest
        found = f"{type(error).__name__}: {error}".splitlines()[0]
        return Check(name=name, verdict="wrong", found=found, fix="Mend what this says, then look again.")


def python(running: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """The version of Python."""
    text = ".".join(str(part) for part in running)
    if tuple(running[:2]) >= LEAST_PYTHON:
        return Check(name="Python", verdict="fine", found=text)
    needed = ".".join(str(part) for part in LEAST_PYTHON)
    return Check(name="Python", verdict="wrong", found=text, fix=f"Use Python {needed} or newer.")


def library(name: str, *, fix: str) -> Check:
    """A library that has to be there, at the version that is installed."""
    try:
        importlib.import_module(name)
        return Check(name=name, verdict="fine", found=version(name))
    except (ImportError, OSError, PackageNotFoundError) as error:  # OSError: a shared library does not load
        return Check(name=name, verdict="wrong", found=str(error).splitlines()[0], fix=fix)


def compiler() -> Check:
    """The C compiler that builds the neuron's kernel at first use."""
    from models.functional.kernels import build

    try:
        build.load()
    except build.BuildError as error:
        fix = "Install one (Debian: apt install gcc), or name it in CC: training on CPUs is slower without."
        return Check(name="compiler", verdict="note", found=str(error), fix=fix)
    return Check(name="compiler", verdict="fine", found="the CPU kernel is built and loads")


def gpu() -> Check:
    """The GPUs that torch sees."""
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        return Check(name="GPU", verdict="fine", found=", ".join(names))
    if shutil.which("nvidia-smi") is None:
        fix = "Jobs train on CPUs; with a GPU, install its driver and a CUDA build of torch."
        return Check(name="GPU", verdict="note", found="none", fix=fix)
    fix = "Install a CUDA build of torch that fits the driver (nvidia-smi shows it)."
    return Check(name="GPU", verdict="note", found="there is a driver, but torch cannot use it", fix=fix)


def folder(name: str, path: Path) -> Check:
    """A folder that has to be writable, or be made where it is not there."""
    there = next(above for above in (path, *path.parents) if above.exists())
    if not there.is_dir():
        fix = "Move that file away, or set BITFRONT_HOME."
        return Check(name=name, verdict="wrong", found=f"{there} is not a folder", fix=fix)
    if not os.access(there, os.W_OK | os.X_OK):
        fix = "Set its rights, or choose another folder with BITFRONT_HOME."
        return Check(name=name, verdict="wrong", found=f"{there} cannot be written", fix=fix)
    found = str(path) if there == path else f"{path}, made at the first start"
    return Check(name=name, verdict="fine", found=found)


def space(path: Path) -> Check:
    """The disk space for checkpoints."""
    there = next(above for above in (path, *path.parents) if above.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / 2**30:.1f} GiB free"
    if free < TOO_LITTLE_SPACE:
        return Check(name="disk space", verdict="wrong", found=found, fix=f"Free space under {there}.")
    if free < LITTLE_SPACE:
        fix = "Checkpoints of large networks take gigabytes: free space, or move BITFRONT_HOME."
        return Check(name="disk space", verdict="note", found=found, fix=fix)
    return Check(name="disk space", verdict="fine", found=found)


def data(path: Path) -> Check:
    """The data sets whose files are there."""
    from workers.data import datasets

    known = datasets(path)
    there = [name for name, info in known.items() if info.available]
    missing = [name for name in known if name not in there]
    found = ", ".join(there) or "none"
    if missing:
        fix = f"`bitfront datasets` says what {', '.join(missing)} take; their files go into {path}."
        return Check(name="data sets", verdict="note", found=found, fix=fix)
    return Check(name="data sets", verdict="fine", found=found)


def database(settings: Settings) -> Check:
    """Whether the database can be reached, and has this version's tables."""
    from sqlalchemy import make_url

    from service.store import Store

    url = make_url(settings.database)
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return Check(name="database", verdict="fine", found=f"{shown}, made at the first start")
    try:
        store = Store.open(settings.database)
        current = store.at_head()
        store.close()
    except Exception as error:  # what a driver raises has no common base
        reason = str(error).splitlines()[0]
        fix = "Start the server that BITFRONT_DATABASE_URL names, or mend the address and the rights."
        return Check(name="database", verdict="wrong", found=f"{shown}: {reason}", fix=fix)
    if not current:
        fix = "`bitfront serve` brings an older one up to date; a newer one needs a newer Bitfront."
        return Check(name="database", verdict="note", found=f"{shown} has another schema", fix=fix)
    return Check(name="database", verdict="fine", found=shown)


def page() -> Check:
    """The charts of the pages."""
    from service.web.rendering import FOLDER

    if (FOLDER / "static" / "charts.js").is_file():
        return Check(name="charts", verdict="fine", found="built")
    return Check(name="charts", verdict="note", found="not built: pages show tables only", fix="make charts")


def service(answers: Callable[[], str]) -> Check:
    """Whether a service answers; only commands that ask one need it."""
    try:
        return Check(name="service", verdict="fine", found=answers())
    except BitfrontError as error:
        return Check(name="service", verdict="note", found=error.message, fix=error.fix)
