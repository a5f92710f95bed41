"""`cgrx verify`: reads all of recordings, and tells what is damaged."""

from collections.abc import Callable, Sequence
from pathlib import Path

from cgrx import Verified, verify
from cgrx._cli.commands.compact import in_thread
from cgrx._cli.terminal.command import run_command
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.text import counted


async def verify_recordings(folders: Sequence[Path], terminal: Terminal) -> int:
    """Run the command, and return its exit code."""
    found: list[Verified] = []

    def work(tell: Callable[[int, int], object]) -> list[str]:
        found.extend(verify(folder, progress=tell) for folder in folders)
        return []

    async def run() -> None:
        for line in await in_thread(work, terminal, "interrupted"):
            terminal.say(line)

    async def conclude(exit_code: int) -> int:
        for each in found:
            for problem in each.problems:
                terminal.say(str(problem))
            problems = counted(len(each.problems), "problem") if each.problems else "nothing is damaged"
            terminal.say(
                f"{each.folder}: {counted(each.rows, 'row')} of {counted(each.parts, 'part')} read, {problems}"
            )
        is_damaged = any(each.problems for each in found)
        return Exit.FAILED if is_damaged and exit_code == Exit.DONE else exit_code

    return await run_command(run, terminal, conclude=conclude)
