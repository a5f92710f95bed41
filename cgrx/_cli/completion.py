"""The scripts by which a shell completes commands, options and their choices. cyclopts writes them; two faults go."""

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

from cyclopts import App

Shell: TypeAlias = Literal["bash", "zsh", "fish"]

_COMMANDS = re.compile(r"(?<=all_commands[= ]')[^']*")
_IS_COMMAND = {
    # bash
    '[[ " $all_commands " =~ " $word " ]]': '[[ "$all_commands" == *"|${cmd_path[*]}${cmd_path:+ }$word|"* ]]',
    # fish
    '"* $word *" " $all_commands "': '"*|"(string join " " $subcommands $word)"|*" $all_commands',
}
"""How the scripts ask whether a word is a command, and how they ask it here."""


def completion_script(app: App, shell: Shell) -> str:
    """The script for a shell: to be sourced, or put into a file of completions.

    cyclopts' scripts for bash and fish take each word that is the name of a command anywhere for a command, and know no
    options behind `cgrx record liquidations`. Here they ask for whole paths, such as `watch liquidations`. Its script
    for zsh does nothing when it is sourced, nor in a file named `_cgrx`.
    """
    script = app.generate_completion(shell=shell)
    if shell == "zsh":
        function = re.findall(r"^(\w+)\(\)", script, re.MULTILINE)[-1]
        name = app.name[0]
        return (
            f'{script}\nif [[ $funcstack[1] == _{name} ]]; then {function} "$@"; else compdef {function} {name}; fi\n'
        )
    script = _COMMANDS.sub(f"|{'|'.join(_paths(app))}|", script)
    for theirs, ours in _IS_COMMAND.items():
        script = script.replace(theirs, ours)
    return script


def _paths(app: App, *above: str) -> Iterator[str]:
    for name in app:
        if not name.startswith("-"):
            yield " ".join((*above, name))
            yield from _paths(app[name], *above, name)
