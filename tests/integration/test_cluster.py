"""A Ray cluster whose head, nodes and dispatchers are processes of their own, as in docker-compose.yml."""

import threading

import pytest

from models.errors import ClusterUnavailableError, InvalidInputError
from service.ray_cluster import joined
from service.settings import Settings
from tests.integration.composed import Composed, free_port
from tests.integration.serving import JOB, ended, in_the_middle, trained_once, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.postgres]


def test_a_cluster_that_comes_late_and_loses_a_node_and_a_dispatcher_finds_the_same(
    undisturbed, tmp_path, postgres_database
):
    composed = Composed(tmp_path, postgres_database)
    try:
        composed.client = composed.start()
        job = composed.client.submit(dict(JOB))
        wait_until(lambda: waits_for(composed) == ["no_ray"])
        composed.start_head()
        wait_until(lambda: waits_for(composed) == ["no_nodes"])
        composed.up_all("ray-worker")
        in_the_middle(composed, job.id)
        composed.lose("ray-worker")
        composed.lose("dispatcher")
        composed.up("dispatcher")
        assert ended(composed, job.id) == undisturbed
    except AssertionError as error:
        error.add_note(composed.said())
        raise
    finally:
        composed.stop()
    trained_once(postgres_database, job.id)


def waits_for(composed: Composed) -> list[str]:
    """Why each queued job waits."""
    return [one.reason for one in composed.client.queue().queued]


def test_without_a_cluster_no_job_is_claimed_and_stopping_still_works(tmp_path):
    stop = threading.Event()
    settings = Settings(home=tmp_path, ray_address=f"127.0.0.1:{free_port()}")
    threading.Timer(0.5, stop.set).start()
    with joined(settings, stop):
        assert stop.is_set()


def test_joining_needs_the_token_of_the_cluster(tmp_path):
    from workers.cluster import joined_ray, require_answer

    with pytest.raises(InvalidInputError, match="token"), joined_ray("127.0.0.1:1", tmp_path / "none"):
        pass
    with pytest.raises(ClusterUnavailableError, match="no Ray cluster answers"):
        require_answer(f"127.0.0.1:{free_port()}")
    with pytest.raises(InvalidInputError, match="no address"):
        require_answer("ray://somewhere:10001")
