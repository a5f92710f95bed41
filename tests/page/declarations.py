"""The types of the board's messages as the page's type checker reads them: `python -m tests.page.declarations` writes.

They are made from `cgrx._board.messages`, so that the page cannot take in what the server does not say.
"""

import inspect
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec

from cgrx._board import messages

PATH = Path(__file__).with_name("messages.d.ts")

HEAD = "// The messages of the board. Written by `python -m tests.page.declarations`; do not edit.\n"


def declarations() -> str:
    """The file as it should be."""
    structs = [
        each
        for _, each in inspect.getmembers(messages, inspect.isclass)
        if issubclass(each, msgspec.Struct) and each.__module__ == messages.__name__
    ]
    structs.sort(key=lambda each: inspect.getsourcelines(each)[1])
    blocks = [f"  type Quality = {_type(messages.Quality)};"]
    for struct in structs:
        config = struct.__struct_config__
        fields = [f"    {name}: {_type(kind)};" for name, kind in get_type_hints(struct).items() if _is_field(name)]
        if config.tag is not None:
            fields.insert(0, f'    {config.tag_field}: "{config.tag}";')
        blocks.append("\n".join([f"  interface {struct.__name__} {{", *fields, "  }"]))
    return HEAD + "declare namespace Msg {\n" + "\n".join(blocks) + "\n}\n"


def _is_field(name: str) -> bool:
    return not name.startswith("_")


def _type(kind: object) -> str:
    """What TypeScript calls it."""
    plain = {int: "number", float: "number", str: "string", bool: "boolean", type(None): "null"}
    if isinstance(kind, type) and kind in plain:
        return plain[kind]
    if get_origin(kind) is Literal:
        return " | ".join(f'"{each}"' for each in get_args(kind))
    if get_origin(kind) is list:
        (item,) = get_args(kind)
        return f"{_type(item)}[]"
    if get_args(kind):
        return " | ".join(dict.fromkeys(_type(each) for each in get_args(kind)))
    if isinstance(kind, type):
        return kind.__name__
    raise TypeError(f"no type of TypeScript is known for {kind!r}")


if __name__ == "__main__":
    PATH.write_text(declarations())
