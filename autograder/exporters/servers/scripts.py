"""The scripts of a bundle, from their templates."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2

from autograder.exporters.servers import contents as parts
from autograder.exporters.servers import wheel
from autograder.exporters.servers.interface import Contents


def render_script(name: str, contents: Contents, **values: Any) -> bytes:
    """Return a script or a settings file of a bundle.

    Parameters
    ----------
    name : str
        Of the template, without its ending: ``"gradescope/setup.sh"``.
    **values
        What the template asks for besides what every bundle has.
    """
    text = (
        _environment()
        .get_template(f"{name}.j2")
        .render(
            assignment=contents.assignment,
            settings=contents.settings,
            python=contents.python,
            wheel=wheel.file_name(),
            parts=parts,
            **values,
        )
    )
    return text.encode()


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("autograder.exporters.servers"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
