"""The calls of the client about ablations and figures."""

from __future__ import annotations

import json
import uuid
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from service.ablations.views import AblationView
from service.figures.views import FigureView
from service.views import Page

Answer = TypeVar("Answer", bound=BaseModel)


class AblationCalls(Protocol):
    """What the client can do beyond jobs; it brings the calls that are abstract here."""

    def ablate(
        self, job: Mapping[str, Any], groups: Sequence[str] | None = None, idempotency_key: str | None = None
    ) -> AblationView:
        """Submit an ablation of a job; asking again after a lost answer is safe, as with a job."""
        chosen = {} if groups is None else {"groups": list(groups)}
        body = json.dumps({"job": dict(job), **chosen}).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key or uuid.uuid4().hex,
        }
        return self._parsed(AblationView, self._call("POST", "/v1/ablations", content=body, headers=headers))

    def ablation(self, ablation_id: str) -> AblationView:
        """An ablation with the results of its variants."""
        return self._get(AblationView, f"/v1/ablations/{ablation_id}")

    def ablations(self, *, limit: int = 50, cursor: str | None = None) -> Page[AblationView]:
        """A page of ablations, newest first."""
        return self._get(Page[AblationView], "/v1/ablations", limit=limit, cursor=cursor)

    def ablation_csv(self, ablation_id: str) -> str:
        """The table of an ablation as CSV text."""
        return self._call("GET", f"/v1/ablations/{ablation_id}", params={"format": "csv"}).text

    def figures(self, owner_id: str) -> list[FigureView]:
        """The figures of a job, a trial or an ablation."""
        content = self._call("GET", f"{_path_of(owner_id)}/figures").content
        return TypeAdapter(list[FigureView]).validate_json(content)

    def figure_csv(self, owner_id: str, key: str) -> str:
        """One of them as CSV text."""
        return self._call("GET", f"{_path_of(owner_id)}/figures/{key}", params={"format": "csv"}).text

    @abstractmethod
    def _get(self, kind: type[Answer], path: str, **params: Any) -> Answer: ...

    @abstractmethod
    def _call(self, method: str, path: str, **options: Any) -> httpx.Response: ...

    @abstractmethod
    def _parsed(self, kind: type[Answer], response: httpx.Response) -> Answer: ...


def _path_of(owner_id: str) -> str:
    kinds = {"ablation": "ablations", "trial": "trials"}
    return f"/v1/{kinds.get(owner_id.partition('-')[0], 'jobs')}/{owner_id}"
