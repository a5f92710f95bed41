"""`--config FILE`: the options of a command from a TOML file, checked as those of the command line are."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin

from cyclopts import App, Token
from cyclopts.argument import Argument, ArgumentCollection

from cgrx import API_KEY_VARIABLE
from cgrx._cli.targets import Target, in_folder
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.text import one_line
from cgrx._cli.toml import Entry, read_toml

_OPTION = "--config"

_SECRETS = {"apikey", "coinglassapikey", "cgapikey", "key", "token", "secret", "password"}
"""Names that people give to the API key, without what is between their words."""

_TAKES: Mapping[type[object], tuple[tuple[type[object], ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str, datetime, date), "a text in quotes"),
    Path: ((str,), "a path in quotes"),
}
"""By the type of an option: the types of TOML that it takes, and how they are called. Others are read from texts."""


class ConfigFile:
    """The file of one run of a command, if it names one. cyclopts calls it with what the command line gives."""

    def __init__(self) -> None:
        self._given: dict[str, tuple[str, list[str]]] = {}
        """By the name of each option that the file gave: its place, and its values as texts."""

    def __call__(self, app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        """Give the options those values of the file that the command line does not give.

        Raises:
            CommandError: the file cannot be read, names what is no option, or holds a value of a wrong type.
        """
        options = {_name(each): each for each in arguments if each.name != "*"}
        chosen = options.pop(_OPTION.lstrip("-"), None)
        if chosen is None or not chosen.tokens:
            return
        path = Path(chosen.tokens[-1].value)
        given: dict[str, tuple[str, list[str]]] = {}
        for entry in read_toml(path):
            option = options.get(entry.name)
            if option is None:
                raise _not_usable(entry, _no_option(entry, commands, options))
            texts = [_text(entry, each, option, path.parent) for each in _values(entry, option)]
            if not option.tokens:
                given[entry.name] = entry.place, texts
                for index, text in enumerate(texts):
                    option.append(Token(keyword=entry.name, value=text, index=index))
        self._given = given

    def place(self, message: str) -> str:
        """`FILE:LINE: ` of the value that a message of a command is about; empty where that is not from the file.

        It is the first value that the message quotes, or else the first option that it names, as `--window`.
        """
        quoted = [name for name, (_, texts) in self._given.items() if any(repr(text) in message for text in texts)]
        return self._place([*quoted, *re.findall(r"--([a-z][a-z-]*)", message)], message)

    def place_of(self, option: Argument, message: str) -> str:
        """The same where the option is known."""
        return self._place([_name(option)], message)

    def _place(self, names: Iterable[str], message: str) -> str:
        for name in names:
            if name in self._given:
                place, _ = self._given[name]
                return f"{place}: " if name in message else f"{place}: {name}: "
        return ""


def _name(option: Argument) -> str:
    """The name in the file: that of the command line without its dashes, or what stands without a name there."""
    return option.name[2:] if option.name.startswith("--") else option.field_info.name


def _not_usable(entry: Entry, why: str) -> CommandError:
    return CommandError(Exit.USAGE, f"{entry.place}: {one_line(entry.name, 60)} {why}")


def _no_option(entry: Entry, commands: Iterable[str], options: Iterable[str]) -> str:
    if re.sub("[^a-z]", "", entry.name.lower()) in _SECRETS:
        return (
            f"is not read from a file: the API key is read from the environment variable {API_KEY_VARIABLE} and from"
            " nowhere else"
        )
    command = " ".join(("cgrx", *commands))
    if dict in map(type, [entry.value, *(_list(entry.value) or ())]):
        return "is a table: a file holds the options of one command, such as min-volume = 250_000, without tables"
    near = get_close_matches(entry.name[:60], list(options))
    meant = f": did you mean {' or '.join(near)}?" if near else f": see `{command} --help`"
    return f"is no option of `{command}`{meant}"


def _list(value: object) -> list[object] | None:
    return cast("list[object]", value) if isinstance(value, list) else None


def _values(entry: Entry, option: Argument) -> list[object]:
    values = _list(entry.value)
    if values is not None and get_origin(option.hint) is not tuple:
        raise _not_usable(entry, "takes one value, and no list")
    return [entry.value] if values is None else values


def _text(entry: Entry, value: object, option: Argument, folder: Path) -> str:
    """A value as the command line would give it.

    Raises:
        CommandError: it has a wrong type.
    """
    scalar = _scalar(option.hint)
    types, words = _TAKES.get(scalar, _TAKES[str])
    if scalar in (int, float) and option.parameter.converter is not None:
        types, words = (*types, str), f'{words}, or an amount such as "250k"'
    if type(value) not in types:
        shown = "a list or a table" if isinstance(value, dict | list) else one_line(_shown(value), 60)
        raise _not_usable(entry, f"takes {words}: {shown} is none")
    if scalar is Target:
        return in_folder(str(value), folder)
    return str(folder / str(value)) if scalar is Path else _toml(value)


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else _toml(value)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)  # a datetime is a date


def _scalar(hint: Any) -> type[object]:
    """The type of one value: of `tuple[str, ...]`, `str | None` and `Literal["a"]` it is `str`."""
    inner = get_args(hint)
    if get_origin(hint) is Literal:
        return int if isinstance(inner[0], int) else str
    return _scalar(inner[0]) if inner else hint
