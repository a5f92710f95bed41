"""What a pipeline is, as text that is the same in every process: a state is of one pipeline, and of no other.

stages      by class and parameters
rows        by their key fields and aggregates
functions   by module, name and code, with their defaults and what they enclose; not by what they call
classes     of a user by name, and by the code in them

It holds no address, and no order that the hashes of a process decide.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from enum import Enum
from operator import attrgetter, itemgetter, methodcaller
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, cast

import attrs
import msgspec

from cgrx._streams.stream import Stage
from cgrx.operators._rows.row import Row

_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


class Description:
    """Describes values, and notes the modules that they name."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        """The modules of all functions and classes that were described."""
        self._within: set[int] = set()

    def of(self, value: object) -> str:
        """A value as text."""
        if isinstance(value, Enum):
            return f"{self._named(type(value))}.{value.name}"
        if isinstance(value, _PLAIN):
            return f"{type(value).__name__} {value!r}"
        if id(value) in self._within:
            return "itself"
        self._within.add(id(value))
        try:
            return f"({' '.join(self._parts(value))})"
        finally:
            self._within.discard(id(value))

    def _parts(self, value: Any) -> Iterator[str]:
        match value:
            case tuple() | list():
                items = cast("tuple[object, ...]", value)
                yield from (type(items).__name__, *map(self.of, items))
            case set() | frozenset():
                yield from ("set", *sorted(map(self.of, cast("set[object]", value))))
            case dict():
                pairs = cast("dict[object, object]", value).items()
                yield from ("dict", *sorted(f"{self.of(key)}: {self.of(each)}" for key, each in pairs))
            case FunctionType():
                yield from self._function(value)
            case MethodType():
                yield from ("method", self.of(value.__func__), self.of(value.__self__))
            case attrgetter() | itemgetter() | methodcaller():
                yield self.of(cast("Any", value).__reduce__())
            case functools.partial():
                made = cast("Any", value)
                yield from ("partial", self.of(made.func), self.of(made.args), self.of(made.keywords))
            case property():
                yield from ("property", *map(self.of, (value.fget, value.fset)))
            case staticmethod() | classmethod():
                yield from ("static", self.of(cast("staticmethod[..., object]", value).__func__))
            case CodeType():
                yield from self._code(value)
            case BuiltinFunctionType() | ModuleType():
                yield f"{getattr(value, '__module__', '')}.{value.__name__}"
            case type():
                yield from self._class(cast("type[object]", value))
            case _:
                yield self.of(cast("type[object]", type(value)))
                yield from (f"{name}={self.of(each)}" for name, each in _fields(value))

    def _named(self, named: Any) -> str:
        self.modules.add(named.__module__)
        return f"{named.__module__}.{named.__qualname__}"

    def _function(self, function: FunctionType) -> Iterator[str]:
        yield self._named(function)
        yield self.of(function.__code__)
        yield self.of((function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            try:
                yield self.of(cell.cell_contents)
            except ValueError:  # it is not filled yet
                yield "empty"

    def _code(self, code: CodeType) -> Iterator[str]:
        yield from (code.co_code.hex(), *code.co_names, *code.co_varnames, *code.co_freevars)
        yield from map(self.of, code.co_consts)

    def _class(self, kind: type[Any]) -> Iterator[str]:
        yield self._named(kind)
        if issubclass(kind, Row):
            yield self.of((kind.key_fields, kind.aggregates))
        if not kind.__module__.startswith(("cgrx.", "builtins")):
            for name, each in sorted(vars(kind).items()):
                # attrs writes a hash of this process into __hash__. No result depends on that method.
                if isinstance(each, FunctionType | property | staticmethod | classmethod) and name != "__hash__":
                    yield f"{name}={self.of(cast('Callable[..., object]', each))}"


def _fields(value: Any) -> Iterator[tuple[str, object]]:
    """The fields of a value; of an object that is none, such as one with a state, nothing but its class is told."""
    kind = cast(Any, type(value))
    if attrs.has(kind):
        yield from ((field.name, getattr(value, field.name)) for field in attrs.fields(kind))
    elif isinstance(value, msgspec.Struct):
        yield from zip(value.__struct_fields__, msgspec.structs.astuple(value), strict=True)
    elif isinstance(value, Stage) or dataclasses.is_dataclass(value):
        yield from sorted(vars(value).items())
