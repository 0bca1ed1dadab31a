"""A dispatcher that hangs in the middle of a job changes no result. Kills are those of tests/chaos."""

import os
import signal
import sqlite3
import subprocess
from contextlib import contextmanager

import pytest

from service.store import Store
from service.supervisor import own_command
from tests.integration.serving import in_the_middle, run_job, wait_until

pytestmark = pytest.mark.ray


def test_a_dispatcher_that_sleeps_through_its_lease_stores_nothing_when_it_wakes(undisturbed, tmp_path):
    def disturb(service, job_id):
        in_the_middle(service, job_id)
        (asleep,) = wait_until(service.dispatchers)
        stop_between_transactions(service, asleep)
        with another_dispatcher(service):
            wait_until(lambda: "lease_expired" in incidents(service, job_id))
            os.kill(asleep, signal.SIGCONT)
            wait_until(lambda: service.client.job(job_id).state == "succeeded")  # by whom is not the question

    assert run_job(tmp_path, disturb) == undisturbed


def stop_between_transactions(service, pid):
    """SIGSTOP: a process that is stopped while it writes would keep everybody from writing to SQLite."""

    def stopped():
        os.kill(pid, signal.SIGSTOP)
        if is_writable(service.home / "bitfront.db"):
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    wait_until(stopped)


def is_writable(path):
    """Whether a transaction that writes can begin within a second."""
    connection = sqlite3.connect(path, timeout=1.0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


@contextmanager
def another_dispatcher(service):
    """A second dispatcher of the same service."""
    environment = os.environ | {
        "BITFRONT_HOME": str(service.home),
        "BITFRONT_DATABASE_URL": service.database,
        "BITFRONT_LEASE_SECONDS": "3",
    }
    process = subprocess.Popen(
        [*own_command(), "dispatcher"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def incidents(service, job_id):
    """The kinds of what went wrong with the leases of a job."""
    store = Store.open(service.database)
    try:
        with store.unit() as unit:
            return [one.kind for one in unit.incidents.page(job_id, limit=100, cursor=None).items]
    finally:
        store.close()
