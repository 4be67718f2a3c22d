"""What requests to autograder.io hold for the parts of an ``agproject.yml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

NEW_PROJECT: Final[dict[str, Any]] = {"visible_to_students": False, "hide_ultimate_submission_fdbk": True}
"""Of a project that is new: nobody sees it until it is published, nor final scores until these are.

Later uploads leave both as people have set them.
"""
Body = dict[str, Any]


def project(wanted: Any) -> Body:
    """Return the settings of a project that the kit decides."""
    body: Body = {
        "name": wanted.name,
        "timezone": wanted.timezone.key,
        "ultimate_submission_policy": wanted.settings.ultimate_submission_policy,
    }
    if wanted.settings.deadline is not None:
        body["soft_closing_time"] = wanted.settings.deadline.deadline.isoformat()
    return body


def student_file(wanted: Any) -> Body:
    """Return a pattern of files that students hand in."""
    if isinstance(wanted, str):
        return {"pattern": wanted, "min_num_matches": 1, "max_num_matches": 1}
    return {
        "pattern": wanted.pattern,
        "min_num_matches": wanted.min_num_matches,
        "max_num_matches": wanted.max_num_matches,
    }


def suite(
    wanted: Any,
    *,
    image: Mapping[str, Any],
    students: Sequence[Mapping[str, Any]],
    instructors: Sequence[Mapping[str, Any]],
    presets: Mapping[str, Any],
) -> Body:
    """Return a suite without its test cases.

    Parameters
    ----------
    image, students, instructors
        What it needs, as the server returns them.
    presets : mapping
        Name to feedback.
    """
    return {
        "name": wanted.name,
        "sandbox_docker_image": image,
        "student_files_needed": students,
        "instructor_files_needed": instructors,
        "read_only_instructor_files": wanted.read_only_instructor_files,
        "allow_network_access": wanted.allow_network_access,
        "deferred": wanted.deferred,
        "setup_suite_cmd": wanted.setup_suite_cmd,
        "setup_suite_cmd_name": wanted.setup_suite_cmd_name,
        "reject_submission_if_setup_fails": wanted.reject_submission_if_setup_fails,
        **_feedback(wanted.feedback, presets),
    }


def case(wanted: Any) -> Body:
    """Return a test case without its command."""
    return {
        "name": wanted.name,
        "internal_admin_notes": wanted.internal_admin_notes,
        "staff_description": wanted.staff_description,
        "student_description": wanted.student_description,
    }


def command(wanted: Any, presets: Mapping[str, Any]) -> Body:
    """Return the command of a test case, whose score the server reads from its output."""
    limits, scoring = wanted.resources, wanted.custom_scoring
    body = case(wanted) | {
        "cmd": wanted.cmd,
        "student_on_fail_description": wanted.student_on_fail_description,
        "expected_return_code": wanted.return_code.expected,
        "points_for_correct_return_code": wanted.return_code.points,
        "time_limit": limits.time_limit,
        "use_virtual_memory_limit": limits.virtual_memory_limit is not None,
        "block_process_spawn": limits.block_process_spawn,
        "custom_scoring_source": "none" if scoring is None else scoring.source,
        **_feedback(wanted.feedback, presets),
    }
    if limits.virtual_memory_limit is not None:
        body["virtual_memory_limit"] = limits.virtual_memory_limit
    if scoring is not None:
        body |= {
            "custom_scoring_regex": scoring.regex,
            "max_points_for_custom_scoring": scoring.max_points,
            "custom_scoring_label": scoring.label,
        }
    return body


def is_same(wanted: Any, there: Any) -> bool:
    """Tell whether the server has a value already; parts that it numbers are the same by their number."""
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        if "pk" in wanted:
            return bool(wanted["pk"] == there.get("pk"))
        return all(is_same(value, there.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(there, list):
        if wanted and isinstance(wanted[0], Mapping) and "pk" in wanted[0]:
            return {one["pk"] for one in wanted} == {one["pk"] for one in there}
        return wanted == there
    if isinstance(wanted, str) and isinstance(there, str) and wanted != there:
        return _same_time(wanted, there)
    return type(wanted) is type(there) and bool(wanted == there)


def _same_time(wanted: str, there: str) -> bool:
    try:
        return datetime.fromisoformat(wanted) == datetime.fromisoformat(there)
    except (ValueError, TypeError):
        return False


def _feedback(wanted: Any, presets: Mapping[str, Any]) -> Body:
    return {
        f"{ours}_fdbk_config": presets[chosen] if isinstance(chosen, str) else chosen
        for ours, chosen in {
            "normal": wanted.normal,
            "ultimate_submission": wanted.final_graded_submission,
            "past_limit_submission": wanted.past_limit_submission,
            "staff_viewer": wanted.staff_viewer,
        }.items()
    }
