"""Modules that are read when something of theirs is used, not when they are imported."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from types import ModuleType
from typing import Any

LATER = "__bert_tf_later__"  # the name under which an unread module keeps what reads it


@contextlib.contextmanager
def read_when_used(names: Collection[str]) -> Iterator[None]:
    """Meanwhile, modules of these names that are imported for the first time are read later.

    Unlike `importlib.util.LazyLoader`, a package among them is not read by the import of one of its modules. Names of
    modules that are not there do no harm.

    >>> import sys
    >>> _ = sys.modules.pop("this", None)
    >>> with read_when_used({"this"}):
    ...     import this
    >>> "d" in vars(this)  # reading it prints a poem
    False
    """
    finder = _Finder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def load_within(prefixes: tuple[str, ...], context: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
    """From now on, modules whose names begin with one of these are loaded within a context."""
    sys.meta_path.insert(0, _Within(prefixes, context))


class _Within(importlib.abc.MetaPathFinder):
    """Finds modules of some names where they are, and has them loaded within a context."""

    def __init__(
        self, prefixes: tuple[str, ...], context: Callable[[], contextlib.AbstractContextManager[None]]
    ) -> None:
        self.prefixes, self.context = prefixes, context

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(self.prefixes):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self.context)
        return spec


class _Loader(importlib.abc.Loader):
    """A module's own loader, within a context."""

    def __init__(self, loader: Any, context: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
        self.loader, self.context = loader, context

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        with self.context():
            return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__.loader = module.__loader__ = self.loader  # pyright: ignore[reportOptionalMemberAccess]
        with self.context():
            self.loader.exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds modules of some names where they are, and puts their reading off."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.names:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Later(spec.loader)
        return spec


class _Later(importlib.abc.Loader):
    """Reads a module when an attribute is asked for that the import itself has not given it."""

    def __init__(self, loader: Any) -> None:
        self.loader, self.lock, self.is_reading = loader, threading.RLock(), False

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        setattr(module, LATER, self)
        module.__class__ = _Unread

    def read(self, module: ModuleType) -> None:
        """Reads the module, in whichever thread comes first; another one waits until it is whole."""
        with self.lock:
            if type(module) is not _Unread or self.is_reading:  # the latter: it asks for something of its own
                return
            self.is_reading = True
            try:
                module.__spec__.loader = module.__loader__ = self.loader  # pyright: ignore[reportOptionalMemberAccess]
                self.loader.exec_module(module)
            finally:
                self.is_reading = False
            module.__class__ = ModuleType  # pyright: ignore[reportAttributeAccessIssue]  # read, it is as others are
            delattr(module, LATER)


class _Unread(ModuleType):
    """A module that has what its import gave it alone: its name, its place, and modules of it that were imported."""

    def __getattr__(self, name: str) -> Any:
        later = vars(self).get(LATER)
        if later is not None:
            later.read(self)
        return ModuleType.__getattribute__(self, name)
