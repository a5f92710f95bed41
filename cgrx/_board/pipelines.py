"""The pipelines of a board, made of public stages: one set for all pages, into one `Memory`.

liquidations ─► Bounded ─► tap ─┬─► tumbling over all, emit_empty                             what was missed
                                ├─► tumbling by asset and exchange, a row with each event     volumes
                                ├─► cascades ──► bands ──► cooldown                           alerts
                                ├─► tumbling by asset ──► crosses, by side ──► cooldown       alerts
                                └─► the user's own pipelines                                  alerts
trades of one instrument ─► tap ──► tumbling, emit_empty                                      volumes, prices, missed
"""

import math
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Literal

import attrs
import reactivex
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable

from cgrx import operators as ops
from cgrx._board.bounds import INSTRUMENTS, LATENESS
from cgrx._board.coverage import Coverage
from cgrx._board.memory import Memory
from cgrx._board.names import Bounded
from cgrx._board.options import AlertSource, BoardOptions
from cgrx._board.rows import Liquidated, Seen, Sided, Traded
from cgrx._feed.face import Feed
from cgrx._model.channels import FuturesTrades
from cgrx._model.events import Liquidation
from cgrx._model.signals import Batch, Signal
from cgrx._replay.replay import Replay
from cgrx._sinks.message import message
from cgrx._streams.stream import EventStream

_TICK = "250ms"
"""How often trades, of which there are many, change the window that is open, in event time."""

_SIDES: tuple[Literal["long", "short"], ...] = ("long", "short")


@attrs.frozen(eq=False)
class _Observer:
    """Takes the signals of a pipeline: its rows one by one, and its marks."""

    on_row: Callable[[Any], None]
    coverage: Coverage | None = None
    """What the marks are told to."""

    def on_signal(self, signal: Signal[Any]) -> None:
        if isinstance(signal, Batch):
            for row in signal.events:
                self.on_row(row)
        if self.coverage is not None:
            self.coverage.on_signal(signal)

    def on_error(self, error: Exception) -> None:
        if self.coverage is not None:
            self.coverage.fail(f"the stream has ended: {type(error).__name__}")

    def on_completed(self) -> None:
        if self.coverage is not None:
            self.coverage.complete()


def recorded_trades(feed: Replay) -> tuple[FuturesTrades, ...]:
    """The instruments whose trades a replay holds, as many as a board shows."""
    return tuple(channel for channel in feed.channels if isinstance(channel, FuturesTrades))[:INSTRUMENTS]


def subscribe(
    feed: Feed, memory: Memory, options: BoardOptions, channels: Collection[FuturesTrades]
) -> abc.DisposableBase:
    """Subscribe to all that a board shows of a feed; of the instruments of the memory to the trades of these.

    Returns:
        What ends it when disposed.

    Raises:
        ValueError: a pipeline of the user's own does not fit, or a replay does not hold what is asked for by name.
    """
    found = CompositeDisposable(feed.status.subscribe(memory.link.on_status))
    try:
        liquidations = _liquidations(feed, memory)
        found.add(_missed(liquidations, memory, options))
        found.add(_volumes(liquidations, memory, options))
        found.add(_cascades(liquidations, memory, options))
        found.add(_levels(liquidations, memory, options))
        for channel in channels:
            found.add(_trades(feed, channel, memory, options))
        for name, source in options.alerts.items():
            found.add(_own(feed, liquidations, memory, name, source))
    except Exception:
        found.dispose()
        raise
    return found


def _liquidations(feed: Feed, memory: Memory) -> EventStream[Liquidation]:
    stream: Observable[Liquidation]
    try:
        stream = feed.liquidations()
    except ValueError:  # a recording without them
        memory.coverage.fail("the recording holds no liquidations")
        stream = reactivex.never()
    return stream.pipe(Bounded(), ops.tap(on_batch=memory.on_liquidations, of=Liquidation), ops.share())


def _missed(stream: EventStream[Liquidation], memory: Memory, options: BoardOptions) -> abc.DisposableBase:
    coverage = memory.coverage
    window = ops.tumbling(
        options.window, Seen, updates=_TICK, emit_empty=True, lateness=LATENESS, on_late=coverage.on_late
    )
    return stream.pipe(window).subscribe_signals(_Observer(memory.on_seen, coverage))


def _volumes(stream: EventStream[Liquidation], memory: Memory, options: BoardOptions) -> abc.DisposableBase:
    # `Bounded` bounds the keys.
    window = ops.tumbling(options.window, Liquidated, updates=0, lateness=LATENESS, max_keys=math.inf)
    return stream.pipe(window).subscribe_signals(_Observer(memory.on_liquidated))


def _cascades(stream: EventStream[Liquidation], memory: Memory, options: BoardOptions) -> abc.DisposableBase:
    bands = stream.pipe(options.cascades, ops.share())
    alerts = bands.pipe(ops.cooldown(options.silence))
    return CompositeDisposable(
        bands.subscribe_signals(_Observer(memory.cascades.on_row)),
        alerts.subscribe_signals(_Observer(memory.on_cascade)),
    )


def _levels(stream: EventStream[Liquidation], memory: Memory, options: BoardOptions) -> abc.DisposableBase:
    if options.alert_volume == math.inf:
        return CompositeDisposable()
    # An asset without liquidations in a window has a row too: else it would stay above the level for ever.
    window = ops.tumbling(options.window, Sided, updates=0, emit_empty=True, lateness=LATENESS, max_keys=math.inf)
    rows = stream.pipe(window, ops.share())

    def watch(side: Literal["long", "short"]) -> abc.DisposableBase:
        level = ops.crosses(side, above=options.alert_volume, returns=False)
        crossings = rows.pipe(level, ops.cooldown(options.silence))
        return crossings.subscribe_signals(_Observer(partial(memory.on_level, side)))

    return CompositeDisposable(*map(watch, _SIDES))


def _trades(feed: Feed, channel: FuturesTrades, memory: Memory, options: BoardOptions) -> abc.DisposableBase:
    coverage = memory.trades[channel].coverage
    window = ops.tumbling(
        options.window, Traded, updates=_TICK, emit_empty=True, lateness=LATENESS, on_late=coverage.on_late
    )
    stream = feed.channel(channel).pipe(ops.tap(on_batch=partial(memory.on_trades, channel)), window)
    return stream.subscribe_signals(_Observer(partial(memory.on_traded, channel), coverage))


def _own(
    feed: Feed, liquidations: EventStream[Liquidation], memory: Memory, name: str, source: AlertSource
) -> abc.DisposableBase:
    """A rule of the user's own: each item of its stream is an alert."""
    stream = _stream_of(source, feed, liquidations)

    def on_next(item: object) -> None:
        try:
            text = message(item)
        except TypeError:  # there is no sentence about such items
            text = str(item)
        memory.alerts.add(getattr(item, "time_ms", feed.now_ms), name, text)

    def on_error(error: Exception) -> None:
        memory.alerts.add(feed.now_ms, name, f"this rule has ended: {type(error).__name__}")

    return stream.subscribe(on_next, on_error, scheduler=feed.scheduler)


def _stream_of(source: AlertSource, feed: Feed, liquidations: EventStream[Liquidation]) -> Observable[Any]:
    if isinstance(source, ops.Stage):
        return liquidations.pipe(source)
    return source(feed) if callable(source) else source
