"""Import the modules of a hand-in from memory, in a notebook, a grader or a separate process.

Each module gets an ``import`` of its own, by which student code finds what was handed in beside it and the
packages of the course, and nothing else. Code of the kit and of packages keeps Python's. So a student's
``helpers.py`` is what student code imports as `helpers`, and the kit goes on with its own; names that the
student's lacks are the kit's there, so that ``from helpers.training.layers import Linear`` still works.

This is a convenience, not a boundary: student code that wants to can reach Python's own import.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

from helpers import other_kits, places
from helpers.source import imports
from helpers.source.facts import ModuleFacts
from helpers.submission import inert, packages, stand_ins

PREFIX = "handed_in_"
"""Before the name of a module that is called as another one: Python knows it by both names together."""
_KIT = ("helpers", "autograder", "suite", "google", "IPython")


class PackageRefused(ModuleNotFoundError):
    """Student code imports a package that the course does not allow, or a file that was not handed in."""


class Importer(MetaPathFinder, Loader):
    """Finds and runs the modules of one hand-in.

    Parameters
    ----------
    code : mapping of str to (str, code object)
        Module to its file's path below the folder, and what it runs.
    modules : sequence of str
        The modules that were asked for; they keep their names, whatever else is called so.
    allowed : collection of str or None
        Import names of the packages that student code may use; None lets it use all.
    errors : mapping of str to exception, optional
        Modules that cannot be imported, and why.
    files : mapping of str to bytes, optional
        The hand-in's files, saved weights among them.
    """

    def __init__(
        self,
        code: Mapping[str, tuple[str, CodeType]],
        modules: Sequence[str],
        allowed: Collection[str] | None,
        errors: Mapping[str, Exception] | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self._errors = dict(errors or {})
        self.files = dict(files or {})
        self.failed: list[str] = []
        self.watch: Callable[[str, bool], None] | None = None
        self.facts_of: Callable[[str], ModuleFacts] | None = None
        self._modules = tuple(modules)
        self._allowed = None if allowed is None else frozenset(allowed)
        self._paths = {name: path for name, (path, _) in code.items()}
        self._code = {name: item for name, (_, item) in code.items()}
        for name in self._errors:
            self._code[name] = compile("", "", "exec")
            self._paths[name] = f"{name.replace('.', '/')}.py"
        for name in list(self._code):
            for package in imports.with_packages(name)[:-1]:  # a folder without an __init__.py
                self._code.setdefault(package, compile("", f"{package}/__init__.py", "exec"))
                self._paths.setdefault(package, package.replace(".", "/") + "/__init__.py")
        self._known_as = {name: PREFIX + name if self._clashes(name) else name for name in self._code}
        self._handed_in = {known: name for name, known in self._known_as.items()}
        self._import = builtins.__import__
        self.builtins: dict[str, object] = {
            **inert.bound_names(),
            **vars(builtins),
            "__import__": self.import_for_student,
        }

    @property
    def paths(self) -> frozenset[str]:
        """The files of all modules, as compiled code states them."""
        return frozenset(item.co_filename for item in self._code.values())

    def install(self) -> None:
        """Let Python find these modules before any other."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Forget these modules."""
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
        for name in self._handed_in:
            if getattr(getattr(sys.modules.get(name), "__spec__", None), "loader", None) is self:
                del sys.modules[name]

    def load(self, module: str) -> ModuleType:
        """Import one of the modules that were asked for; raises what it raises, `failed` names who."""
        self.failed.clear()
        return importlib.import_module(self._known_as[module])

    def culprit(self, module: str) -> str:
        """Return the module that was asked for and is to blame that another one could not be imported."""
        return next((name for name in self.failed if name in self._modules), module)

    # What Python asks of a finder and loader

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the modules of the hand-in, and leave all others to the next finder."""
        name = self._handed_in.get(fullname)
        if name is None:
            return None
        spec = ModuleSpec(fullname, self, origin=self._paths[name], is_package=self._is_package(name))
        spec.has_location = True
        spec.cached = None
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Let Python make the module."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code, with an ``import`` of its own."""
        name = self._handed_in[module.__name__]
        names = vars(module)
        names["__builtins__"] = self.builtins
        if name != module.__name__ and "." not in name:
            names["__getattr__"] = lambda wanted: self._of_namesake(name, wanted)
        if self.watch is not None and name in self._modules:
            self.watch(name, True)
        try:
            if name in self._errors:
                raise self._errors[name]
            exec(self._code[name], names)
        except BaseException:
            self.failed.append(name)
            raise
        if self.watch is not None and name in self._modules:
            self.watch(name, False)

    def source_facts(self, module: str) -> ModuleFacts | None:
        """Return the facts that rules about a module are judged by, if they are known here."""
        name = self._handed_in.get(module)
        return None if name is None or self.facts_of is None else self.facts_of(name)

    def get_source(self, fullname: str) -> str | None:
        """Return nothing: what runs is in memory, and `linecache` is told apart."""
        return None

    # What student code imports

    def import_for_student(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Import as the statement in a student's module asks; the parameters are those of ``__import__``."""
        package = str((globals or {}).get("__package__") or "")
        package = self._handed_in.get(package, package)
        wanted = imports.make_absolute(name, level, package)
        if wanted not in self._code and not self._is_stood_for(wanted.partition(".")[0]):
            wanted = places.current_name(wanted)
        if not wanted:
            raise ImportError("attempted relative import with no known parent package")
        top = wanted.partition(".")[0]
        within = self._handed_in.get(str((globals or {}).get("__name__")))
        if top in self._code and not (within == top == wanted and self._known_as[top] != top):
            try:
                return self._from_handin(wanted, tuple(fromlist or ()))
            except Exception:
                if top not in other_kits.PACKAGES or top in self._modules:
                    raise
                return stand_ins.load(wanted, fromlist)
        if inert.is_inert(wanted) or (wanted == "google" and "colab" in (fromlist or ())):
            if not inert.is_real(wanted):
                return inert.make_module(wanted, whole=bool(fromlist))
        elif self._is_stood_for(top):
            return stand_ins.load(wanted, fromlist)
        elif not self._may_use(wanted):
            raise PackageRefused(self._refusal(top), name=top)
        return self._import(wanted, globals, locals, fromlist, 0)

    def _from_handin(self, wanted: str, fromlist: tuple[str, ...]) -> ModuleType:
        """Return a module of the hand-in, or what lies in the package that it is called as."""
        top = wanted.partition(".")[0]
        own = self._known_as.get(wanted)
        if own is None:
            namesake = self._known_as[top] != top
            if not namesake or not self._may_use(wanted):
                raise ModuleNotFoundError(f"No module named {wanted!r}", name=wanted)
            importlib.import_module(wanted)
            return sys.modules[wanted] if fromlist else importlib.import_module(self._known_as[top])
        module = importlib.import_module(own)
        for part in fromlist:
            inner = f"{wanted}.{part}"
            if inner in self._known_as and not hasattr(module, part):
                setattr(module, part, importlib.import_module(self._known_as[inner]))
        return module if fromlist else sys.modules[self._known_as[top]]

    def _of_namesake(self, name: str, wanted: str) -> Any:
        """Return what a module of the hand-in lacks from the one that it is called as."""
        if not (wanted.startswith("__") and wanted.endswith("__")) and self._may_use(name):
            try:
                other = importlib.import_module(name)
                return getattr(other, wanted)
            except AttributeError:
                if f"{name}.{wanted}" in sys.modules or importlib.util.find_spec(f"{name}.{wanted}"):
                    return importlib.import_module(f"{name}.{wanted}")
            except ImportError:
                pass
        raise AttributeError(f"module {name!r} has no attribute {wanted!r}")

    def _may_use(self, module: str) -> bool:
        return self._allowed is None or packages.is_allowed(module, self._allowed)

    def _is_stood_for(self, top: str) -> bool:
        """Tell whether something of the kit stands for a module that is neither handed in nor a package."""
        taken = top in self._code or top in packages.STANDARD or top in (self._allowed or ())
        return not taken and stand_ins.is_one(top)

    def _refusal(self, top: str) -> str:
        return (
            f"no file {top}.py was handed in, and {packages.install_name(top)} is not among the packages "
            f"that can be imported when work is graded: "
            f"{', '.join(sorted(self._allowed or (), key=str.lower))}"
        )

    def _clashes(self, name: str) -> bool:
        top = name.partition(".")[0]
        taken = top in packages.STANDARD or top in _KIT or top in sys.modules or top in (self._allowed or ())
        return taken and name not in self._modules

    def _is_package(self, name: str) -> bool:
        return imports.is_package(self._paths[name])
