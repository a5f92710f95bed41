"""`cgrx compact` and `cgrx verify`, with their options and help: what is done with recordings that are there."""

from pathlib import Path
from typing import Literal

from cyclopts import App

from cgrx._cli.arguments import Folders
from cgrx._cli.commands.compact import compact_recordings
from cgrx._cli.commands.verify import verify_recordings
from cgrx._cli.options import NO_FILE, FileOptions
from cgrx._cli.terminal.streams import Terminal

compact_app = App(
    name="compact",
    help="Rewrite the finished parts of recordings so that each channel stands together, which reads faster.",
)
verify_app = App(name="verify", help="Read all of recordings, and tell what is damaged where.")


@compact_app.default
async def compact_command(
    *folders: Folders,
    by: Literal["channel"] = "channel",
    to: Path | None = None,
    settings: FileOptions = NO_FILE,
) -> int:
    """Rewrite recordings by channel.

    Every reader gives the same rows as before. A recorder may be writing meanwhile: the part at which it works is left
    as it is. A process that is killed leaves a recording that reads as before.

    Args:
        folders: The folders of recordings.
        by: What stands together.
        to: Leave the recordings as they are, and join them there into one, such as days into a week. A recording that
            was joined there before gets those that are missing.
        settings: See `FileOptions`.
    """
    return await compact_recordings(folders, to, Terminal.of_process())


@verify_app.default
async def verify_command(*folders: Folders, settings: FileOptions = NO_FILE) -> int:
    """Read all of recordings: checksums, manifest, order and counts.

    The exit code is 0 where nothing is damaged, and 1 where something is.

    Args:
        folders: The folders of recordings.
        settings: See `FileOptions`.
    """
    return await verify_recordings(folders, Terminal.of_process())
