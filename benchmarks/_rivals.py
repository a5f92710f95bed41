"""What `pipelines` is measured against: reactivex as one would write it, and loops by hand."""

from collections.abc import Callable
from typing import Any

import reactivex.operators as rx
from reactivex import Observable
from reactivex.subject import Subject

from cgrx._events import Trade, TradeSide
from cgrx._signals import Batch

SIZE_MS, LATENESS_MS = 1000, 2000
SCALE = 2.0**96
MIN_VOLUME = 1000.0
"""Dollars."""


# --- reactivex ------------------------------------------------------------------------------------------------------


def by_reactivex(operators: list[Callable[[Any], Any]], trades: list[Trade]) -> list[Any]:
    """Run reactivex operators on single events."""
    subject: Subject[Trade] = Subject()
    results: list[Any] = []
    observable: Observable[Any] = subject.pipe(*operators)
    observable.subscribe(results.append)
    for trade in trades:
        subject.on_next(trade)
    subject.on_completed()
    return results


def reactivex_filters() -> list[Callable[[Any], Any]]:
    """The two filters."""
    return [
        rx.filter(lambda trade: trade.side == TradeSide.BUY),
        rx.filter(lambda trade: trade.volume_usd >= MIN_VOLUME),
    ]


Opened = dict[int, "HandBar"]


def _has_closed(state: tuple[Opened, int, list[Any]]) -> bool:
    return bool(state[2])


def _closed(state: tuple[Opened, int, list[Any]]) -> list[Any]:
    return state[2]


def reactivex_bars() -> list[Callable[[Any], Any]]:
    """Bars by key: `scan` keeps the open ones of a key and says which closed, `flat_map` lets those out."""

    def step(state: tuple[Opened, int, list[Any]], trade: Trade) -> tuple[Opened, int, list[Any]]:
        opened, latest_ms, _ = state
        latest_ms = max(latest_ms, trade.time_ms)
        watermark = latest_ms - LATENESS_MS
        start_ms = trade.time_ms - trade.time_ms % SIZE_MS
        if start_ms + SIZE_MS > watermark:
            bar = opened.get(start_ms)
            if bar is None:
                bar = opened[start_ms] = HandBar()
            bar.add(trade)
        closed = [start for start in sorted(opened) if start + SIZE_MS <= watermark]
        return opened, latest_ms, [finished(start, opened.pop(start), trade) for start in closed]

    def bars_of_key(group: Observable[Trade]) -> Observable[Any]:
        seed: tuple[Opened, int, list[Any]] = ({}, 0, [])
        return group.pipe(
            rx.scan(step, seed),
            rx.filter(_has_closed),
            rx.flat_map(_closed),
        )

    def key_of(trade: Trade) -> tuple[str, str]:
        return trade.exchange, trade.symbol

    return [rx.group_by(key_of), rx.flat_map(bars_of_key)]


# --- by hand --------------------------------------------------------------------------------------------------------


class HandBar:
    """One open bar with exactly the fields of `Bar`; sums in units of 2**-96, ties of a millisecond by price."""

    __slots__ = ("base", "buys", "close", "close_ms", "count", "high", "low", "open", "open_ms", "usd")

    def __init__(self) -> None:
        self.open = self.close = 0.0
        self.open_ms, self.close_ms = 2**63, -(2**63)
        self.high, self.low = float("-inf"), float("inf")
        self.usd = self.base = self.buys = self.count = 0

    def add(self, trade: Trade) -> None:
        """Take a trade in."""
        time_ms, price, volume = trade.time_ms, trade.price, trade.volume_usd
        if time_ms <= self.open_ms and (time_ms < self.open_ms or price < self.open):
            self.open, self.open_ms = price, time_ms
        if time_ms >= self.close_ms and (time_ms > self.close_ms or price > self.close):
            self.close, self.close_ms = price, time_ms
        if price > self.high:
            self.high = price
        if price < self.low:
            self.low = price
        units = int(volume * SCALE)
        self.usd += units
        self.base += int(volume / price * SCALE)
        self.count += 1
        if trade.side == 2:
            self.buys += units


def finished(start_ms: int, bar: HandBar, trade: Trade | tuple[str, str]) -> tuple[Any, ...]:
    """The row of a bar as a tuple."""
    exchange, symbol = trade if isinstance(trade, tuple) else (trade.exchange, trade.symbol)
    return (
        start_ms,
        start_ms + SIZE_MS,
        exchange,
        symbol,
        bar.open,
        bar.high,
        bar.low,
        bar.close,
        bar.usd / bar.base,
        bar.usd / 2**96,
        bar.count,
        bar.buys / 2**96,
        (bar.usd - bar.buys) / 2**96,
    )


def hand_filters(signals: list[Batch[Trade]]) -> list[Any]:
    """Both conditions in one loop."""
    results: list[Any] = []
    for signal in signals:
        for trade in signal.events:
            if trade.side == 2 and trade.volume_usd >= MIN_VOLUME:
                results.append(trade)  # noqa: PERF401 - a loop as one would write it
    return results


def hand_bars(signals: list[Batch[Trade]]) -> list[Any]:
    """Bars of one source."""
    results: list[Any] = []
    windows: dict[int, dict[tuple[str, str], HandBar]] = {}
    latest_ms = late = 0
    closes_at = 2**63
    for signal in signals:
        for trade in signal.events:
            time_ms = trade.time_ms
            if time_ms > latest_ms:
                latest_ms = time_ms
                if latest_ms >= closes_at:
                    for start_ms in sorted(windows):
                        if start_ms + SIZE_MS > latest_ms - LATENESS_MS:
                            break
                        bars = windows.pop(start_ms)
                        results += [finished(start_ms, bars[key], key) for key in sorted(bars)]
                    closes_at = min(windows, default=2**63) + SIZE_MS + LATENESS_MS
            start_ms = time_ms - time_ms % SIZE_MS
            window = windows.get(start_ms)
            if window is None:
                if start_ms + SIZE_MS <= latest_ms - LATENESS_MS:
                    late += 1
                    continue
                window = windows[start_ms] = {}
                closes_at = min(closes_at, start_ms + SIZE_MS + LATENESS_MS)
            key = (trade.exchange, trade.symbol)
            bar = window.get(key)
            if bar is None:
                bar = window[key] = HandBar()
            # The same as `add`, in place: what a call costs is part of the comparison.
            price, volume = trade.price, trade.volume_usd
            if time_ms <= bar.open_ms and (time_ms < bar.open_ms or price < bar.open):
                bar.open, bar.open_ms = price, time_ms
            if time_ms >= bar.close_ms and (time_ms > bar.close_ms or price > bar.close):
                bar.close, bar.close_ms = price, time_ms
            if price > bar.high:
                bar.high = price
            if price < bar.low:
                bar.low = price
            units = int(volume * SCALE)
            bar.usd += units
            bar.base += int(volume / price * SCALE)
            bar.count += 1
            if trade.side == 2:
                bar.buys += units
    return results
