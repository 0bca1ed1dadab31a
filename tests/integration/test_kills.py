"""Kill -9 of the service, the dispatcher or a worker in the middle of a job changes no result."""

import pytest

from tests.integration.serving import in_the_middle, kill_all, run_job, wait_until

pytestmark = pytest.mark.ray


def test_the_service_is_killed_and_started_again(undisturbed, tmp_path):
    def disturb(service, job_id):
        in_the_middle(service, job_id)
        service.kill()
        service.start()

    assert run_job(tmp_path, disturb) == undisturbed


def test_the_dispatcher_is_killed(undisturbed, tmp_path):
    def disturb(service, job_id):
        in_the_middle(service, job_id)
        kill_all(wait_until(service.dispatchers))

    assert run_job(tmp_path, disturb) == undisturbed


def test_a_worker_is_killed(undisturbed, tmp_path):
    def disturb(service, job_id):
        in_the_middle(service, job_id)
        kill_all(wait_until(service.workers))

    assert run_job(tmp_path, disturb) == undisturbed
