"""Freed memory stays with a process that asked for it."""

import platform
import subprocess
import sys

import pytest

MAPPED = """
import ctypes, torch
from models.memory import keep_freed_memory

class Told(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]

mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Told
if {keep}:
    keep_freed_memory()
before = mallinfo().hblkhd
block = torch.empty(2**24, dtype=torch.uint8)
print(mallinfo().hblkhd - before)
"""
"""Bytes that the allocator maps for one block of 16 MiB alone."""


def mapped(*, keep):
    """In a process of its own: what is freed raises the limit for good."""
    run = [sys.executable, "-c", MAPPED.format(keep=keep)]
    return int(subprocess.run(run, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(
    platform.libc_ver() < ("glibc", "2.33"), reason="other allocators have other habits, or do not tell"
)
def test_kept_memory_is_not_mapped_anew():
    assert mapped(keep=False) >= 2**24
    assert mapped(keep=True) == 0
