"""The sentences that say which event loop is missing, and where one is in the way."""

import asyncio  # noqa: TID251 - what a user may have in its place
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import cgrx
from cgrx import operators as ops
from cgrx._recording.writer import write_recording
from cgrx._trio.require import require_trio
from cgrx.testing import liquidation
from tests.replay.replaying import events, gap
from tests.support import run, run_mock


def test_inside_trio_it_gives_the_token() -> None:
    async def main() -> None:
        assert require_trio("this") is trio.lowlevel.current_trio_token()

    run_mock(main)


def test_without_a_loop_connect_says_so_at_the_call() -> None:
    """Not only when it is entered: what is missing is named in one sentence, with what to do."""
    with pytest.raises(cgrx.NotInTrioError, match=r"^connect\(\) needs a running trio loop.*cgrx\.sync"):
        cgrx.connect(api_key="any-key-will-do")


def test_under_asyncio_connect_says_so_at_the_call() -> None:
    """Jupyter and FastAPI run asyncio."""

    async def main() -> None:
        with pytest.raises(
            cgrx.NotInTrioError,
            match=r"^connect\(\) needs trio, and asyncio \(.*\) runs here: use cgrx\.aio$",
        ):
            cgrx.connect(api_key="any-key-will-do")

    asyncio.run(main())


def in_columns(feed: cgrx.Feed) -> cgrx.EventStream[Any]:
    return feed.liquidations().pipe(ops.tumbling("1s"))


def event_by_event(feed: cgrx.Feed) -> cgrx.EventStream[Any]:
    return feed.liquidations()


@pytest.mark.parametrize("build", [in_columns, event_by_event])
def test_a_backtest_asks_for_a_thread_of_its_own(
    tmp_path: Path, build: Callable[[cgrx.Feed], cgrx.EventStream[Any]]
) -> None:
    """In a running trio loop, which it would block; there both of its ways work."""
    write_recording(tmp_path, [gap(0), events(1, liquidation())])

    async def main() -> None:
        words = r"^cgrx\.backtest\(\) blocks, .* await trio\.to_thread\.run_sync\(cgrx\.backtest, \.\.\.\)"
        with pytest.raises(cgrx.InTrioError, match=words):
            cgrx.backtest(build, tmp_path)
        found = await trio.to_thread.run_sync(cgrx.backtest, build, tmp_path)
        assert len(found.rows) == 1

    run(main)
