"""The packages that a bundle installs on a server: those that grade here, each at the version it has here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Final

from packaging.requirements import Requirement

from autograder.errors import ConfigError
from autograder.exporters.servers.wheel import find_kit
from helpers.submission import packages

_ONLY_FOR_GPUS: Final = re.compile(r"nvidia-.*|cuda-.*|triton|pytorch-triton.*")
"""What PyTorch for GPUs brings; graders have none, and the packages are gigabytes."""
TORCH: Final = ("torch", "torchvision")
"""Come from an index of their own, where they are built for processors."""
_TARGET: Final = {
    "platform_system": "Linux",
    "sys_platform": "linux",
    "os_name": "posix",
    "platform_machine": "x86_64",
}


def pin(extra: Iterable[str] = ()) -> tuple[list[str], list[str]]:
    """Return pinned requirements: those of PyTorch, and all others, as lines of ``requirements.txt``.

    Parameters
    ----------
    extra : iterable of str
        Packages that a course lets students import, besides those that the kit needs.

    Raises
    ------
    ConfigError
        A package is not installed here, so its version is not known.
    """
    found: dict[str, str] = {}
    for name in packages.DEFAULT:
        if _is_installed(name):
            _add(name, "", found)
    for needed in _needs(find_kit(), ""):
        _add(needed.name, "", found)
    for name in extra:
        _add(name, "", found)
    lines = {name: f"{name}=={version}" for name, version in sorted(found.items())}
    return [lines[name] for name in TORCH if name in lines], [
        line for name, line in lines.items() if name not in TORCH
    ]


def _add(package: str, extra: str, found: dict[str, str]) -> None:
    name = _normalize(package)
    if name in found and not extra:
        return
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        remedy = f"install it ({packages.install_name(name)}), or take it off `packages` in course.toml"
        raise ConfigError(name, "is not installed here, so its version is not known", remedy) from None
    found[name] = distribution.version.partition("+")[0]
    for needed in _needs(distribution, extra):
        for one in needed.extras or {""}:
            _add(needed.name, one, found)


def _needs(distribution: metadata.Distribution, extra: str) -> Iterator[Requirement]:
    for line in distribution.requires or ():
        needed = Requirement(line)
        if _ONLY_FOR_GPUS.fullmatch(_normalize(needed.name)):
            continue
        if needed.marker is None or needed.marker.evaluate({**_TARGET, "extra": extra}):
            yield needed


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _normalize(name: str) -> str:
    """Return a name as indexes compare it: https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", name).lower()
