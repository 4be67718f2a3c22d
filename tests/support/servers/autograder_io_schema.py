"""The API of autograder.io as `autograder-cli` describes it: which requests and answers fit."""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import Any

import yaml
from jsonschema import Draft202012Validator

PARAMETER = re.compile(r"\{\w+\}")


@functools.cache
def load() -> dict[str, Any]:
    """Return the schema."""
    place = resources.files("autograder_cli.config.autograder_io_schema") / "schema.yml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(place.read_text(encoding="utf-8"), loader)
    return found


def operation(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """Return the template of a path and what the method does there; None if there is no such thing.

    Where two fit, the one with fewer parameters is meant: ``users/current`` and not ``users/{id}``.
    """
    for template, methods in sorted(load()["paths"].items(), key=lambda item: item[0].count("{")):
        pattern = "[^/]+".join(map(re.escape, PARAMETER.split(template)))
        if re.fullmatch(pattern, path) and method.lower() in methods:
            return template, methods[method.lower()]
    return None


def problem(content: object, schema: dict[str, Any], *, closed: bool = False) -> str:
    """Say how a value does not fit a schema; nothing if it does.

    Parameters
    ----------
    closed : bool
        Refuse keys that the schema of an object does not name.
    """
    validator = Draft202012Validator(_translate(schema, closed))
    error = next(iter(validator.iter_errors(content)), None)
    return "" if error is None else f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message}"


def empty(name: str) -> Any:
    """Return a value of a component: false, 0, an empty text, the first of several words."""
    return _empty(load()["components"]["schemas"][name])


def _empty(schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _empty(_component(schema["$ref"]))
    if schema.get("nullable"):
        return None
    for key in ("allOf", "anyOf"):
        if key in schema:
            return _empty(schema[key][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        return {name: _empty(schema["properties"][name]) for name in schema.get("required", ())}
    if schema.get("format") in {"date-time", "time"}:
        return {"date-time": "2026-09-01T12:00:00Z", "time": "00:00:00"}[schema["format"]]
    return {"boolean": False, "integer": 0, "string": "", "array": []}[schema["type"]]


def _component(reference: str) -> dict[str, Any]:
    found: dict[str, Any] = load()["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _translate(schema: dict[str, Any], closed: bool) -> dict[str, Any]:
    """Return a schema of OpenAPI 3.0 as one of JSON Schema."""
    if "$ref" in schema:
        return _translate(_component(schema["$ref"]), closed)
    kept = {key: value for key, value in schema.items() if key in {"enum", "maximum", "required"}}
    for key in ("allOf", "anyOf"):
        if key in schema:
            kept[key] = [_translate(part, closed) for part in schema[key]]
    if "type" in schema:
        kept["type"] = schema["type"]
    if "properties" in schema:
        kept["properties"] = {name: _translate(part, closed) for name, part in schema["properties"].items()}
        if closed:
            kept["additionalProperties"] = False
    if "items" in schema:
        kept["items"] = _translate(schema["items"], closed)
    return {"anyOf": [{"type": "null"}, kept]} if schema.get("nullable") else kept
