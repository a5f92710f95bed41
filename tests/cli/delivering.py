"""A replay on the command line that delivers, for its tests."""

import math
from pathlib import Path
from typing import Any

from cgrx import Replay
from cgrx._cli.commands.choice import Choice, liquidations
from cgrx._cli.commands.replay import Replayed, replay_files
from cgrx._cli.options import TargetOptions
from cgrx._cli.targets import Target
from cgrx._cli.view.viewer import Show
from tests.cli.terminals import Heard


async def replaying(
    folder: Path,
    *targets: str,
    terminal: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    **show: Any,
) -> tuple[int, Heard]:
    """The exit code, and what was heard, of a replay that goes to these targets too."""
    heard = Heard()
    asked = TargetOptions(to=tuple(map(Target, targets)), **(options or {}))
    given: dict[str, Any] = {"title": "liquidations", "format": "jsonl", "deliveries": asked.deliveries(), **show}
    shown = Show(**given)
    choice: Choice[Replay] = Choice(liquidations)
    request = Replayed(folders=[folder], choice=choice, speed=math.inf, start=None, end=None)
    return await replay_files(request, shown, heard.terminal(**(terminal or {}))), heard
