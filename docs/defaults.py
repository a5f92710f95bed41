"""A griffe extension: defaults of arguments are shown as values, `'5s'` for `DEFAULT_LATENESS`.

An overload says `...` for the default of the function itself: it is shown with that default.
"""

from collections.abc import Iterator
from typing import Any

import griffe


class Defaults(griffe.Extension):
    """Defaults by their values, where those are written down as literals."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **_: Any) -> None:
        """Called when all of a package has been read."""
        for function in list(_functions(pkg)):
            for parameter in function.parameters:
                value = _literal(parameter.default, loader)
                if value is not None:
                    parameter.default = value
            for overload in function.overloads or ():
                for parameter in overload.parameters:
                    if str(parameter.default) == "..." and parameter.name in function.parameters:
                        parameter.default = function.parameters[parameter.name].default


def _functions(of: griffe.Module | griffe.Class) -> Iterator[griffe.Function]:
    for member in of.members.values():
        if isinstance(member, griffe.Function):
            yield member
        elif isinstance(member, griffe.Module | griffe.Class):
            yield from _functions(member)


def _literal(default: str | griffe.Expr | None, loader: griffe.GriffeLoader) -> str | griffe.Expr | None:
    """The value of a constant, through the modules that hand it on; None where it is none."""
    if not isinstance(default, griffe.ExprName):
        return None
    path = default.canonical_path
    for _ in range(10):
        try:
            found = loader.modules_collection[path]
        except KeyError:
            return None
        if isinstance(found, griffe.Alias):
            path = found.target_path
        else:
            value = found.value if isinstance(found, griffe.Attribute) else None
            return value if isinstance(value, str) else None
    return None
