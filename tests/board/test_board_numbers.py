"""The numbers of a board: what polars and sums of our own find in the same events."""

import math
from typing import Any

import polars as pl
import pytest
import trio

import cgrx
from cgrx import State
from cgrx import operators as ops
from cgrx._board.messages import Snapshot
from tests.board.boards import BTC, CHANNELS, ETH, OKX, board, market, recorded
from tests.feed.feeding import START_MS
from tests.support import run_mock

COUNT = 2400


def at_the_end(assets: tuple[str | None, ...], **options: Any) -> dict[str | None, Snapshot]:
    """What is shown when all of the recording has been played."""
    found: dict[str | None, Snapshot] = {}

    async def main() -> None:
        async with board(recorded(COUNT), speed=math.inf, **options) as views:
            await trio.sleep(10)
            found.update({asset: views.snapshot(asset) for asset in assets})

    run_mock(main)
    return found


def frame(window_ms: int) -> pl.DataFrame:
    """The events as columns, with where their windows begin."""
    events = pl.DataFrame([event.asdict() for event in market(COUNT)])
    return events.with_columns(start=pl.col("time_ms") // window_ms * window_ms)


@pytest.mark.parametrize("window_s", [10, 7])
def test_windows_totals_and_shares_are_those_of_the_events(window_s: int) -> None:
    """Of each asset and of all; sums of windows, of the last minute and hour, and of the session."""
    window_ms = window_s * 1000
    events = frame(window_ms)
    shown = at_the_end((None, "BTC", "ETH", "SOL", "none"), window=f"{window_s}s")
    for asset, snapshot in shown.items():
        own = events if asset is None else events.filter(pl.col("base_asset") == asset)
        sums = {
            (row["start"], row["side"]): (row["volume"], row["count"])
            for row in own.group_by("start", "side")
            .agg(volume=pl.col("volume_usd").sum(), count=pl.len())
            .iter_rows(named=True)
        }
        for window in snapshot.windows:
            for side in ("long", "short", "buy", "sell"):
                expected = sums.pop((window.start, side), (0, 0))
                assert getattr(window, side) == pytest.approx(expected[0], rel=1e-12), (asset, window.start, side)
        assert not sums, "windows that are not shown"
        assert [each.start for each in snapshot.windows] == list(
            range(snapshot.windows[0].start, snapshot.windows[-1].end, window_ms)
        )
        last = snapshot.windows[-1].start
        for total, since in zip(
            snapshot.totals, (last - (60_000 // window_ms - 1) * window_ms, START_MS, START_MS), strict=True
        ):
            inside = own.filter(pl.col("start") >= since - since % window_ms)
            assert total.since == since - since % window_ms
            for side in ("long", "short", "buy", "sell"):
                volume = inside.filter(pl.col("side") == side)["volume_usd"].sum()
                assert getattr(total, side) == pytest.approx(volume, rel=1e-12)
            of_kind = [inside.filter(pl.col("kind") == kind).height for kind in ("liquidation", "trade")]
            assert [total.liquidations, total.trades] == of_kind
        assert {each.name: (each.long, each.short, each.events) for each in snapshot.exchanges} == _shares(
            own, "exchange"
        )
        assert {each.name: (each.long, each.short, each.events) for each in snapshot.leaders} == _shares(
            events, "base_asset"
        )
        volumes = [each.long + each.short for each in snapshot.exchanges]
        assert volumes == sorted(volumes, reverse=True)
        assert set(snapshot.assets) == {"BTC", "ETH", "SOL"}


def _shares(events: pl.DataFrame, by: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in events.filter(pl.col("kind") == "liquidation").iter_rows(named=True):
        volumes = found.setdefault(row[by], {"long": [], "short": []})
        volumes[row["side"]].append(row["volume_usd"])
    return {
        name: (
            pytest.approx(math.fsum(each["long"]), rel=1e-12),
            pytest.approx(math.fsum(each["short"]), rel=1e-12),
            len(each["long"]) + len(each["short"]),
        )
        for name, each in found.items()
    }


def test_the_price_of_an_asset_is_that_of_its_first_instrument() -> None:
    """Volumes are those of all of its instruments; all assets together have no price."""
    chosen = [("OKX", "BTC-USDT-SWAP", 0), ("Binance", "BTCUSDT", 0)]
    shown = at_the_end((None, "BTC", "ETH"), trades=chosen)
    events = frame(10_000).filter(pl.col("kind") == "trade").sort("time_ms", maintain_order=True)
    okx = events.filter(pl.col("exchange") == "OKX")
    bars = {
        row["start"]: (row["open"], row["high"], row["low"], row["close"])
        for row in okx.group_by("start")
        .agg(
            open=pl.col("price").first(),
            high=pl.col("price").max(),
            low=pl.col("price").min(),
            close=pl.col("price").last(),
        )
        .iter_rows(named=True)
    }
    none = (None, None, None, None)
    for window in shown["BTC"].windows:
        assert (window.open, window.high, window.low, window.close) == bars.get(window.start, none)
    assert {(window.open, window.close) for window in shown[None].windows} == {(None, None)}
    both = events.filter(pl.col("base_asset") == "BTC")
    assert shown["BTC"].totals[2].trades == both.height
    assert {window.trades_watched for window in shown["ETH"].windows} == {None}
    assert {window.trades for window in shown["ETH"].windows} == {0}


def test_rows_of_the_same_recording_say_the_same() -> None:
    """What a window over the recording says of its quality is what the board shows."""
    rows: dict[cgrx.Channel, dict[int, ops.Flow]] = {}

    async def main() -> None:
        async with cgrx.replay(recorded(COUNT)) as feed:
            for channel in CHANNELS:
                of_channel = rows.setdefault(channel, {})

                def keep(row: ops.Flow, kept: dict[int, ops.Flow] = of_channel) -> None:
                    kept[row.start_ms] = row

                feed.channel(channel).pipe(ops.tumbling("10s", emit_empty=True)).subscribe(keep)
            await feed.run()

    run_mock(main)
    shown = at_the_end(("BTC", "ETH"))
    for asset, channels in (("BTC", (BTC, OKX)), ("ETH", (ETH,))):
        for window in shown[asset].windows:
            row = rows[CHANNELS[0]][window.start]
            watched = window.liquidations_watched
            assert (watched.gap_ms, watched.dropped, watched.quality == "complete") == (
                row.gap_ms,
                row.dropped,
                row.complete,
            )
            own = [rows[channel][window.start] for channel in channels if window.start in rows[channel]]
            trades = window.trades_watched
            assert trades is not None
            assert (trades.quality == "complete") == all(row.complete for row in own)
            assert trades.gap_ms == max(row.gap_ms or 0 for row in own)


def test_the_state_of_a_recording_that_is_over() -> None:
    async def main() -> None:
        async with board(recorded(COUNT), speed=math.inf) as views:
            await trio.sleep(10)
            shown = views.snapshot(None)
            assert (shown.mode, shown.connection.state) == ("replay", State.CLOSED.value)
            assert shown.connection.text == "the recording is over"
            assert shown.connection.events == len(market(COUNT))
            await trio.sleep(100)
            assert views.snapshot(None) == shown

    run_mock(main)
