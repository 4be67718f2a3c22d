"""The packages that student code may import: the default, and those listed by a course."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from importlib.util import find_spec

DEFAULT = (
    *("torch", "numpy", "matplotlib", "tqdm", "scikit-learn", "scipy", "pillow", "pandas", "einops"),
    "torchvision",
)
"""What students of deep learning find on Colab and expect elsewhere; those that are installed are allowed."""

_IMPORTED_AS = {
    "scikit-learn": "sklearn",
    "pillow": "PIL",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "scikit-image": "skimage",
    "pyyaml": "yaml",
    "beautifulsoup4": "bs4",
    "pytorch-lightning": "pytorch_lightning",
}
"""Packages that are imported by another name than they are installed by, but for ``-`` and ``_``."""
_INSTALLED_AS = {"sklearn": "scikit-learn", "PIL": "pillow", "cv2": "opencv-python", "yaml": "pyyaml"} | {
    "skimage": "scikit-image",
    "bs4": "beautifulsoup4",
}

KIT = "helpers"
STANDARD = frozenset(sys.stdlib_module_names) | {"__future__"}


def import_name(package: str) -> str:
    """Return the name that a package is imported by.

    Examples
    --------
    >>> import_name("scikit-learn"), import_name("sklearn"), import_name("torch")
    ('sklearn', 'sklearn', 'torch')
    """
    return _IMPORTED_AS.get(package.lower(), package.replace("-", "_"))


def install_name(name: str) -> str:
    """Return the name that pip knows a package by.

    Examples
    --------
    >>> install_name("sklearn"), install_name("torch")
    ('scikit-learn', 'torch')
    """
    return _INSTALLED_AS.get(name, name)


def is_installed(name: str) -> bool:
    """Tell whether a package can be imported here; nothing of it runs."""
    try:
        return name in sys.modules or find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def allowed_names(named: Iterable[str] | None) -> tuple[str, ...]:
    """Return the import names of what a course allows: what it names, or what is installed of the default."""
    if named is None:
        return tuple(name for name in map(import_name, DEFAULT) if is_installed(name))
    return tuple(dict.fromkeys(map(import_name, named)))


def missing_packages(named: Iterable[str] | None) -> tuple[str, ...]:
    """Return what a course names and this Python lacks, as pip knows it."""
    return tuple(install_name(name) for name in allowed_names(named) if not is_installed(name))


def is_package(module: str, packages: Collection[str] | None) -> bool:
    """Tell whether a name is that of an allowed package, which no file of a hand-in takes the place of.

    Parameters
    ----------
    packages : collection of str or None
        What is allowed; None stands for the default.
    """
    top = module.partition(".")[0]
    return top in (map(import_name, DEFAULT) if packages is None else packages)


def is_allowed(module: str, packages: Collection[str]) -> bool:
    """Tell whether student code may import a module: the standard library, the kit, or an allowed package."""
    top = module.partition(".")[0]
    return top in STANDARD or top == KIT or top in packages
