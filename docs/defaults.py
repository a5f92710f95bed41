"""A griffe extension: what stands behind a name of the source that a reader does not know is shown in its place.

The default of an argument is a value, `'2s'` for `DEFAULT_LATENESS`; in an overload, which says `...`, it is that of
the function itself. A field of the private type `_Price`, a number with a check, is a `float`.
"""

from collections.abc import Iterator
from typing import Any

import griffe


class Defaults(griffe.Extension):
    """Defaults by their values, and checked fields by the types of these."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **_: Any) -> None:
        """Called when all of a package has been read."""
        for member in _members(pkg):
            if isinstance(member, griffe.Function):
                _give_defaults(member, loader)
            elif str(member.annotation).startswith("_"):
                checked = _value(member.annotation, loader)
                match checked:
                    case griffe.ExprSubscript(left=of, slice=griffe.ExprTuple(elements=[first, *_])) if (
                        str(of) == "Annotated"
                    ):
                        member.annotation = first
                    case _:
                        pass


def _give_defaults(function: griffe.Function, loader: griffe.GriffeLoader) -> None:
    for parameter in function.parameters:
        value = _value(parameter.default, loader)
        if value is not None:
            parameter.default = value
    for overload in function.overloads or ():
        for parameter in overload.parameters:
            if str(parameter.default) == "..." and parameter.name in function.parameters:
                parameter.default = function.parameters[parameter.name].default


def _members(of: griffe.Module | griffe.Class) -> Iterator[griffe.Function | griffe.Attribute]:
    for member in of.members.values():
        if isinstance(member, griffe.Function | griffe.Attribute):
            yield member
        elif isinstance(member, griffe.Module | griffe.Class):
            yield from _members(member)


def _value(of: str | griffe.Expr | None, loader: griffe.GriffeLoader) -> str | griffe.Expr | None:
    """What a name stands for, through the modules that hand it on; None where that is no value."""
    if not isinstance(of, griffe.ExprName):
        return None
    path = of.canonical_path
    for _ in range(10):
        try:
            found = loader.modules_collection[path]
        except KeyError:
            return None
        if isinstance(found, griffe.Alias):
            path = found.target_path
        else:
            return found.value if isinstance(found, griffe.Attribute) else None
    return None
