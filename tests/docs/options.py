"""The options of the commands, as tables: the command line's own help is where their texts are."""

import math
import re
from typing import Any

from cyclopts import App, Argument

from cgrx._cli.app import app

_TITLES = {
    "": "What it does",
    "WatchOptions": "Which events, from where, and how they are shown",
    "ReplayOptions": "Which events, how fast, and how they are shown",
    "LiquidationOptions": "Rows of windows, and cascades",
    "WindowOptions": "Rows of windows",
    "AlertOptions": "When there is an alert",
    "AlertTargetOptions": "Where alerts go",
    "BoardOptions": "What is shown",
    "PageOptions": "The page",
    "TargetOptions": "Into other systems",
    "EngineOptions": "On an engine",
    "LogEngineOptions": "On an engine",
    "ServiceOptions": "",
    "LogOptions": "",
    "FileOptions": "",
}
"""What the options of a class of the command line are about. One that is not here has no place on a page yet; those of
every command have a page of their own."""

_NAME = re.compile(r"(?<![`\w-])--[a-z][a-z-]*")


def tables(command: str) -> str:
    """The options of a command, such as `demo`, or of all commands of a group, such as `watch`: a table a kind.

    Of `service`: those that every command has which runs until it is ended.
    """
    if command == "service":
        return _table({cells: [""] for kind, cells in _options(app["record"]) if kind == "ServiceOptions"}, [])
    group = app[command]
    names = [name for name in group if not name.startswith("-")]
    commands = {name: _options(group[name]) for name in names} or {"": _options(group)}
    places: dict[str, dict[tuple[str, str], list[str]]] = {}
    for name, options in commands.items():
        for kind, cells in options:
            if not _TITLES[kind]:
                continue
            places.setdefault(_TITLES[kind], {}).setdefault(cells, []).append(name)
    parts = [f"**{title}**\n\n{_table(rows, names)}" for title, rows in _merged(places).items()]
    return "\n\n".join(parts)


def _merged(places: dict[str, dict[tuple[str, str], list[str]]]) -> dict[str, dict[tuple[str, str], list[str]]]:
    """Options of all commands stand once, although their class is another one in each: under the first title."""
    first: dict[tuple[str, str], str] = {}
    merged: dict[str, dict[tuple[str, str], list[str]]] = {}
    for title, rows in places.items():
        for cells, names in rows.items():
            merged.setdefault(first.setdefault(cells, title), {}).setdefault(cells, []).extend(names)
    return {title: rows for title, rows in merged.items() if rows}


def _table(rows: dict[tuple[str, str], list[str]], names: list[str]) -> str:
    lines = ["| option | what it does |", "| --- | --- |"]
    for (option, text), found in rows.items():
        of = "" if len(found) == max(len(names), 1) else f"Of `{'`, `'.join(found)}`: "
        lines.append(f"| {option} | {of}{text[:1].lower() if of else text[:1]}{text[1:]} |")
    return "\n".join(lines)


def _options(command: App) -> list[tuple[str, tuple[str, str]]]:
    """Each option as a row, with the name of the class that has it."""
    kind, found = "", list[tuple[str, tuple[str, str]]]()
    for argument in command.assemble_argument_collection(parse_docstring=True):
        if argument.name == "*":
            kind = argument.hint.__name__
        elif argument.show:
            found.append((kind, (f"`{argument.name}`", _text(argument))))
    return found


def _text(argument: Argument) -> str:
    text = " ".join((argument.parameter.help or "").split()).replace("|", "\\|")
    told = text.split("`")
    told[::2] = [_NAME.sub(lambda name: f"`{name[0]}`", each) for each in told[::2]]
    parts = ["`".join(told)]
    if (choices := argument.get_choices()) and not all(each in text for each in choices):
        parts.append(f"One of {', '.join(f'`{each}`' for each in choices)}.")
    if (default := _default(argument)) and "default" not in text:
        parts.append(f"By default {default}.")
    return " ".join(parts)


def _default(argument: Argument) -> str:
    value: Any = argument.field_info.default
    if value is argument.field_info.empty or value in (None, False, (), math.inf):
        return ""
    return f"`{value:,.15g}`" if isinstance(value, float) else f"`{value}`"
