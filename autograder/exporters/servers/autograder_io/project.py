"""``agproject.yml``: the project on autograder.io, described as `autograder-cli` reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

import autograder
from autograder.exporters.servers.autograder_io.settings import MAX_SECONDS
from autograder.exporters.servers.interface import Contents
from autograder.exporters.servers.points import share_by_tier
from autograder.untrusted import line
from helpers.wording import number

FILE: Final = "agproject.yml"
ARCHIVE: Final = "coursegrad.tar"
SUITE: Final = "CourseGrad"
_SETUP: Final = (
    f"rm -rf ../coursegrad && mkdir ../coursegrad && tar -xf {ARCHIVE} -C ../coursegrad"
    " && bash ../coursegrad/setup.sh"
)
_HIDDEN: Final = "hidden checks"


def describe(contents: Contents, scale: int, image: str) -> str:
    """Return the text of ``agproject.yml``.

    Parameters
    ----------
    scale : int
        Points there for one here.
    image : str
        Name of the sandbox image.
    """
    settings, assignment = contents.settings, contents.assignment
    files = [*(f"{name}.py" for name in assignment.modules), *assignment.weights]
    files += [f"{assignment.name}.ipynb", f"{assignment.name}-submission.zip"]
    policy = {"latest": "most_recent", "best": "best"}[assignment.attempts]
    project = {
        "name": settings.project_of(assignment),
        "timezone": contents.course.timezone,
        "course": {"name": settings.course, "semester": settings.semester, "year": settings.year},
        "settings": {"final_graded_submission_policy": policy, **_deadline(contents)},
        "student_files": [{"pattern": name, "min_num_matches": 0, "max_num_matches": 1} for name in files],
        "instructor_files": [{"local_path": ARCHIVE}],
        "test_suites": [
            {
                "name": SUITE,
                "sandbox_docker_image": image,
                "instructor_files_needed": [ARCHIVE],
                "read_only_instructor_files": True,
                "student_files_needed": files,
                "allow_network_access": False,
                "deferred": False,
                "setup_cmd": _SETUP,
                "setup_label": "Grading",
                "reject_submission_if_setup_fails": True,
                "feedback": {
                    "normal": "students",
                    "past_limit_submission": "students",
                    "final_graded_submission": "students",
                    "staff_viewer": "staff",
                },
                "test_cases": list(_cases(contents, scale)),
            }
        ],
    }
    content = {
        "project": project,
        "feedback_presets": {"shown": _visible(True), "unseen": _visible(False), "staff": _everything()},
        "feedback_presets_test_suite_setup": {"students": _setup(False), "staff": _setup(True)},
    }
    head = (
        f"# Written by CourseGrad {autograder.__version__}; `autograder upload` takes it to autograder.io.\n"
    )
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def note(task: str, tier: str, scale: int) -> str:
    """Return what staff can read at a test case, from which scores are read back."""
    return f"CourseGrad: task {task}, {tier} checks, {scale} points here are 1 point of the course"


def _deadline(contents: Contents) -> dict[str, Any]:
    """Return the due date, in the time zone of the project; when submissions end is decided there."""
    from zoneinfo import ZoneInfo

    due = contents.assignment.deadline
    if due is None:
        return {}
    local = due.astimezone(ZoneInfo(contents.course.timezone))
    return {"deadline": {"cutoff_type": "none", "deadline": local.strftime("%Y-%m-%d %H:%M:%S")}}


def _cases(contents: Contents, scale: int) -> Iterator[dict[str, Any]]:
    """Yield a test case for each task's public checks, and one for its hidden checks."""
    assignment = contents.assignment
    places = {task.id: place for place, task in enumerate(assignment.tasks, start=1)}
    titles = {task.id: line(task.title) for task in assignment.tasks}
    for (task, tier), worth in share_by_tier(assignment, contents.plan).items():
        end = f": {_HIDDEN}" if tier == "hidden" else ""
        yield {
            "name": f"{places[task]} {titles[task]}{end}",
            "type": "single_cmd",
            "internal_admin_notes": note(task, tier, scale),
            "cmd": f"bash ../coursegrad/show.sh {task} {tier}",
            "return_code": {"expected": "zero", "points": 0},
            "custom_scoring": {
                "label": "Points" if scale == 1 else f"Points, {number(scale)} to one of the course",
                "max_points": round(worth * scale),
                "source": "stderr",
            },
            "feedback": _feedback(tier, contents.settings.hidden),
            "resources": {
                "time_limit": contents.settings.seconds or MAX_SECONDS,
                "virtual_memory_limit": None,
                "block_process_spawn": False,
            },
        }


def _feedback(tier: str, hidden: str) -> dict[str, str]:
    """Return who sees points and feedback of a test case, and when."""
    at_once = tier == "public" or hidden == "shown"
    return {
        "normal": "shown" if at_once else "unseen",
        "past_limit_submission": "shown" if at_once else "unseen",
        "final_graded_submission": "shown" if at_once or hidden == "closed" else "unseen",
        "staff_viewer": "staff",
    }


def _visible(shown: bool) -> dict[str, Any]:
    levels = dict.fromkeys(
        ("return_code_fdbk_level", "stdout_fdbk_level", "stderr_fdbk_level"), "no_feedback"
    )
    return {
        "visible": shown,
        "show_student_description": shown,
        **levels,
        "show_points": shown,
        "show_actual_return_code": False,
        "show_actual_stdout": shown,
        "show_actual_stderr": False,
        "show_whether_timed_out": shown,
    }


def _everything() -> dict[str, Any]:
    return _visible(True) | {"show_actual_return_code": True, "show_actual_stderr": True}


def _setup(staff: bool) -> dict[str, bool]:
    """Return what is seen of the set-up command, whose output tells the score of hidden checks too."""
    return {
        "visible": True,
        "show_individual_tests": True,
        "show_student_description": True,
        "show_setup_return_code": staff,
        "show_setup_timed_out": True,
        "show_setup_stdout": staff,
        "show_setup_stderr": staff,
    }
