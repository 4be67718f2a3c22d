"""What a bundle for autograder.io holds, and that it holds no more."""

from __future__ import annotations

import yaml

from autograder.exporters.servers import find_server
from autograder.exporters.servers.interface import Contents, Files
from tests.support.servers.autograder_io_class import CASES, members


def test_a_bundle_has_the_project_one_archive_and_an_image(made: Files) -> None:
    assert set(made) == {
        "agproject.yml",
        "coursegrad.tar",
        "image/Dockerfile",
        "image/requirements.txt",
        "image/requirements-torch.txt",
    }
    project = yaml.safe_load(made["agproject.yml"].content)["project"]
    (suite,) = project["test_suites"]
    assert {case["name"]: case["custom_scoring"]["max_points"] for case in suite["test_cases"]} == CASES
    assert all(case["custom_scoring"]["source"] == "stderr" for case in suite["test_cases"])
    assert suite["student_files_needed"] == ["tiny_module.py", "tiny.ipynb", "tiny-submission.zip"]


def test_neither_the_secret_nor_a_solution_is_in_it(contents: Contents, made: Files) -> None:
    everything = {**{path: file.content for path, file in made.items()}, **members(made)}
    assert b"31337.0" in everything["bundle/course/suites/tiny/test_hidden.py"]
    secret = contents.course.secret()
    for path, content in everything.items():
        assert b"return 2 * x\n" not in content, path
        assert secret not in content, path
        assert secret.hex().encode() not in content, path
    assert b"raise NotImplementedError" in everything["bundle/course/solutions/tiny/tiny_module.py"]


def test_the_same_course_makes_the_same_bundle_again(contents: Contents, made: Files) -> None:
    assert find_server("autograder_io").pack(contents) == made
    assert sorted(one for one in members(made) if "/" not in one) == ["grade.sh", "setup.sh", "show.sh"]


def test_an_image_with_other_packages_has_another_name() -> None:
    from autograder.exporters.servers.autograder_io.bundle import _name

    one, other = (_name({"Dockerfile": b"", "requirements.txt": text}, "3.11") for text in (b"a==1", b"a==2"))
    assert one != other
    assert one.startswith("coursegrad-3.11-")
