"""The CPU kernel builds at first use, once, whoever builds beside it; where it cannot, that is said once."""

import logging
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from models.functional import fire
from models.functional.kernels import build, dispatch

needs_compiler = pytest.mark.skipif(dispatch.cpu_library() is None, reason="no C compiler")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder; the flags are those of a quick build."""
    monkeypatch.setattr(build.platformdirs, "user_cache_path", lambda _: tmp_path)
    monkeypatch.setattr(build, "TARGETS", (("-O0",),))
    return tmp_path / "kernels"


@pytest.fixture
def nothing_built():
    """A process that has not asked for the library yet."""
    dispatch.cpu_library.cache_clear()
    yield
    dispatch.cpu_library.cache_clear()


@needs_compiler
def test_a_library_is_built_once(cache):
    first = Path(build.load()._name)
    written = first.stat().st_mtime_ns
    assert Path(build.load()._name) == first
    assert first.stat().st_mtime_ns == written
    assert [path.name for path in cache.iterdir()] == [first.name]


@needs_compiler
def test_the_cache_belongs_to_its_user_alone(cache):
    build.load()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


@needs_compiler
def test_other_flags_make_another_library(cache, monkeypatch):
    build.load()
    monkeypatch.setattr(build, "TARGETS", (("-O1",),))
    build.load()
    assert len(list(cache.iterdir())) == 2


@needs_compiler
def test_another_header_or_compiler_makes_another_library(cache, tmp_path, monkeypatch):
    source, header = tmp_path / "some.c", tmp_path / "some.h"
    source.write_text('#include "some.h"\nint some(void) { return SOME; }\n')
    for some in (1, 2):
        header.write_text(f"#define SOME {some}\n")
        assert build.load(source).some() == some
    monkeypatch.setenv("CC", " ".join([*build._compiler(), "-O1"]))
    build.load(source)
    assert len(list(cache.iterdir())) == 3


@needs_compiler
def test_builds_at_the_same_time_all_load_the_whole_library(cache):
    with ThreadPoolExecutor(4) as pool:  # each runs a compiler of its own, as processes would
        libraries = list(pool.map(lambda _: build.load(), range(4)))
    assert all(library.bitfront_forward for library in libraries)
    assert len(list(cache.iterdir())) == 1


@needs_compiler
def test_without_a_place_to_keep_it_the_library_is_built_all_the_same(cache, monkeypatch):
    cache.parent.joinpath("kernels").write_text("a file in the way")
    assert build.load().bitfront_forward


@needs_compiler
def test_a_compiler_that_does_not_know_the_processor_builds_for_any(cache, monkeypatch):
    monkeypatch.setattr(build, "TARGETS", (("-march=of-nobody",), ("-O0",)))
    assert build.load().bitfront_forward


@pytest.mark.parametrize(
    ("compiler", "told"),
    [("a-compiler-that-is-not-there", "CC names a-compiler-that-is-not-there"), ("false", "false failed")],
)
def test_without_a_compiler_torch_computes_and_one_warning_says_why(
    *, cache, nothing_built, monkeypatch, caplog, compiler, told
):
    monkeypatch.setenv("CC", compiler)
    x, V, B = torch.randn(50), torch.full((2,), 0.2), torch.full((2,), 3.0)
    with caplog.at_level(logging.WARNING):
        found = [fire(x, V, B, torch.tensor(2.0)) for _ in range(2)]
    (record,) = caplog.records
    assert told in record.message
    assert "Install a C compiler" in record.message
    dispatch.cpu_library.cache_clear()
    monkeypatch.delenv("CC")
    assert torch.equal(found[0], fire(x, V, B, torch.tensor(2.0)))


@needs_compiler
def test_a_damaged_library_is_built_anew(cache):
    cache.mkdir(parents=True)
    name = f"cpu-{build._digest(build._compiler(), build.SOURCE)}.so"
    (cache / name).write_bytes(b"half a file")
    assert build.load().bitfront_forward


def test_a_library_that_does_not_load_is_told_of(tmp_path):
    broken = tmp_path / "cpu.so"
    broken.write_bytes(b"half a file")
    with pytest.raises(build.BuildError, match="does not load"):
        build._open(broken)


@needs_compiler
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not list loaded libraries")
def test_the_library_shares_the_threads_of_torch():
    # In a process of its own: scikit-learn, which other tests import, brings a runtime of its own.
    loaded = """
from pathlib import Path
from models.functional.kernels import dispatch
assert dispatch.cpu_library() is not None
maps = Path("/proc/self/maps").read_text()
print(len({line.split()[-1] for line in maps.splitlines() if "libgomp" in line}))
"""
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 1
