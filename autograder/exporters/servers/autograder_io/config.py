"""Check an ``agproject.yml``, more strictly than the models of `autograder-cli` do.

Those ignore keys that they do not know and convert numbers, so what they accept may be something else than
what was meant. Here such a file is refused, and so is what the server would refuse only later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ValidationError

from autograder.errors import ConfigError
from autograder.exporters.servers.autograder_io.settings import MAX_SECONDS
from autograder.untrusted import line

MAX_FILE: Final = 15_000_000
"""Bytes of an instructor file."""
_MAX_NAME, _MAX_COMMAND = 255, 1000
_SENT: Final = {
    "ProjectConfig": frozenset(
        {"name", "timezone", "course", "settings", "student_files", "instructor_files", "test_suites"}
    ),
    "ProjectSettings": frozenset({"ultimate_submission_policy", "deadline"}),
    "SingleCmdTestCaseConfig": frozenset(
        {"name", "type", "cmd", "return_code", "custom_scoring", "feedback", "resources"}
        | {"internal_admin_notes", "staff_description", "student_description", "student_on_fail_description"}
    ),
    "TestCommandFeedbackSettings": frozenset(
        {"normal", "final_graded_submission", "past_limit_submission", "staff_viewer"}
    ),
}
"""Of models with more fields than an upload sends, those that it sends."""
_ELSEWHERE: Final = "the kit does not upload this; use: ag project save"


def parse(text: str, path: Path) -> Any:
    """Return the `AGConfig` of an ``agproject.yml``.

    Parameters
    ----------
    text : str
        What is in it.
    path : Path
        Where it is, for messages.

    Raises
    ------
    ConfigError
        It is no YAML, has a key that nobody knows or a value of another type, exceeds a limit of the server,
        or `autograder-cli` is not installed.
    """
    model = _model()
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise _damaged(path, f"is not valid YAML{where}") from None
    try:
        config = model.model_validate(content, context={"read_yaml": True})
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        key = _dotted(part for part in detail["loc"] if part not in _TAGS)
        raise _damaged(path, f"`{key}`: {detail['msg']}") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise _damaged(path, line(str(error))) from None
    for place, problem in (*_differences(content, config, ()), *_problems(config)):
        raise _damaged(path, f"`{place}`: {problem}")
    return config


_TAGS: Final = frozenset(
    {"exact_match", "fnmatch", "SingleCmdTestCaseConfig", "MultiCmdTestCaseConfig"}
    | {"relative", "fixed", "none"}
)
"""Parts of a place that name a model, and no key."""


def _model() -> Any:
    try:
        from autograder_cli.config.models import AGConfig
    except ImportError:
        found = "is not installed, and knows what autograder.io accepts"
        raise ConfigError("autograder-cli", found, "run: pip install 'coursegrad[servers]'") from None
    return AGConfig


def _damaged(path: Path, found: str) -> ConfigError:
    return ConfigError(str(path), found, "correct it, or make the bundle again: autograder bundle")


def _dotted(parts: Any) -> str:
    """Write a place as a reader of the file would, lists counted from 1."""
    text = ""
    for part in parts:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _differences(raw: Any, read: Any, place: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    """Yield what the models have ignored or changed, with its place."""
    if isinstance(raw, dict):
        known, sent = _known(read), _SENT.get(type(read).__name__)
        for key, value in raw.items():
            if key not in known:
                yield _dotted((*place, key)), "unknown key; check its spelling"
            elif sent is not None and known[key] not in sent:
                yield _dotted((*place, key)), _ELSEWHERE
            else:
                inner = read[key] if isinstance(read, dict) else getattr(read, known[key])
                yield from _differences(value, inner, (*place, key))
    elif isinstance(raw, list) and isinstance(read, list | tuple):
        for index, (one, other) in enumerate(zip(raw, read, strict=True)):
            yield from _differences(one, other, (*place, index))
    elif type(read) in (int, bool) and type(raw) is not type(read):
        expected = "a whole number" if type(read) is int else "true or false"
        yield _dotted(place), f"expected {expected}, not {raw!r}"


def _known(read: Any) -> dict[Any, Any]:
    """Return the keys that a model knows, with the names of its fields."""
    if not isinstance(read, BaseModel):
        return {key: key for key in read} if isinstance(read, dict) else {}
    fields = type(read).model_fields.items()
    return {key: name for name, field in fields for key in (name, field.alias) if key is not None}


def _problems(config: Any) -> Iterator[tuple[str, str]]:
    """Yield what the server would refuse, or what this kit does not upload."""
    project = config.project
    if project.settings.deadline is not None and project.settings.deadline.cutoff_type != "none":
        yield "project.settings.deadline.cutoff_type", _ELSEWHERE
    files = {file.name for file in project.instructor_files}
    patterns = {str(file) for file in project.student_files}
    yield from _repeated("project.test_suites", [suite.name for suite in project.test_suites])
    presets, setups = config.feedback_presets, config.feedback_presets_test_suite_setup
    for place_number, suite in enumerate(project.test_suites):
        place = f"project.test_suites[{place_number + 1}]"
        yield from _lengths(f"{place}.setup_cmd", suite.setup_suite_cmd, _MAX_COMMAND, least=0)
        yield from _unknown_presets(f"{place}.feedback", suite.feedback, setups)
        for key, wanted, known in (
            ("instructor_files_needed", suite.instructor_files_needed, files),
            ("student_files_needed", suite.student_files_needed, patterns),
        ):
            for name in wanted:
                if name not in known:
                    yield f"{place}.{key}", f"{name} is no file of the project"
        yield from _repeated(f"{place}.test_cases", [case.name for case in suite.test_cases])
        for index, case in enumerate(suite.test_cases):
            yield from _case_problems(f"{place}.test_cases[{index + 1}]", case)
            yield from _unknown_presets(f"{place}.test_cases[{index + 1}].feedback", case.feedback, presets)


def _case_problems(place: str, case: Any) -> Iterator[tuple[str, str]]:
    if case.type != "single_cmd":
        yield f"{place}.type", _ELSEWHERE
        return
    yield from _lengths(f"{place}.name", case.name, _MAX_NAME)
    yield from _lengths(f"{place}.cmd", case.cmd, _MAX_COMMAND)
    limits = case.resources
    if not 1 <= limits.time_limit <= MAX_SECONDS:
        yield f"{place}.resources.time_limit", f"expected 1 to {MAX_SECONDS} seconds"
    if limits.block_process_spawn:
        yield f"{place}.resources.block_process_spawn", "expected false: grading starts processes"
    if limits.virtual_memory_limit is not None and limits.virtual_memory_limit <= 0:
        yield f"{place}.resources.virtual_memory_limit", "expected a number of bytes above 0"
    if case.custom_scoring is not None and case.custom_scoring.max_points < 0:
        yield f"{place}.custom_scoring.max_points", "expected 0 or more"


def _lengths(place: str, text: str, most: int, *, least: int = 1) -> Iterator[tuple[str, str]]:
    if not least <= len(text) <= most:
        yield place, f"expected {least} to {most} characters, not {len(text)}"


def _unknown_presets(place: str, feedback: Any, known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in type(feedback).model_fields:
        if isinstance(preset := getattr(feedback, name), str) and preset not in known:
            yield f"{place}.{name}", f"there is no preset {preset!r}; this file has {', '.join(known)}"


def _repeated(place: str, names: list[str]) -> Iterator[tuple[str, str]]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield place, f"{name} is there twice"
