"""Proxies that suites hold instead of student code: modules, names in them, and objects in a worker.

`import knn` in a suite yields a `ProxyModule`. A name in it is a `RemotePath`, looked up in whichever
worker serves the running test, so that `from knn import f` outlives a worker. An object is a
`RemoteObject` of one worker; a list or dict reached through one is a `RemoteList` or `RemoteDict`,
which changes the student's own container.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import types
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from autograder.engine.link import Link, ProxyError, StudentError
from autograder.engine.remote import REMOTE
from autograder.engine.wire.values import Tag
from helpers.source.facts import ModuleFacts


class Session:
    """The worker that serves the running test, and what is known of the submission without asking it.

    Attributes
    ----------
    link : Link or None
        None while a suite is collected: names can be imported then, but not called.
    facts : dict
        Module name to the facts of its source, found before any student code ran.
    weights : dict
        File name of saved weights to their bytes, as handed in.
    """

    def __init__(self) -> None:
        self.link: Link | None = None
        self.facts: dict[str, ModuleFacts] = {}
        self.weights: dict[str, bytes] = {}

    def current(self) -> Link:
        """Return the link of the running test.

        Raises
        ------
        ProxyError
            If no test is running.
        """
        if self.link is None:
            raise ProxyError("student code was used outside a test; only tests and fixtures may call it")
        return self.link


_MAX_LENGTH: Final = 2**62
"""Longer than anything that memory holds, and short enough for Python, which takes 63 bits."""
_NO_DUNDER: Final = "inspect, pickle and the like cannot look into it"


def _refuse(name: str, why: str) -> Callable[..., NoReturn]:
    def refuse(self: Any, *args: object, **kwargs: object) -> NoReturn:
        raise ProxyError(f"{self!r} {why}")

    refuse.__name__ = name
    return refuse


class Proxy:
    """Operations that all proxies share; each is one request to a worker."""

    __slots__ = ()
    __backend__ = REMOTE

    def _link(self) -> Link:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        _check_name(self, name)
        return self._link().request("get", self, name)

    def __setattr__(self, name: str, value: object) -> None:
        self._link().request("set", self, name, value)

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Call the student's function or class with arguments by value."""
        return self._link().request("call", self, list(args), kwargs)

    def __getitem__(self, key: object) -> Any:
        return self._link().request("getitem", self, key)

    def __setitem__(self, key: object, value: object) -> None:
        self._link().request("setitem", self, key, value)

    def __delitem__(self, key: object) -> None:
        self._link().request("delitem", self, key)

    def __len__(self) -> int:
        try:
            length = self._link().request("len", self)
        except StudentError as error:
            raise TypeError(f"{self!r} has no length") from error  # list() asks for one, but can do without
        if type(length) is not int or not 0 <= length < _MAX_LENGTH:
            raise TypeError(f"{self!r} has no length")
        return length

    def __contains__(self, item: object) -> bool:
        return self._link().request("contains", self, item) is True

    def __iter__(self) -> Iterator[Any]:
        return iter(self._link().request("elements", self))

    def __instancecheck__(self, instance: object) -> bool:
        return (
            isinstance(instance, RemoteObject) and self._link().request("isinstance", instance, self) is True
        )

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        raise ProxyError(f"{self!r} has no truth value here; ask for a length or a plain value instead")

    __eq__ = _refuse("__eq__", "cannot be compared here; compare plain values of it instead")
    __mro_entries__ = _refuse("__mro_entries__", "cannot be subclassed: it lives in another process")
    __array__ = _refuse("__array__", "is not an array; only exact tensors and arrays cross by value")
    __reduce_ex__ = _refuse("__reduce_ex__", "cannot be copied or pickled: it lives in another process")


class RemotePath(Proxy):
    """A name in a student module, such as `knn.KnnClassifier`: looked up anew in each worker."""

    __slots__ = ("_path", "_session")

    def __init__(self, session: Session, path: tuple[str, ...]) -> None:
        object.__setattr__(self, "_session", session)
        object.__setattr__(self, "_path", path)

    def _link(self) -> Link:
        return self._session.current()  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        _check_name(self, name)
        if self._session.link is None:
            return RemotePath(self._session, (*self._path, name))
        return self._link().request("get", self, name)

    def __repr__(self) -> str:
        return f"<student's {'.'.join(self._path)}>"


class ProxyModule(types.ModuleType):
    """A student module, as a suite imports it."""

    __backend__ = REMOTE

    def __init__(self, name: str, session: Session) -> None:
        super().__init__(name)
        self.__dict__["_path_of_module"] = RemotePath(session, (name,))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._path_of_module, name)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("__"):
            super().__setattr__(name, value)
        else:
            setattr(self._path_of_module, name, value)

    def __repr__(self) -> str:
        return f"<student's module {self.__name__}>"


class RemoteObject(Proxy):
    """An object that lives in one worker."""

    __slots__ = ("_number", "_of", "_type_name")
    __shown_as__ = "an object of a custom class"

    def __init__(self, link: Link, number: int, type_name: str) -> None:
        object.__setattr__(self, "_of", link)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_type_name", type_name)

    def _link(self) -> Link:
        return self._of  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<student's object #{self._number}>"


class RemoteList(RemoteObject):
    """A live view of a student's list."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return len(self) > 0


class RemoteDict(RemoteObject):
    """A live view of a student's dict."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return len(self) > 0

    def keys(self) -> list[Any]:
        """Return the keys, as a list."""
        return list(self)

    def items(self) -> list[tuple[Any, Any]]:
        """Return the pairs, as a list."""
        return [(key, self[key]) for key in self]

    def values(self) -> list[Any]:
        """Return the values, as a list."""
        return [self[key] for key in self]


class ProxyReferences:
    """Make proxies of references, and references of proxies, for the links of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def wrap(self, link: Link, number: int, kind: str, type_name: str, path: tuple[str, ...]) -> object:
        """Return the proxy of an object that lives in the worker at the end of `link`."""
        if path and kind in ("class", "callable", "module"):
            return RemotePath(self._session, path)
        proxy = {"list": RemoteList, "dict": RemoteDict}.get(kind, RemoteObject)
        return proxy(link, number, type_name)

    def unwrap(self, link: Link, value: object) -> list[Any] | None:
        """Return the header part that names a proxy's object, or None if the value is no proxy.

        Raises
        ------
        ProxyError
            If the object lives in another worker.
        """
        if isinstance(value, ProxyModule):
            value = value._path_of_module
        if isinstance(value, RemotePath):
            return [Tag.PATH, *value._path]
        if not isinstance(value, RemoteObject):
            return None
        if value._of is not link:
            raise ProxyError(f"{value!r} belongs to a worker that has ended; make it again in each test")
        return [Tag.YOURS, value._number]


class ProxyFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Let `import knn` in a suite find a proxy, before anything on disk can be found."""

    def __init__(self, names: tuple[str, ...], session: Session) -> None:
        self._names = names
        self._session = session

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the student modules, and leave all others to the next finder."""
        return importlib.util.spec_from_loader(fullname, self) if fullname in self._names else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """Return the proxy of the module."""
        return ProxyModule(spec.name, self._session)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run nothing: the module's code runs in workers only."""


def _check_name(proxy: Proxy, name: str) -> None:
    if name.startswith("__"):
        if name in ("__signature__", "__wrapped__", "__code__", "__func__", "__text_signature__"):
            raise ProxyError(f"{proxy!r} lives in another process: {_NO_DUNDER}")
        raise AttributeError(name)
