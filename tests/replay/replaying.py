"""What the tests of replays share: a log in memory, what to put into it, and a recorder that writes one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import cgrx
from cgrx import Channel, Liquidation, LiquidationOrders, Trade
from cgrx._recording.entry import Recorded, said_ms
from cgrx.testing import liquidation
from tests.feed.feeding import START_MS

L = LiquidationOrders()


class Log:
    """What a feed said, in memory."""

    def __init__(self, entries: Iterable[Recorded] = ()) -> None:
        self.said = list(entries)

    @property
    def channels(self) -> Sequence[Channel]:
        return tuple(dict.fromkeys(entry.channel for entry in self.said if entry.channel is not None))

    @property
    def start_ms(self) -> int:
        return min((self._times()), default=0)

    @property
    def end_ms(self) -> int:
        return max((self._times()), default=0)

    def entries(
        self,
        *,
        channels: Iterable[Channel] | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> Iterator[Recorded]:
        chosen = None if channels is None else set(channels)
        for entry, at_ms in zip(self.said, self._times(), strict=True):
            if chosen is not None and entry.channel is not None and entry.channel not in chosen:
                continue
            if (start or 0) <= at_ms and (end is None or at_ms < end):
                yield entry

    def _times(self) -> list[int]:
        times: list[int] = []
        latest_ms = 0
        for entry in self.said:
            latest_ms = max(latest_ms, said_ms(entry.said))
            times.append(latest_ms)
        return times


class Listener:
    """Writes what one channel says into a log."""

    def __init__(self, log: Log, channel: Channel) -> None:
        self._log, self._channel = log, channel

    def on_signal(self, signal: Any) -> None:
        self._log.said.append(Recorded(self._channel, signal))

    def on_error(self, error: Exception) -> None: ...

    def on_completed(self) -> None: ...


def log_of(feed: cgrx.Feed, *channels: Channel) -> Log:
    """A log that is being written from now on."""
    log = Log()
    for channel in channels:
        feed.channel(channel).subscribe_signals(Listener(log, channel))
    feed.status.subscribe(lambda status: log.said.append(Recorded(None, status)))
    return log


# Logs made by hand: times in seconds since the start.


def at(seconds: float) -> int:
    return START_MS + round(seconds * 1000)


def gap(end: float, channel: Channel = L, start: float | None = None) -> Recorded:
    return Recorded(channel, cgrx.Gap(channel, 0 if start is None else at(start), at(end), "subscribed"))


def alive(seconds: float, channel: Channel = L, origin: str = "feed") -> Recorded:
    return Recorded(channel, cgrx.Alive(origin, at(seconds)))


def events(seconds: float, *these: Liquidation | Trade, channel: Channel = L) -> Recorded:
    return Recorded(channel, cgrx.Batch(channel, at(seconds), these))


def number(seconds: float) -> Recorded:
    """One liquidation whose price says when it was received."""
    return events(seconds, liquidation(time=START_MS / 1000 + seconds, price=seconds + 1))


def numbers(*seconds: float) -> Log:
    """A log that begins with a gap and has a liquidation at each of these seconds."""
    return Log([gap(0), *map(number, seconds)])


def same(event: Any) -> Any:
    return event


def prices(events: list[Any]) -> list[float]:
    return [event.price - 1 for event in events]


def schedule_relative(feed: cgrx.Feed, delay_s: float, action: Callable[[], object]) -> None:
    def act(*_: object) -> None:
        action()

    feed.scheduler.schedule_relative(delay_s, act)
