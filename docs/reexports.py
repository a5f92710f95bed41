"""A griffe extension: names that a facade hands on as `from cgrx._x import Name as Name` are shown on its page.

Griffe takes only `__all__` for a list of exports. Type checkers take this spelling too, and cgrx uses it.
"""

import ast
from pathlib import Path
from typing import Any

import griffe


def handed_on(source: str) -> list[str]:
    """The names a module imports under their own name again, in order."""
    return [
        alias.name
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    ]


class Reexports(griffe.Extension):
    """Exports of every public module: what it hands on, and what it defines."""

    def on_module(self, *, mod: griffe.Module, **_: Any) -> None:
        """Called when a module has been read; one with an `__all__` of its own stays as it is."""
        if mod.exports is None and isinstance(mod.filepath, Path):
            own = [name for name, member in mod.members.items() if not (member.is_alias or name.startswith("_"))]
            mod.exports = [*own, *handed_on(mod.filepath.read_text(encoding="utf-8"))]
