"""The OpenAPI document: every route is in it, with the problems that it may be answered with."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts


def test_every_operation_names_its_problems_and_every_route_is_described(app: FastAPI) -> None:
    document = app.openapi()
    described = {(method.upper(), path) for path, found in document["paths"].items() for method in found}
    routes = {
        (method, found.path)
        for found in iter_route_contexts(app.routes)
        if isinstance(found.route, APIRoute) and found.path.startswith("/v1/")
        for method in found.methods
    }
    assert routes <= described
    assert "HTTPValidationError" not in str(document)
    for method, path in routes:
        answers = document["paths"][path][method.lower()]["responses"]
        assert {"401", "403", "429"} <= set(answers), path
        assert "application/problem+json" in answers["401"]["content"]
