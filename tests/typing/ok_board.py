"""What must type-check of the board. Read by mypy and pyright, never run."""

from pathlib import Path
from typing import assert_type

from reactivex import Observable

import cgrx
from cgrx import operators as ops


def large(feed: cgrx.Feed) -> Observable[cgrx.Liquidation]:
    return feed.liquidations().pipe(ops.min_volume(1e6))


async def shown(feed: cgrx.Feed, replay: cgrx.Replay) -> None:
    async with cgrx.board(feed, port=8764, window="1m", trades=[("Binance", "BTCUSDT", 10_000)]) as board:
        assert_type(board, cgrx.Board)
        assert_type(board.url, str)
        assert_type(board.browsers, int)
    async with cgrx.board(replay, host="0.0.0.0", token="t" * 16, allow_hosts=["board.example"]):
        pass
    async with cgrx.board(feed, history="day"), cgrx.board(feed, history=[Path("monday"), "tuesday"]):
        pass
    async with cgrx.board(feed, alerts={"a": large, "b": ops.base_asset("BTC"), "c": feed.liquidations()}):
        pass
    async with cgrx.board([Path("monday"), "tuesday"], speed=60, start="2024-08-09T00:00"):
        pass
