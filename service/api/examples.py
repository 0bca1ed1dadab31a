"""Examples in the OpenAPI document that can be sent as they stand, and links from answers to further calls.

A body or a query of an example is whole: nothing has to be filled in but ids, and those are what links are
about. With both, a client that knows nothing but the document can make every call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
Place = tuple[str, str]
"""The method and the path of an operation."""

JOB: Mapping[str, Any] = {
    "name": "digits-first",
    "architecture": {"name": "conv-net", "width": 8},
    "dataset": {"name": "digits", "train_samples": 400},
    "budget": {"metric": "bit_budget", "max": [2, 4]},
    "methods": ["gradient-front", "random"],
    "seeds": [0],
    "training": {"epochs": 4, "batch_size": 64},
    "compute": {"trials_per_study": 2, "concurrent_trials": 2},
}
BODIES: Mapping[Place, Any] = {
    ("post", "/v1/jobs"): JOB,
    ("patch", "/v1/jobs/{job_id}/labels"): {"paper": "figure-3", "draft": None},
    ("post", "/v1/jobs/{job_id}/clone"): {"name": "digits-again", "seeds": [1, 2]},
    ("put", "/v1/jobs/{job_id}/priority"): {"priority": 5},
    ("post", "/v1/job-batches"): {
        "template": JOB,
        "grid": {"/architecture/width": [8, 16], "/seeds": [[0], [1]]},
    },
    ("post", "/v1/ablations"): {"job": {**JOB, "name": "steps"}, "groups": ["steps"]},
    ("post", "/v1/webhooks"): {"url": "https://hooks.example.org/bitfront", "events": ["job.succeeded"]},
    ("post", "/v1/keys"): {"name": "laptop", "scope": "admin", "expires": "90d"},
}
QUERIES: Mapping[Place, Mapping[str, Any]] = {
    ("get", "/v1/jobs/{job_id}/best"): {"max": 4},
    ("get", "/v1/jobs/{job_id}/fit"): {"weight_kib": 64},
    ("post", "/v1/uploads"): {"kind": "dataset", "name": "faces"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Where in an answer the parameter of a further call is."""

    source: Place
    target: Place
    parameter: str
    pointer: str = "/id"


LINKS = (
    Link(source=("post", "/v1/jobs"), target=("get", "/v1/jobs/{job_id}"), parameter="job_id"),
    Link(
        source=("post", "/v1/job-batches"), target=("get", "/v1/job-batches/{batch_id}"), parameter="batch_id"
    ),
    Link(
        source=("post", "/v1/ablations"),
        target=("get", "/v1/ablations/{ablation_id}"),
        parameter="ablation_id",
    ),
    Link(
        source=("get", "/v1/jobs/{job_id}/trials"),
        target=("get", "/v1/trials/{trial_id}"),
        parameter="trial_id",
        pointer="/items/0/id",
    ),
    Link(
        source=("get", "/v1/jobs/{job_id}/points"),
        target=("get", "/v1/points/{point_id}"),
        parameter="point_id",
        pointer="/items/0/id",
    ),
    Link(
        source=("get", "/v1/jobs/{job_id}/points"),
        target=("get", "/v1/points/{point_id}/difference/{other_id}"),
        parameter="other_id",
        pointer="/items/1/id",
    ),
    Link(
        source=("post", "/v1/points/{point_id}/rerun"),
        target=("get", "/v1/reruns/{rerun_id}"),
        parameter="rerun_id",
    ),
    *(
        Link(
            source=("get", f"{owner}/figures"),
            target=("get", f"{owner}/figures/{{key}}"),
            parameter="key",
            pointer="/0/key",
        )
        for owner in ("/v1/jobs/{job_id}", "/v1/trials/{trial_id}", "/v1/ablations/{ablation_id}")
    ),
    *(
        Link(source=("post", "/v1/jobs"), target=("get", f"/v1/fronts{part}"), parameter="job")
        for part in ("", "/points", "/hypervolume")
    ),
    Link(
        source=("post", "/v1/webhooks"), target=("get", "/v1/webhooks/{webhook_id}"), parameter="webhook_id"
    ),
    Link(source=("post", "/v1/keys"), target=("post", "/v1/keys/{key_id}/revoke"), parameter="key_id"),
    Link(source=("post", "/v1/uploads"), target=("get", "/v1/uploads/{upload_id}"), parameter="upload_id"),
)


def illustrate(document: Document) -> None:
    """Put the examples and links into a document. Raises KeyError where one is of no operation."""
    paths = document["paths"]
    for (method, path), body in BODIES.items():
        (content,) = paths[path][method]["requestBody"]["content"].values()
        content["example"] = body
    for (method, path), query in QUERIES.items():
        for parameter in paths[path][method]["parameters"]:
            if parameter["in"] == "query" and parameter["name"] in query:
                parameter["example"] = query[parameter["name"]]
    for link in LINKS:
        _link(paths, link)


def _link(paths: Document, link: Link) -> None:
    source, target = (paths[path][method] for method, path in (link.source, link.target))
    success = next(answer for status, answer in source["responses"].items() if status.startswith("2"))
    name = link.parameter.removesuffix("_id") if link.parameter.endswith("_id") else target["operationId"]
    success.setdefault("links", {})[name] = {
        "operationId": target["operationId"],
        "parameters": {link.parameter: f"$response.body#{link.pointer}"},
    }
