"""What must not type-check: each line fails both checkers, or they report its comments as unneeded. Never run."""

from reactivex import Observable
from reactivex import operators as rx_ops

import cgrx
from cgrx import EventStream, Liquidation, Trade
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import alive, batch, gap, liquidation, play, trade, watermark
from tests.typing.ok_pipelines import Prices
from tests.typing.ok_sweeps import rule


def wrong_side(liquidations: EventStream[Liquidation], trades: EventStream[Trade]) -> None:
    # A trade is no long.
    trades.pipe(ops.side("long"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A liquidation is no buy.
    liquidations.pipe(ops.side("buy"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # Some of these are trades.
    cgrx.merge(liquidations, trades).pipe(ops.side("long"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # Other stages between do not hide it.
    trades.pipe(ops.min_volume(1), ops.side("long"))  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    # Nor does a pipeline, in itself...
    ops.pipeline(ops.side("buy"), ops.side("long"))  # type: ignore[misc]  # pyright: ignore[reportArgumentType, reportCallIssue]
    # ... whatever is between.
    ops.pipeline(ops.side("buy"), ops.min_volume(1), ops.side("long"))  # type: ignore[misc]  # pyright: ignore[reportArgumentType, reportCallIssue]
    # There is no such side.
    ops.side("up")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    # Nor is there for a sample...
    liquidation("buy")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # ... of either type.
    trade("long")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def wrong_elements(liquidations: EventStream[Liquidation], trades: EventStream[Trade]) -> None:
    # A liquidation has no such field.
    liquidations.where(lambda e: e.volume > 1)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]
    # The function is for trades.
    liquidations.pipe(ops.where(lambda e: e.price > 1, of=Trade))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # The function is for liquidations.
    trades.pipe(ops.map(lambda e: e.order_side, of=Liquidation))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # The running value is one of trades.
    liquidations.pipe(ops.scan(lambda usd, e: usd + e.price, 0.0, of=Trade))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A trade has no such field.
    trades.pipe(ops.scan(lambda usd, e: usd + e.volume, 0.0, of=Trade))  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]
    # The stage is for trades.
    liquidations.pipe(Prices())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # It is so behind another too.
    liquidations.pipe(ops.side("long"), Prices())  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    # A price has no volume.
    liquidations.map(lambda e: e.price).pipe(ops.min_volume(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A union is of both.
    narrow: EventStream[Liquidation] = cgrx.merge(liquidations, trades)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
    narrow.subscribe()


def wrong_forms(trade: Trade, numbers: list[int]) -> None:
    # A number is neither an event nor a row...
    cgrx.to_dicts(numbers)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # ... for tables either.
    cgrx.to_frame(numbers)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # There is no such library.
    cgrx.to_frame([trade], library="arrow")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]


def wrong_joins(liquidations: EventStream[Liquidation], trades: EventStream[Trade]) -> None:
    # There may be none.
    liquidations.pipe(ops.latest_of(trades, by="symbol", max_age=1)).map(lambda each: each.latest.price)  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    # It says how old the latest may be.
    ops.latest_of(trades, by="symbol")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    # The item of a crossing is a trade.
    trades.pipe(ops.crosses("price", above=1)).map(lambda each: each.item.count)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]


def wrong_kinds(liquidations: EventStream[Liquidation]) -> None:
    # Behind a foreign operator it is no EventStream.
    stream: EventStream[Liquidation] = liquidations.pipe(rx_ops.take(1))  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
    # A text is no number.
    stream.pipe(ops.min_volume("1"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A number is no name.
    stream.pipe(ops.exchange(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A foreign operator is no stage.
    ops.pipeline(ops.side("long"), rx_ops.take(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    # A number is no observable.
    ops.merge(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    # An operator is no stream.
    ops.merge(stream, stream).subscribe()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    # Nor in the other face.
    cgrx.merge(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


def wrong_windows(trades: EventStream[Trade]) -> None:
    # A text is no bool.
    trades.pipe(ops.tumbling("1m", emit_empty="emit"))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownArgumentType]
    # A text is no day of the week.
    trades.pipe(ops.tumbling("1w", week_start="sun"))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownArgumentType]
    # Windows that overlap follow no calendar.
    trades.pipe(ops.sliding("7d", "1d", zone="Europe/Berlin"))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    # A number is no aggregate.
    trades.pipe(ops.session("1m", n=3))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    # Bars are never late.
    trades.pipe(ops.count_bars(3, on_late=print))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    # A flow has no prices.
    trades.pipe(ops.tumbling("1m")).map(lambda row: row.open)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]
    # A bar has no such key.
    trades.pipe(ops.tumbling("1m", ops.Bar)).map(lambda row: row.market)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]
    # A row of keywords says its fields by name.
    trades.pipe(ops.tumbling("1m", n=agg.count())).map(lambda row: row.n)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]


async def wrong_iteration(trades: EventStream[Trade]) -> None:
    # It is no iterator: `cgrx.stream` makes one.
    async for _ in trades:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass


def wrong_callbacks(trades: EventStream[Trade]) -> None:
    # An event is no text.
    trades.subscribe(str.upper)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def wrong_stages(stage: ops.Stage[Trade, str]) -> None:
    # It does not take liquidations.
    _wider: ops.Stage[Liquidation | Trade, str] = stage  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    # It does not give numbers.
    _other: ops.Stage[Trade, int] = stage  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def wrong_samples(observable: Observable[int]) -> None:
    # A trade is no long.
    play(ops.side("long"), [batch(trade())])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # An event is no signal.
    play(ops.side("long"), [liquidation()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    # An observable is no list.
    play(Prices(), observable)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # Nothing is no time.
    alive(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A gap has an end.
    gap("30s")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    # Bytes are no time.
    watermark(b"1s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def wrong_recordings() -> None:
    """What stands together is a channel; a recording is a folder; progress is two numbers."""
    cgrx.compact("today", by="day")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    cgrx.compact(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    cgrx.verify("today", progress=len)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    cgrx.verify(["monday", "tuesday"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def wrong_sweeps() -> None:
    def no_feed(threshold: float) -> int:
        return round(threshold)

    # A pipeline is made from a feed.
    cgrx.sweep(no_feed, "recording", {"threshold": [1]})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A number is no grid.
    cgrx.sweep(rule, "recording", 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # A measure gives names to what it tells.
    cgrx.sweep(rule, "recording", {"threshold": [1]}, measure=len)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
