"""What a board remembers of one feed: filled by the pipelines, asked by `views`. All of it is bounded.

The windows are one behind the other, from the first that is kept to the one that is running now. `Memory.move` brings
them to the present: the feed's time, as the clocks of the exchanges show it.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

import attrs

from cgrx import operators as ops
from cgrx._board.bounds import CELLS, HOUR_MS, LEADERS, MINUTE_MS, PICKABLE, short
from cgrx._board.bubbles import Bubbles
from cgrx._board.connection import CLOSED, OVER, Link
from cgrx._board.coverage import Coverage
from cgrx._board.happenings import Alerts, Cascades
from cgrx._board.ledger import Amounts, Ledger, dollars
from cgrx._board.messages import Quality, Share, Totals, Watched, Window
from cgrx._board.options import BoardOptions
from cgrx._board.rows import Liquidated, Seen, Sided, Traded
from cgrx._board.tape import Tape
from cgrx._model.channels import FuturesTrades
from cgrx._model.events import Event, Liquidation
from cgrx._model.instruments import Instrument
from cgrx._model.signals import Batch

_WORST: tuple[Quality, ...] = ("complete", "running", "incomplete", "gap", "unknown")
"""From the best to the worst: what is said of several instruments together is the worst of them."""


Prices: TypeAlias = tuple[float | None, float | None, float | None, float | None]
"""Open, high, low and close; None where there was no trade."""

_NO_PRICES: Prices = (None, None, None, None)


@attrs.define(eq=False)
class Instrumented:
    """One instrument whose trades are subscribed to."""

    coverage: Coverage
    asset: str
    known: bool = False
    """Whether the asset is that of an event, and not what the symbol seems to say."""
    prices: dict[int, Prices] = attrs.field(factory=dict[int, Prices])
    """Open, high, low and close by window."""


class Memory:
    """What is remembered of one feed.

    Args:
        options: what is shown, and how much is kept.
        channels: the instruments whose trades are subscribed to.
        begun_ms: the feed's time now.
        numbers: what the tape, the cascades and the alerts begin to count with.
        end: what is said where the feed has ended without an error.
    """

    def __init__(
        self,
        options: BoardOptions,
        channels: Collection[FuturesTrades],
        begun_ms: int,
        numbers: tuple[int, int, int] = (1, 1, 1),
        end: str = OVER,
    ) -> None:
        self._options = options
        self._window_ms = window_ms = options.window_ms
        self.link = Link(end)
        self.tape, self.cascades, self.alerts = Tape(numbers[0]), Cascades(numbers[1]), Alerts(numbers[2])
        self.bubbles = Bubbles(window_ms)
        self.coverage = Coverage(window_ms)
        """Of the liquidations."""
        self.trades = {channel: Instrumented(Coverage(window_ms), _asset_of(channel)) for channel in channels}
        self._liquidations, self._trades = Ledger(), Ledger()
        self._first_ms = self._last_ms = begun_ms - begun_ms % window_ms
        self._session_ms = self._first_ms
        self._present_ms = begun_ms
        self._gone: dict[str | None, int] = {}
        """By asset, how many windows of the session of which something was missing are kept no more; see `_group`."""

    @property
    def numbers(self) -> tuple[int, int, int]:
        """What the tape, the cascades and the alerts of the next memory begin to count with."""
        return self.tape.next, self.cascades.next, self.alerts.next

    # What pipelines tell

    def on_liquidations(self, batch: Batch[Liquidation]) -> None:
        """Liquidations have been received."""
        if batch.events:
            self.link.on_batch(batch, batch.events[-1].time_ms)
            number = self.tape.next
            for event in self.tape.add(batch.events, self._options.large_liquidation):
                self.bubbles.add(number, event)
                number += 1

    def on_trades(self, channel: FuturesTrades, batch: Batch[Event]) -> None:
        """Trades of an instrument have been received."""
        if batch.events:
            self.link.on_batch(batch, batch.events[-1].time_ms)
            self.tape.add(batch.events, self._options.large_trade)
            traded = self.trades[channel]
            if not traded.known:
                traded.asset, traded.known = short(batch.events[-1].base_asset), True

    def on_seen(self, row: Seen) -> None:
        """What was missed of the liquidations of a window."""
        self.coverage.on_row(row)
        self._closed(row)

    def on_liquidated(self, row: Liquidated) -> None:
        """What was liquidated of an asset on an exchange in a window, so far."""
        self._liquidations.put(row.start_ms, row.base_asset, row.exchange, row.long, row.short, row.count)

    def on_traded(self, channel: FuturesTrades, row: Traded) -> None:
        """What was traded of an instrument in a window, so far."""
        traded = self.trades[channel]
        traded.coverage.on_row(row)
        self._closed(row)
        if row.count and row.start_ms >= self._first_ms - self._options.keep_ms:
            self._trades.put(row.start_ms, traded.asset, channel.name, row.buy, row.sell, row.count)
            traded.prices[row.start_ms] = row.open, row.high, row.low, row.close

    def on_cascade(self, cooled: ops.Cooled[ops.Cascade]) -> None:
        """A cascade has become large enough, or is still growing when the silence behind the last alert is over."""
        row = cooled.item
        side = "liquidations" if row.dominant_side is None else f"{row.dominant_side.word}s liquidated"
        seconds = (row.end_ms - row.start_ms) / 1000
        text = f"{row.base_asset}: cascade, {row.count:,} {side}, {_short_dollars(row.volume)} USD in {seconds:,.1f} s"
        self.alerts.add(row.time_ms, "cascade", text)

    def on_level(self, side: Literal["long", "short"], cooled: ops.Cooled[ops.Crossing[Sided]]) -> None:
        """The volume of one side of an asset in a window has crossed the level."""
        crossing = cooled.item
        volume, seconds = _short_dollars(crossing.value), self._window_ms / 1000
        text = f"{crossing.item.base_asset}: {side} liquidations of {volume} USD within {seconds:g} s"
        self.alerts.add(crossing.item.time_ms, "volume", text)

    # Time

    def move(self, now_ms: int) -> None:
        """Bring the windows to the present.

        Args:
            now_ms: the feed's time.
        """
        self._move_to(now_ms - int(self.link.lag_ms or 0))

    def _closed(self, row: ops.Row) -> None:
        """A window is over, so the present is behind it: what is kept is bounded although nobody may ask for it."""
        if row.final and row.end_ms > self._present_ms:
            self._move_to(row.end_ms)

    def _move_to(self, present_ms: int) -> None:
        self._present_ms = max(self._present_ms, present_ms)
        window_ms, first_ms, last_ms = self._window_ms, self._first_ms, self._last_ms
        last_ms = max(last_ms, self._present_ms - self._present_ms % window_ms)
        filled = {start for ledger in self._ledgers for start in ledger.changed.get(None, ())}
        if last_ms + window_ms in filled:  # the clock of an exchange may be a little ahead
            last_ms += window_ms
        kept_ms = last_ms - (self._options.keep_ms // window_ms - 1) * window_ms
        first_ms = max(kept_ms, min([first_ms, *filled]))
        came = set(range(max(first_ms, self._last_ms + window_ms), last_ms + 1, window_ms))
        came.update(range(first_ms, self._first_ms, window_ms))
        self._last_ms = last_ms
        for coverage in self._coverages:
            coverage.changed |= came
            coverage.judge(self._judged_ms, self.link.down_since_ms)
        self._forget_before(first_ms, last_ms)
        while sum(ledger.cells for ledger in self._ledgers) > CELLS and self._first_ms < last_ms:
            self._forget_before(self._first_ms + window_ms, last_ms)

    @property
    def _judged_ms(self) -> int:
        """Up to when something could have been received; of a feed that has ended, all of the last window."""
        return self._present_ms if self.link.ended_ms is None else self._last_ms + self._window_ms

    def _forget_before(self, first_ms: int, last_ms: int) -> None:
        if first_ms > self._first_ms:
            for group in self._groups:
                gone = sum(self._session_ms <= start < first_ms for start in self._bad(group))
                self._gone[group] = self._gone.get(group, 0) + gone
        self._first_ms, self._last_ms = first_ms, last_ms
        for ledger in self._ledgers:
            ledger.move(first_ms, self._since(HOUR_MS))
        for coverage in self._coverages:
            coverage.forget_before(first_ms)
        self.bubbles.forget_before(first_ms)
        for traded in self.trades.values():
            for start in [each for each in traded.prices if each < first_ms]:
                del traded.prices[start]

    def follow(self, now_ms: int) -> None:
        """What was told so far came from a recording, which has ended; a feed follows, whose time is this."""
        for ledger in self._ledgers:
            ledger.follow()
        for coverage in self._coverages:
            coverage.follow()
        self.link = Link(CLOSED)
        self.move(now_ms)
        self._session_ms = self._last_ms
        self._gone.clear()

    def told(self) -> None:
        """What has changed so far has been told."""
        for ledger in self._ledgers:
            ledger.changed.clear()
        for coverage in self._coverages:
            coverage.changed.clear()

    # What is shown, as of the last `move`

    def windows(self, asset: str | None) -> list[Window]:
        """All windows of an asset that are kept."""
        return [self._window(start, asset) for start in range(self._first_ms, self._last_ms + 1, self._window_ms)]

    def changed(self, asset: str | None) -> list[Window]:
        """Those that have changed, or have come, since `told`."""
        starts: set[int] = set()
        for ledger in self._ledgers:
            starts |= ledger.changed.get(asset, set())
        for coverage in self._coverages_of(asset):
            starts |= coverage.changed
        return [self._window(start, asset) for start in sorted(starts) if self._first_ms <= start <= self._last_ms]

    def totals(self, asset: str | None) -> list[Totals]:
        """The sums of an asset."""
        minute_ms, hour_ms = self._since(MINUTE_MS), self._since(HOUR_MS)
        liquidated, traded = self._ledgers
        minute = range(minute_ms, self._last_ms + 1, self._window_ms)
        in_minute = [_sum(each.window(start, asset) for start in minute) for each in self._ledgers]
        bad, gone = self._bad(asset), self._gone.get(self._group(asset), 0)
        return [
            _total("1m", minute_ms, bad, in_minute[0], in_minute[1]),
            _total("1h", hour_ms, bad, liquidated.hour(asset), traded.hour(asset)),
            _total("session", self._session_ms, bad, liquidated.session(asset), traded.session(asset), gone),
        ]

    def exchanges(self, asset: str | None) -> list[Share]:
        """The liquidations of an asset by exchange, over the hour."""
        return [_share(*each) for each in self._liquidations.parts(asset)]

    def assets(self) -> tuple[list[Share], list[str]]:
        """The assets with most liquidations over the hour, and those that can be picked."""
        ranked = self._liquidations.assets()
        names = dict.fromkeys(name for name, _ in ranked[:PICKABLE])
        names.update(dict.fromkeys(traded.asset for traded in self.trades.values()))
        return [_share(*each) for each in ranked[:LEADERS]], list(names)

    @property
    def late(self) -> int:
        """How many events came too late."""
        return sum(coverage.late for coverage in self._coverages)

    @property
    def lost(self) -> int:
        """How many events were lost because somebody was too slow."""
        return sum(coverage.lost for coverage in self._coverages)

    # How it is put together

    @property
    def _ledgers(self) -> tuple[Ledger, Ledger]:
        return self._liquidations, self._trades

    @property
    def _coverages(self) -> Iterator[Coverage]:
        return self._coverages_of(None)

    def _coverages_of(self, asset: str | None) -> Iterator[Coverage]:
        yield self.coverage
        yield from (traded.coverage for traded in self._traded(asset))

    def _traded(self, asset: str | None) -> Sequence[Instrumented]:
        """The instruments of an asset, or all."""
        return [traded for traded in self.trades.values() if asset is None or traded.asset == asset]

    @property
    def _groups(self) -> set[str | None]:
        return {None, "", *(traded.asset for traded in self.trades.values())}

    def _group(self, asset: str | None) -> str | None:
        """Assets without trades miss the same: they are counted together, under the name that no asset has."""
        return asset if asset in self._groups else ""

    def _bad(self, asset: str | None) -> set[int]:
        """The windows of an asset of which something is missing."""
        bad = {start for coverage in self._coverages_of(asset) for start in coverage.bad}
        return {start for start in bad if start <= self._last_ms}

    def _since(self, length_ms: int) -> int:
        """Where the first of the windows begins that make up the last `length_ms`, of those that are kept."""
        count = max(1, length_ms // self._window_ms)
        return max(self._first_ms, self._last_ms - (count - 1) * self._window_ms)

    def _window(self, start_ms: int, asset: str | None) -> Window:
        long, short_, liquidations = self._liquidations.window(start_ms, asset)
        buy, sell, trades = self._trades.window(start_ms, asset)
        traded = self._traded(asset)
        prices = traded[0].prices.get(start_ms, _NO_PRICES) if traded and asset is not None else _NO_PRICES
        return Window(
            start_ms,
            start_ms + self._window_ms,
            dollars(long),
            dollars(short_),
            liquidations,
            dollars(buy),
            dollars(sell),
            trades,
            *prices,
            self._watched(self.coverage, start_ms),
            _together([self._watched(each.coverage, start_ms) for each in traded]),
        )

    def _watched(self, coverage: Coverage, start_ms: int) -> Watched:
        return coverage.watched(start_ms, self._judged_ms, self.link.down_since_ms)


def _total(
    over: Literal["1m", "1h", "session"],
    since_ms: int,
    bad: set[int],
    liquidated: Amounts,
    traded: Amounts,
    gone: int = 0,
) -> Totals:
    """The sums since then; `bad` are the windows of which something is missing, of which `gone` are kept no more."""
    return Totals(
        over=over,
        since=since_ms,
        long=dollars(liquidated[0]),
        short=dollars(liquidated[1]),
        buy=dollars(traded[0]),
        sell=dollars(traded[1]),
        liquidations=liquidated[2],
        trades=traded[2],
        incomplete_windows=gone + sum(start >= since_ms for start in bad),
    )


def _asset_of(channel: FuturesTrades) -> str:
    """What its symbol seems to say, until an event says it."""
    try:
        return short(Instrument.parse(channel.exchange, channel.symbol).base)
    except ValueError:
        return short(channel.symbol)


def _sum(amounts: Iterable[Amounts]) -> Amounts:
    first, second, count = (sum(each) for each in zip((0, 0, 0), *amounts, strict=True))
    return first, second, count


def _share(name: str, amounts: Amounts) -> Share:
    return Share(name, dollars(amounts[0]), dollars(amounts[1]), amounts[2])


def _together(each: list[Watched]) -> Watched | None:
    if len(each) < 2:
        return each[0] if each else None
    worst = max(each, key=lambda watched: _WORST.index(watched.quality))
    gaps = [watched.gap_ms for watched in each]
    return Watched(
        quality=worst.quality,
        gap_ms=None if None in gaps else max(gap for gap in gaps if gap is not None),
        dropped=sum(watched.dropped for watched in each),
        late=sum(watched.late for watched in each),
        text=worst.text,
    )


def _short_dollars(volume: float) -> str:
    """`950`, `1.2K`, `3.4M`, `5.6B`."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if volume >= size:
            return f"{volume / size:,.1f}{unit}"
    return f"{volume:,.0f}"
