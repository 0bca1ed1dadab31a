"""Finds a field in a JSON schema by its place, so that an error can name its bounds and neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
Place = tuple[str | int, ...]


def follow(root: Schema, place: Sequence[str | int]) -> tuple[Place, Schema]:
    """Walk as far along `place` as the schema reaches; the place that was reached and its schema.

    The tail of a place that names no part of the document (the branch of a union) is left out.
    """
    reached: list[str | int] = []
    schema = resolve(root, root)
    for step in place:
        below = _below(schema, step)
        if below is None:
            break
        reached.append(step)
        schema = resolve(root, below)
    return tuple(reached), schema


def resolve(root: Schema, schema: Schema) -> Schema:
    """Follow references, and take the one branch of a union that is not null."""
    if "$ref" in schema:
        return resolve(root, root["$defs"][schema["$ref"].rsplit("/", 1)[-1]])
    branches = [branch for branch in schema.get("anyOf", ()) if branch.get("type") != "null"]
    return resolve(root, branches[0]) if len(branches) == 1 else schema


def known_fields(schema: Schema) -> list[str]:
    """The names of the fields of an object."""
    return list(schema.get("properties", ()))


def allowed(schema: Schema) -> str:
    """What a field takes, in words (`1 to 10000`, `one of a, b`); empty when anything goes."""
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    least, greatest = _least(schema), _greatest(schema)
    if "minimum" in schema and "maximum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    return " and ".join(part for part in (least, greatest) if part)


def wanted_type(schema: Schema) -> str:
    """The type of a field, in words."""
    words = {
        "integer": "a whole number",
        "number": "a number",
        "string": "text",
        "boolean": "true or false",
        "array": "a list",
        "object": "an object",
    }
    if "anyOf" in schema:
        kinds = [branch for branch in schema["anyOf"] if branch.get("type") != "integer"]
        return " or ".join(wanted_type(branch) for branch in kinds)
    return words.get(str(schema.get("type")), "another type")


def _below(schema: Schema, step: str | int) -> Schema | None:
    if isinstance(step, int):
        return _item(schema, step)
    properties: Mapping[str, Schema] = schema.get("properties", {})
    if step in properties:
        return properties[step]
    rest = schema.get("additionalProperties")
    return rest if isinstance(rest, Mapping) else None


def _item(schema: Schema, index: int) -> Schema | None:
    if schema.get("type") != "array":
        return None
    fixed: Sequence[Schema] = schema.get("prefixItems", ())
    return fixed[index] if index < len(fixed) else schema.get("items", {})


def _least(schema: Schema) -> str:
    if "minimum" in schema:
        return f"at least {schema['minimum']}"
    return f"greater than {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else ""


def _greatest(schema: Schema) -> str:
    if "maximum" in schema:
        return f"at most {schema['maximum']}"
    return f"less than {schema['exclusiveMaximum']}" if "exclusiveMaximum" in schema else ""
