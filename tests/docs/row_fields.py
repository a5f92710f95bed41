"""The fields of a row, or of another result of a stage, as a table: what their docstrings say."""

import ast
import inspect
from itertools import pairwise

from cgrx import operators as ops


def table(names: str) -> str:
    """The fields of these classes of `cgrx.operators`, without the key and without what every row has."""
    lines = ["| field | what it is |", "| --- | --- |"]
    for name in names.split():
        kind: type = getattr(ops, name)
        (body,) = (node.body for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef))
        for node, behind in pairwise(body):
            match node, behind:
                case (
                    ast.Assign(targets=[ast.Name(id=field)]) | ast.AnnAssign(target=ast.Name(id=field)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    lines.append(f"| `{field}` | {' '.join(text.split())} |")
                case _:
                    pass
    return "\n".join(lines)
