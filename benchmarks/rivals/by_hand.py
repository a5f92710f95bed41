"""`pipelines` in loops written for the one purpose, as fast as plain Python gets: what a framework is measured by.

They leave out what the trades of the benchmark do not need: more than one source, watermarks from upstream, gaps, a
stream of late events. They keep what the rows need: lateness, ties of open and close, sums that are exact in any order.
"""

import heapq
from bisect import bisect_right
from collections.abc import Callable
from math import trunc
from typing import Any

from benchmarks._harness.data import EXCHANGES
from benchmarks.rivals.states import SCALE, Bursts, Counter, HandBar, Slides
from benchmarks.rivals.tasks import (
    BAR_MS,
    EVERY_MS,
    GAP_MS,
    LATENESS_MS,
    MAX_AGE_MS,
    MIN_VOLUME,
    Answer,
    Key,
    Kind,
    Task,
    plain,
    plain_events,
    plain_pairs,
    plain_rows,
)
from cgrx._model.events import Trade


def filters(trades: list[Trade]) -> list[Trade]:
    """Both conditions in one loop."""
    results: list[Trade] = []
    for trade in trades:
        if trade.side == 2 and trade.volume_usd >= MIN_VOLUME:
            results.append(trade)  # noqa: PERF401 - a loop as one would write it
    return results


def bars(trades: list[Trade]) -> list[Any]:
    """Bars of one source."""
    results: list[Any] = []
    windows: dict[int, dict[Key, HandBar]] = {}
    latest_ms = late = 0
    closes_at = 2**63
    for trade in trades:
        time_ms = trade.time_ms
        if time_ms > latest_ms:
            latest_ms = time_ms
            if latest_ms >= closes_at:
                for start_ms in sorted(windows):
                    if start_ms + BAR_MS > latest_ms - LATENESS_MS:
                        break
                    closed = windows.pop(start_ms)
                    results += [closed[key].row(start_ms, key) for key in sorted(closed)]
                closes_at = min(windows, default=2**63) + BAR_MS + LATENESS_MS
        start_ms = time_ms - time_ms % BAR_MS
        window = windows.get(start_ms)
        if window is None:
            if start_ms + BAR_MS <= latest_ms - LATENESS_MS:
                late += 1
                continue
            window = windows[start_ms] = {}
            closes_at = min(closes_at, start_ms + BAR_MS + LATENESS_MS)
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
        units = trunc(volume * SCALE)
        bar.usd += units
        bar.base += trunc(volume / price * SCALE)
        bar.count += 1
        if trade.side == 2:
            bar.buys += units
    # One more trade than this stands behind whatever counts.
    for start_ms in sorted(windows):
        results += [windows[start_ms][key].row(start_ms, key) for key in sorted(windows[start_ms])]
    return results


def sliding(trades: list[Trade]) -> list[Any]:
    """Count and volume of the last minute, every second, by instrument."""
    results: list[Any] = []
    slides: dict[Key, Slides] = {}
    latest_ms = closes_at = 0
    for trade in trades:
        time_ms = trade.time_ms
        if time_ms > latest_ms:
            latest_ms = time_ms
            if latest_ms >= closes_at:
                for found in slides.values():
                    results += found.closed(latest_ms - LATENESS_MS)
                closes_at = latest_ms - latest_ms % EVERY_MS + EVERY_MS
        key = (trade.exchange, trade.symbol)
        known = slides.get(key)
        if known is None:
            known = slides[key] = Slides(key, time_ms)
        known.add(trade)
    for found in slides.values():
        results += found.closed(latest_ms)
    return results


def sessions(trades: list[Trade]) -> list[Any]:
    """Bursts of trades by instrument."""
    results: list[Any] = []
    bursts: dict[Key, Bursts] = {}
    latest_ms = 0
    for trade in trades:
        latest_ms = max(latest_ms, trade.time_ms)
        key = (trade.exchange, trade.symbol)
        known = bursts.get(key)
        if known is None:
            known = bursts[key] = Bursts(key)
        known.add(trade)
        if known.opened[0].last_ms + GAP_MS < latest_ms - LATENESS_MS:
            results += known.closed(latest_ms - LATENESS_MS)
    return results


def merge(arrivals: list[tuple[int, list[Trade]]]) -> list[Trade]:
    """Five sources in order: a heap, released up to the earliest of their latest times."""
    results: list[Trade] = []
    heap: list[tuple[int, int, Trade]] = []
    come_to = [0] * len(EXCHANGES)
    number = 0
    for source, trades in arrivals:
        for trade in trades:
            number += 1
            heapq.heappush(heap, (trade.time_ms, number, trade))
        come_to[source] = trades[-1].time_ms
        until_ms = min(come_to)
        while heap and heap[0][0] <= until_ms:
            results.append(heapq.heappop(heap)[2])
    results += [heapq.heappop(heap)[2] for _ in range(len(heap))]
    return results


def join(arrivals: list[tuple[int, list[Trade]]]) -> list[tuple[Trade, Trade | None]]:
    """Trades of the first source with the latest of the others in their asset: two dicts, and a heap of those held."""
    results: list[tuple[Trade, Trade | None]] = []
    held: list[tuple[int, int, Trade]] = []
    said: dict[str, tuple[list[int], list[Trade]]] = {}
    come_to: dict[str, int] = dict.fromkeys(EXCHANGES, 0)
    number = 0

    def answer(until_ms: int) -> None:
        while held and held[0][0] <= until_ms:
            time_ms, _, trade = heapq.heappop(held)
            times, others = said.get(trade.base_asset, ([], []))
            at = bisect_right(times, time_ms) - 1
            fits = at >= 0 and time_ms - times[at] <= MAX_AGE_MS
            results.append((trade, others[at] if fits else None))
        for times, others in said.values():
            done = bisect_right(times, until_ms) - 1
            if done > len(times) // 2:
                del times[:done], others[:done]

    for source, trades in arrivals:
        for trade in trades:
            time_ms = trade.time_ms
            if time_ms > come_to[trade.exchange]:  # a stream of liquidations has many in one batch
                come_to[trade.exchange] = time_ms
            if source == 0:
                number += 1
                heapq.heappush(held, (time_ms, number, trade))
                continue
            kept = said.get(trade.base_asset)
            if kept is None:
                kept = said[trade.base_asset] = ([], [])
            times, others = kept
            if not times or time_ms > times[-1]:
                times.append(time_ms)
                others.append(trade)
            else:
                at = bisect_right(times, time_ms)
                times.insert(at, time_ms)
                others.insert(at, trade)
        answer(min(come_to.values()) - LATENESS_MS)
    answer(2**63)
    return results


def fan_out(trades: list[Trade], subscribers: int) -> list[int]:
    """Every trade to every callback."""
    counters = [Counter() for _ in range(subscribers)]
    callbacks: list[Callable[[Trade], None]] = [counter.on_event for counter in counters]
    for trade in trades:
        for callback in callbacks:
            callback(trade)
    return [counter.buys for counter in counters]


def _windows(run: Callable[[list[Trade]], list[Any]]) -> Callable[[Task], Answer]:
    def answer(task: Task) -> Answer:
        trades = task.trades()
        return lambda: run(trades), lambda rows: plain_rows(rows, trades)

    return answer


def _filters(task: Task) -> Answer:
    trades = task.trades()
    return lambda: filters(trades), plain_events


def _merge(task: Task) -> Answer:
    arrivals = task.arrivals()
    return lambda: merge(arrivals), plain_events


def _join(task: Task) -> Answer:
    arrivals = task.arrivals()
    return lambda: join(arrivals), plain_pairs


def _fan_out(task: Task) -> Answer:
    trades = task.trades()
    return lambda: fan_out(trades, task.subscribers), plain


ANSWERS: dict[Kind, Callable[[Task], Answer]] = {
    "filters": _filters,
    "bars": _windows(bars),
    "sliding": _windows(sliding),
    "sessions": _windows(sessions),
    "merge": _merge,
    "join": _join,
    "fan-out": _fan_out,
}
