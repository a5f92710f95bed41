"""What a shard makes of records: holes, sessions, ends; and which channels are one group."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from reactivex import Observable

import cgrx
from cgrx import (
    Alive,
    Batch,
    Channel,
    Dropped,
    End,
    Feed,
    FuturesTrades,
    Gap,
    LiquidationOrders,
    Record,
    RecordedError,
    Shard,
    StateError,
)
from cgrx import operators as ops
from cgrx._shards.record import Numbering
from cgrx.testing import liquidation

L = LiquidationOrders()
BTC = FuturesTrades("Binance", "BTCUSDT", 0)
ETH = FuturesTrades("Binance", "ETHUSDT", 0)


def signals_of(feed: Feed) -> Observable[Any]:
    """Marks and events pass as they are."""
    return feed.liquidations().pipe(ops.map(same))


def same(event: Any) -> Any:
    return event


def trades_of(*channels: FuturesTrades) -> Callable[[Feed], Observable[Any]]:
    def build(feed: Feed) -> Observable[Any]:
        return cgrx.merge(*(feed.futures_trades(each.exchange, each.symbol, min_volume=0) for each in channels))

    return build


def at(ms: int) -> Batch[Any]:
    return Batch(L, ms, (liquidation("long", time=ms / 1000),))


def said(*signals: Any, session: str = "one", channel: Channel = L) -> list[Record]:
    numbering = Numbering(session)
    return [numbering.record(channel.name, each) for each in signals]


FIRST = said(Gap(L, 0, 100, "subscribed"), at(200), Alive("a", 300))


def marks(shard: Shard[Any], records: Iterable[Record]) -> list[Any]:
    return [each for each in shard.signals(records) if not isinstance(each, Batch)]


def test_a_hole_is_a_gap_from_when_the_channel_was_last_heard() -> None:
    """Up to the record behind the hole."""
    shard = Shard(signals_of)
    assert marks(shard, FIRST) == [Gap(L, 0, 100, "subscribed"), Alive("a", 300)]
    later = [Record(L.name, "one", 5, 900, at(900)), Record(L.name, "one", 8, 1500, Alive("a", 1500))]
    assert marks(shard, later) == [
        Gap(L, 300, 900, "records 3 to 4 are missing"),
        Gap(L, 900, 1500, "records 6 to 7 are missing"),
        Alive("a", 1500),
    ]


def test_a_log_that_begins_late_begins_with_a_gap() -> None:
    """Nothing before it was seen."""
    assert marks(Shard(signals_of), [Record(L.name, "one", 7, 900, at(900))]) == [
        Gap(L, 0, 900, "records before 7 are missing")
    ]


def test_another_session_begins_where_the_channel_was_last_heard() -> None:
    """Its gap from 0 does not reach back; its proofs go on under the first one's name; the old session is over."""
    shard = Shard(signals_of)
    marks(shard, FIRST)
    second = said(Gap(L, 0, 5000, "subscribed"), at(5100), Alive("b", 5200), session="two")
    assert marks(shard, second) == [Gap(L, 300, 5000, "subscribed"), Alive("a", 5200)]
    assert marks(shard, [*FIRST, Record(L.name, "one", 9, 9000, at(9000)), *second]) == []
    third = said(at(6000), session="three")
    assert marks(shard, third) == [Gap(L, 5200, 6000, "published anew")]
    late = [Record(L.name, "four", 3, 7000, Gap(L, 6800, 7000, "disconnected"))]
    assert marks(shard, late) == [Gap(L, 6000, 7000, "published anew"), Gap(L, 6800, 7000, "disconnected")]


def test_a_session_that_narrows_its_gap_is_not_believed() -> None:
    """Another publisher cannot know what the shard has heard."""
    shard = Shard(signals_of)
    marks(shard, FIRST)
    assert marks(shard, said(Gap(L, 4000, 5000, "disconnected"), session="two")) == [Gap(L, 300, 5000, "disconnected")]
    assert marks(shard, said(Gap(L, 0, 50, "a clock behind"), session="three")) == [Gap(L, 50, 50, "a clock behind")]


def test_an_outage_is_a_gap_in_the_open_window_alone() -> None:
    """The window that was open goes on with its events, and says how much of it was not seen."""

    def build(feed: Feed) -> Observable[Any]:
        return feed.liquidations().pipe(ops.tumbling("10s", lateness=0, idle=0))

    shard = Shard(build)
    minute = [Gap(L, 0, 0, "subscribed"), at(1_000), at(11_000), at(12_000)]
    assert [(row.count, row.gap_ms) for row in shard.take(said(*minute))] == [(1, 0)]
    shard = Shard.restore(build, shard.snapshot())
    again = [Gap(L, 0, 15_000, "subscribed"), at(16_000), at(21_000), at(31_000)]
    found = [(row.count, row.gap_ms, row.complete) for row in shard.take(said(*again, session="two"))]
    assert found == [(3, 3_000, False), (1, 0, True)]


def test_one_loss_of_all_channels_counts_once() -> None:
    """A message that could not be read is told on each channel, in records of their own."""
    lost = Dropped(None, 1, "malformed")
    records = said(Gap(BTC, 0, 0, "s"), lost, channel=BTC) + said(Gap(ETH, 0, 0, "s"), lost, lost, channel=ETH)
    shard = Shard(trades_of(BTC, ETH))
    first = marks(shard, records[:2])
    shard = Shard.restore(trades_of(BTC, ETH), shard.snapshot())
    assert [each for each in first + marks(shard, records[2:]) if each == lost] == [lost, lost]


def test_the_end_of_all_channels_completes_the_pipeline() -> None:
    """What is open comes out, not final; a repetition is skipped, anything new refused."""

    def build(feed: Feed) -> Observable[Any]:
        return feed.liquidations().pipe(ops.tumbling("10s"))

    shard = Shard(build)
    records = said(at(1_000), End())
    assert [row.final for row in shard.take(records)] == [False]
    shard = Shard.restore(build, shard.snapshot())
    assert shard.take(records) == []
    with pytest.raises(
        ValueError, match="channel 'liquidationOrders' has ended, and record 0 of session 'two' follows"
    ):
        shard.take(said(at(2_000), session="two"))


def test_a_failed_channel_fails_the_pipeline() -> None:
    """With the recorded error and the record; what came before is given first, and again nothing follows."""
    shard = Shard(signals_of)
    out = shard.signals(said(at(1_000), End(("PlanError", "no such plan")), session="s"))
    assert isinstance(next(out), Batch)
    with pytest.raises(RecordedError, match="PlanError: no such plan") as raised:
        next(out)
    assert raised.value.__notes__ == ["raised by record 1 of session 's' of channel 'liquidationOrders'"]
    with pytest.raises(RecordedError, match="PlanError"):
        shard.take(FIRST)
    with pytest.raises(StateError, match="the pipeline has failed, and has no state to go on from: PlanError"):
        shard.snapshot()


def test_an_error_of_a_function_is_the_users_own() -> None:
    """Wherever it is raised: in a stage, or in what is told of late events."""

    def build(feed: Feed) -> Observable[Any]:
        return feed.liquidations().map(lambda event: 1 / (event.time_ms - 2_000))

    shard = Shard(build)
    with pytest.raises(ZeroDivisionError) as raised:
        shard.take(said(at(1_000), at(2_000), at(3_000)))
    assert "raised by record 1 of session 'one' of channel 'liquidationOrders'" in raised.value.__notes__


def test_records_of_another_channel_are_refused_before_any_is_taken() -> None:
    """The error says what the shard has, and what to do."""
    shard = Shard(trades_of(BTC))
    with pytest.raises(
        ValueError, match=r"ETHUSDT@0' has come to the shard 'futures_trades@Binance_BTCUSDT@0'"
    ) as found:
        shard.take(said(Gap(BTC, 0, 5, "s"), channel=BTC) + said(Gap(ETH, 0, 5, "s"), channel=ETH))
    assert 'partition_by="base_asset"' in str(found.value)
    assert marks(shard, said(Gap(BTC, 0, 5, "s"), channel=BTC)) == [Gap(BTC, 0, 5, "s")]


def test_the_channels_of_a_pipeline_are_of_one_group() -> None:
    """Said before anything runs."""
    other = FuturesTrades("OKX", "BTC-USDT-SWAP", 0)
    assert Shard(trades_of(BTC, other), partition_by="base_asset").key == "BTC"
    assert Shard(trades_of(BTC), partition_by="channel").key == BTC.name
    assert Shard(trades_of(BTC, other)).key == f"{BTC.name}+{other.name}"
    assert Shard(trades_of(BTC, other)).channels == (BTC, other)
    with pytest.raises(ValueError, match=r"partition_by='base_asset': .* 2 groups, .*: 'BTC' has .*; 'ETH' has .*"):
        Shard(trades_of(BTC, ETH), partition_by="base_asset")
    with pytest.raises(ValueError, match=r"partition_by='channel': .* 2 groups"):
        Shard.restore(trades_of(BTC, ETH), b"", partition_by="channel")


WINDOW = 'tumbling("1m", by="symbol")'


def test_what_it_keeps_is_explained() -> None:
    """The key, the channels, and the state of each stage."""
    shard = Shard(lambda feed: trades_of(BTC)(feed).pipe(ops.side("buy"), ops.tumbling("1m", by="symbol")))
    assert str(shard.explain()).splitlines() == [
        "key: futures_trades@Binance_BTCUSDT@0",
        "channels: futures_trades@Binance_BTCUSDT@0",
        f'pipeline: merge({BTC.name}) | side("buy") | {WINDOW}',
        "state:",
        '   side("buy"): none',
        f"   {WINDOW}: a partial result for each open window and key, at most 100,000 keys, then TooManyKeysError",
        "   each channel: the session and the number of its last record, and when it was last heard",
    ]
