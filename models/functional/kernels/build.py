"""Compiles a C source with the machine's own C compiler, once per machine, and loads it.

The library is kept in the user's cache folder under a name made of everything that it depends on: source,
headers beside it, flags, compiler and processor. It is written under another name first, so that processes
that build at once never load half a file. torch's own OpenMP runtime is loaded by then, and the library
shares its threads.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

import platformdirs

SOURCE = Path(__file__).with_name("cpu.c")
FLAGS = (
    "-O3",
    "-std=c11",
    "-fPIC",
    "-shared",
    "-ffp-contract=off",  # a fused multiply-add would round other than the reference
    "-fno-math-errno",
    "-fno-trapping-math",
)
TARGETS = (
    ("-march=native", "-fopenmp"),
    ("-mcpu=native", "-fopenmp"),
    ("-fopenmp",),
    ("-march=native", "-fopenmp-simd"),
    (),
)
"""Tried in this order: not every compiler knows the processor it runs on, or OpenMP."""
SECONDS = 120.0


class BuildError(Exception):
    """Why there is no library: one sentence."""


def load(source: Path = SOURCE) -> ctypes.CDLL:
    """The compiled library of a source, from the cache where it is there. Raises BuildError."""
    compiler = _compiler()
    name = f"{source.stem}-{_digest(compiler, source)}.so"
    folder = _writable_cache()
    if folder is None:
        with tempfile.TemporaryDirectory() as private:
            return _open(_built(compiler, Path(private) / name, source))
    path = folder / name
    if path.exists():
        with contextlib.suppress(BuildError):  # a damaged file is built anew
            return _open(path)
    return _open(_built(compiler, path, source))


def _compiler() -> list[str]:
    """The command of the compiler: CC where it is set, else what Python was built with, else a usual one."""
    chosen = os.environ.get("CC")
    usual = [sysconfig.get_config_var("CC") or "", "cc", "gcc", "clang"]
    for command in [chosen] if chosen else usual:
        words = shlex.split(command)
        if words and shutil.which(words[0]):
            return words
    raise BuildError(f"CC names {chosen}, which is not there" if chosen else "there is no C compiler")


def _digest(compiler: list[str], source: Path) -> str:
    texts = [each.read_text() for each in (source, *sorted(source.parent.glob("*.h")))]
    parts = [*texts, repr((compiler, FLAGS, TARGETS)), _run([*compiler, "--version"]), _processor()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _processor() -> str:
    """What tells one processor from another, as far as the system says."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    told = sorted(
        {line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))}
    )
    return "\n".join([platform.machine(), platform.processor(), *told])


def _writable_cache() -> Path | None:
    folder = platformdirs.user_cache_path("bitfront") / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _built(compiler: Sequence[str], path: Path, source: Path) -> Path:
    """The library at `path`, compiled for this processor if the compiler can."""
    handle, unfinished = tempfile.mkstemp(dir=path.parent, suffix=".so")
    os.close(handle)
    try:
        _compile(compiler, unfinished, source)
        Path(unfinished).replace(path)
    finally:
        Path(unfinished).unlink(missing_ok=True)
    return path


def _compile(compiler: Sequence[str], path: str, source: Path) -> None:
    refusals = []
    for target in TARGETS:
        try:
            _run([*compiler, *FLAGS, *target, str(source), "-o", path, "-lm"])
        except BuildError as error:
            refusals.append(error)
        else:
            return
    raise refusals[0]


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the user's own compiler on our own source
            command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{command[0]} does not run: {error}") from error
    if done.returncode:
        told = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BuildError(f"{command[0]} failed: {told[0] if told else done.returncode}")
    return done.stdout


def _open(path: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise BuildError(f"the compiled library does not load: {error}") from error
