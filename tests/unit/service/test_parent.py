"""A child that was told its parent ends with it, however the parent ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

from service.parent import PARENT_VARIABLE, child_environment, end_with_parent

CHILD = """
import threading
from service.parent import end_with_parent
stop = threading.Event()
end_with_parent(stop)
print("ready", flush=True)
stop.wait(30)
print("ended", flush=True)
"""
PARENT = f"""
import os, subprocess, sys, time
from service.parent import child_environment
subprocess.Popen([sys.executable, "-c", {CHILD!r}], env=os.environ | child_environment())
time.sleep(30)
"""


def test_a_child_ends_when_its_parent_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    killed = time.monotonic()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.read()  # returns once the child, which holds the other end too, is gone
    parent.stdout.close()
    assert time.monotonic() - killed < 10


def test_the_watch_alone_notices_a_parent_that_is_gone():
    stop = threading.Event()
    end_with_parent(stop, {PARENT_VARIABLE: str(os.getppid() + 1)})
    assert stop.wait(5)


def test_nothing_is_watched_where_no_parent_is_named():
    before = threading.active_count()
    end_with_parent(threading.Event(), {})
    assert threading.active_count() == before


def test_a_parent_names_itself():
    assert child_environment() == {PARENT_VARIABLE: str(os.getpid())}
