"""From which volume `cgrx watch liquidations` shows events, where nobody says."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from cgrx._cli.commands.watch import Watch
from cgrx._cli.options import WatchOptions
from cgrx._cli.showing import liquidations_command
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.view.viewer import Show
from tests.support import run


@pytest.mark.parametrize(
    ("options", "from_usd"),
    [
        ({}, 10_000.0),
        ({"min_volume": 0.0}, 0.0),
        ({"min_volume": 5e5}, 0.0),
        ({"format": "jsonl"}, 0.0),
        ({"format": "csv"}, 0.0),
    ],
)
def test_only_a_table_for_people_begins_at_a_volume(
    options: dict[str, Any], from_usd: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    shows: list[Show] = []

    async def heard(_: Watch, show: Show, *__: object) -> int:
        shows.append(show)
        await trio.lowlevel.checkpoint()
        return Exit.DONE

    monkeypatch.setattr("cgrx._cli.showing.watch", heard)
    run(liquidations_command_with(options))
    assert [show.min_volume for show in shows] == [from_usd]


def liquidations_command_with(options: dict[str, Any]) -> Callable[[], Awaitable[int]]:
    return lambda: liquidations_command(options=WatchOptions(url="ws://127.0.0.1:1/", **options))
