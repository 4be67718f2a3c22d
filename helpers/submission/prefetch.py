"""Slow modules that are imported once for all processes of a hand-in.

The names come from the table here and from a course's list of packages, never from a hand-in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from helpers import places

_ON_DEMAND = {
    "sklearn": (
        *("sklearn", "sklearn.datasets", "sklearn.neighbors", "sklearn.preprocessing", "sklearn.metrics"),
        *("sklearn.model_selection", "sklearn.linear_model", "sklearn.decomposition", "sklearn.cluster"),
        *("sklearn.svm", "sklearn.manifold", "sklearn.pipeline"),
    ),
    "scipy": (
        *("scipy.spatial.distance", "scipy.special", "scipy.stats", "scipy.linalg", "scipy.optimize"),
        *("scipy.signal", "scipy.ndimage", "scipy.sparse", "scipy.interpolate", "scipy.io"),
    ),
    "pandas": ("pandas",),
    "einops": ("einops", "einops.layers.torch"),
    "torchvision": ("torchvision", "torchvision.transforms", "torchvision.datasets", "torchvision.models"),
    "PIL": ("PIL.Image", "PIL.ImageDraw", "PIL.ImageFont"),
    "matplotlib": (
        "matplotlib.pyplot",
        "matplotlib.backends.backend_agg",
        "matplotlib.animation",
        "mpl_toolkits.mplot3d",
    ),
    "tqdm": ("tqdm", "tqdm.auto", "tqdm.notebook"),
}
"""What is imported for the workers of a submission that imports the package; others as they are called."""

_OF_THE_KIT = (
    *("helpers.data", "helpers.data.pictures", "helpers.data.splits", "helpers.figures.plots"),
    *("helpers.training.devices", "helpers.training.gradients", "helpers.training.layers"),
    *("helpers.training.losses", "helpers.training.solver"),
)
"""What students import of the kit."""
_WITH = {"helpers.data": ("sklearn.datasets",)}
"""What a module of the kit imports when it is first used."""


def all_modules(packages: Iterable[str]) -> list[str]:
    """Return all that can be wanted of some packages and of the kit."""
    return [name for package in packages for name in _ON_DEMAND.get(package, (package,))] + _kit(_OF_THE_KIT)


def select_modules(modules: Iterable[str], packages: Collection[str]) -> list[str]:
    """Return what is worth importing once for the workers of a submission.

    Parameters
    ----------
    modules : iterable of str
        What the submission imports, as it chose to write. Nothing is imported by a name from here.
    packages : collection of str
        Import names of the packages that it may use.
    """
    named = set(map(places.current_name, modules))
    tops = {name.partition(".")[0] for name in named}
    chosen = [name for name in packages if name in tops and name not in ("torch", "numpy")]
    kit = [name for name in _OF_THE_KIT if name in named]
    return [name for package in chosen for name in _ON_DEMAND.get(package, (package,))] + _kit(kit)


def _kit(modules: Iterable[str]) -> list[str]:
    """Return modules of the kit, each with what it imports late."""
    return [name for module in modules for name in (module, *_WITH.get(module, ()))]
