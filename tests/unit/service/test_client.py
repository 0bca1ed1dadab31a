"""The typed client against a real server in a thread, and its answers to failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.errors import CheckpointDamagedError
from search.job import JobSpec
from service.client import ApiError, BitfrontClient, UnreachableError
from service.settings import Settings

MakeJob = Callable[..., str]


@pytest.fixture
def client(url: str) -> Iterator[BitfrontClient]:
    """A client of that server."""
    with BitfrontClient(url) as client:
        yield client


def answering(*answers: httpx.Response | Exception) -> tuple[BitfrontClient, list[httpx.Request]]:
    """A client whose calls get these answers in turn, and the requests that it made."""
    waiting, made = list(answers), []

    def answer(request: httpx.Request) -> httpx.Response:
        made.append(request)
        given = waiting.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    return BitfrontClient("http://test", transport=httpx.MockTransport(answer), sleep=lambda _: None), made


def test_a_job_from_submission_to_cancelling(client: BitfrontClient, spec: dict[str, Any]) -> None:
    job = client.submit(spec)
    assert client.job(job.id) == job
    assert [listed.id for listed in client.jobs().items] == [job.id]
    assert client.cancel(job.id).state == "cancelled"
    assert client.job(job.id, wait=5).state == "cancelled"
    assert client.jobs(state="queued").items == []


def test_submits_a_validated_spec_too(client: BitfrontClient, spec: dict[str, Any]) -> None:
    assert client.submit(JobSpec.model_validate(spec)).spec == client.submit(spec).spec


def test_validates_without_storing(client: BitfrontClient, spec: dict[str, Any]) -> None:
    assert client.validate(spec).trials == 8
    assert client.jobs().items == []


def test_reads_results(client: BitfrontClient, job_with_points: MakeJob) -> None:
    job_id = job_with_points()
    front = client.front(job_id)
    point = client.point(front.points[0].id)
    assert client.trial(point.trial_id).point_ids == [point.id]
    assert len(client.trials(job_id, state="failed", method="uniform").items) == 2
    assert len(client.points(job_id).items) == 4
    assert len(client.front(job_id, all_points=True).points) == 4
    assert client.best(job_id, 2).id == point.id
    assert client.front_csv(job_id).startswith("metric,scope,id")


def test_lists_what_a_job_may_name(client: BitfrontClient) -> None:
    found = [client.architectures(), client.datasets(), client.methods()]
    assert [len(entries) for entries in found] == [1, 1, 2]


def test_a_problem_becomes_an_error_with_its_fields(client: BitfrontClient, spec: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        client.submit(spec | {"seeds": [-1]})
    assert (caught.value.status, caught.value.code) == (422, "invalid_input")
    assert [error.pointer for error in caught.value.errors] == ["/seeds/0"]


def test_nan_reaches_the_service_which_names_its_field(client: BitfrontClient, spec: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        client.submit(spec | {"training": {"lr": float("nan")}})
    assert caught.value.errors[0].pointer == "/training/lr"


def test_saves_a_checkpoint(client: BitfrontClient, job_with_points: MakeJob, tmp_path: Path) -> None:
    point = client.points(job_with_points()).items[0]
    saved = client.checkpoint(point.id, tmp_path / "weights.safetensors")
    assert saved.read_bytes() == b"not really tensors"


def test_a_damaged_checkpoint_is_not_saved(
    client: BitfrontClient, settings: Settings, job_with_points: MakeJob, tmp_path: Path
) -> None:
    point = client.points(job_with_points()).items[0]
    for file in settings.checkpoints.glob("*/*"):
        file.write_bytes(b"something else")
    target = tmp_path / "to" / "weights.safetensors"
    target.parent.mkdir()
    with pytest.raises(CheckpointDamagedError):
        client.checkpoint(point.id, target)
    assert list(target.parent.iterdir()) == []


def test_a_missing_checkpoint_is_a_problem(
    client: BitfrontClient, settings: Settings, job_with_points: MakeJob, tmp_path: Path
) -> None:
    point = client.points(job_with_points()).items[0]
    for file in settings.checkpoints.glob("*/*"):
        file.unlink()
    with pytest.raises(ApiError) as caught:
        client.checkpoint(point.id, tmp_path / "weights.safetensors")
    assert caught.value.code == "checkpoint_gone"


def test_follows_events_to_the_end_of_the_job(client: BitfrontClient, spec: dict[str, Any]) -> None:
    job = client.submit(spec)
    seen = []
    for event in client.events(job.id):
        seen.append(event.data["state"])
        client.cancel(job.id)
    assert seen == ["queued", "cancelled"]


def test_events_of_a_job_that_is_not_there(client: BitfrontClient) -> None:
    with pytest.raises(ApiError) as caught:
        list(client.events("job-0123456789abcdef"))
    assert caught.value.status == 404


def event_line(number: int) -> str:
    """One event as the service sends it."""
    moment = "2026-01-01T00:00:00Z"
    return f'data: {{"id":{number},"job_id":"job-1","kind":"x","data":{{}},"created_at":"{moment}"}}\n\n'


def test_events_connect_again_after_the_last_that_was_seen() -> None:
    client, made = answering(
        httpx.Response(200, text=": ping\n\n" + event_line(3) + event_line(4)),
        httpx.ReadError("broken"),
        httpx.Response(200, text=event_line(5)),
        httpx.Response(204),
    )
    assert [event.id for event in client.events("job-1", after=2)] == [3, 4, 5]
    assert [request.headers["last-event-id"] for request in made] == ["2", "4", "4", "5"]


def test_events_of_all_jobs_go_on_after_the_last_that_was_seen() -> None:
    client, made = answering(
        httpx.Response(200, text=event_line(3)),
        httpx.ReadError("broken"),
        httpx.Response(200, text=event_line(4)),
    )
    told = client.all_events(jobs=["job-1"], labels=["paper:one"], kinds=["point"], after=2)
    assert [next(told).id, next(told).id] == [3, 4]
    queries = [request.url.params for request in made]
    assert [query["after"] for query in queries] == ["2", "3", "3"]
    assert {(query["job"], query["label"], query["kind"]) for query in queries} == {
        ("job-1", "paper:one", "point")
    }


def test_events_of_all_jobs_end_after_their_seconds(client: BitfrontClient, spec: dict[str, Any]) -> None:
    job = client.submit(spec)
    assert [event.job_id for event in client.all_events(after=0, seconds=0)] == [job.id]
    assert list(client.all_events(seconds=0)) == []


def test_events_of_a_job_that_is_not_there_are_refused(client: BitfrontClient) -> None:
    with pytest.raises(ApiError, match="there is no job") as refused:
        list(client.all_events(jobs=["job-none"], seconds=0))
    assert refused.value.status == 404


def test_events_give_up_when_nobody_answers() -> None:
    client, made = answering(*[httpx.ConnectError("refused")] * 9)
    with pytest.raises(UnreachableError):
        list(client.events("job-1"))
    assert len(made) == 4


def test_says_how_to_start_a_service_that_does_not_answer() -> None:
    client, made = answering(*[httpx.ConnectError("refused")] * 4)
    with pytest.raises(UnreachableError, match="bitfront serve"):
        client.jobs()
    assert len(made) == 4


def test_a_submission_is_repeated_with_the_same_key(client: BitfrontClient, spec: dict[str, Any]) -> None:
    job = client.submit(spec)
    answer = httpx.Response(202, text=job.model_dump_json())
    repeating, made = answering(httpx.ReadError("lost"), httpx.Response(503, text="busy"), answer)
    assert repeating.submit(spec).id == job.id
    assert len({request.headers["idempotency-key"] for request in made}) == 1
    assert len(made) == 3


def test_a_refusal_is_not_repeated() -> None:
    client, made = answering(httpx.Response(404, text="who knows"))
    with pytest.raises(ApiError) as caught:
        client.jobs()
    assert (caught.value.code, len(made)) == ("unexpected_answer", 1)


def test_an_answer_of_another_program_is_recognised() -> None:
    client, _ = answering(httpx.Response(200, text="<html>"))
    with pytest.raises(UnreachableError, match="another program"):
        client.jobs()
