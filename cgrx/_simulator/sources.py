"""Where a simulator's events come from, and when each is due."""

import gzip
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs
import msgspec
import trio

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._trio.clock import WallClock

CHUNK = 256
"""The most events handed out at once, so that other tasks get their turn and buffers overrun their bounds by little."""
TICK_S = 0.001
"""The least time between two chunks: at high rates many events then share one write."""

_ROUNDING_MS = 1e-3

_GZIP_MAGIC = b"\x1f\x8b"


class _SecondGeneration(msgspec.Struct):
    base_asset: str
    exchange: str
    symbol: str
    side: int
    price: float
    volume_usd: float
    time: int


class _FirstGeneration(msgspec.Struct):
    base_asset: str = msgspec.field(name="baseAsset")
    exchange: str = msgspec.field(name="exName")
    symbol: str
    side: int
    price: float
    volume_usd: float = msgspec.field(name="volUsd")
    time: int


_FIRST = msgspec.json.Decoder(_FirstGeneration, strict=False)
_SECOND = msgspec.json.Decoder(_SecondGeneration, strict=False)


def _event(line: bytes, event_type: type[Event]) -> Event:
    try:
        raw: _FirstGeneration | _SecondGeneration = _FIRST.decode(line)
    except msgspec.ValidationError:
        raw = _SECOND.decode(line)
    if event_type is Liquidation:
        side = LiquidationSide(raw.side)
        return Liquidation(raw.base_asset, raw.exchange, raw.symbol, side, raw.price, raw.volume_usd, raw.time)
    taker = TradeSide(raw.side)
    return Trade(raw.base_asset, raw.exchange, raw.symbol, taker, raw.price, raw.volume_usd, raw.time)


@attrs.frozen
class JsonLines:
    """The events of a file with one JSON object a line, plain or gzip, in the order of the file.

    The fields are those of either generation of the API; other keys and blank lines are ignored. It can be iterated
    any number of times, each time line by line from the beginning.

    Attributes:
        path: The file; read through gzip where it begins as gzip does, whatever its name.
        event_type: `Liquidation` or `Trade`; the lines do not tell which they are.

    Raises:
        OSError: while iterating: the file cannot be read.
        ValueError: while iterating: a line is not an event, naming file and line.

    Examples:
        >>> import msgspec, pathlib
        >>> from cgrx.testing import JsonLines
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0))
        ... )
        >>> source = JsonLines("day.jsonl", cgrx.Liquidation)
        >>> [each.volume_usd for each in source]
        [5000.0]
    """

    path: Path = attrs.field(converter=Path)
    event_type: type[Event]

    def __iter__(self) -> Iterator[Event]:
        """Read it from the beginning."""
        with self.path.open("rb") as start:
            is_gzip = start.read(2) == _GZIP_MAGIC
        with gzip.open(self.path, "rb") if is_gzip else self.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.isspace():
                    continue
                try:
                    event = _event(line, self.event_type)
                except (ValueError, msgspec.DecodeError) as error:
                    raise ValueError(f"{self.path}, line {number}: not an event: {error}") from error
                yield event


class Pacer:
    """Hands out events when they are due on trio's clock, in chunks of all that are due.

    Args:
        events: In the order to send; an event that is older than those before it is due at once.
        speed: 1 hands events out as far apart as their times are, 10 ten times as fast, `math.inf` never waits.
        longest_wait_s: A longer wait (a hole in a recording) is cut to this many seconds.
        origin_ms: The event time that is due at the first call; None: that of the first event.
        stamp: The clock from which each event gets the time at which it is due, in place of its own; None: its own.
    """

    def __init__(
        self,
        events: Iterable[Event],
        *,
        speed: float,
        longest_wait_s: float = math.inf,
        origin_ms: int | None = None,
        stamp: WallClock | None = None,
    ) -> None:
        self._events = iter(events)
        self._next = next(self._events, None)
        self._speed = speed
        self._longest_wait_s = longest_wait_s
        self._start = trio.current_time()
        if origin_ms is None:
            origin_ms = 0 if self._next is None else self._next.time_ms
        self._origin_ms = origin_ms
        self._stamp = stamp
        self._not_before = -math.inf

    async def next_chunk(self) -> list[Event]:
        """Wait until an event is due, and return all that are, at most `CHUNK`. An empty list means the end."""
        now = trio.current_time()
        if self._next is None:
            return []
        if self._speed == math.inf:
            await trio.lowlevel.checkpoint()
        else:
            wait = self._due(self._next, now) - now
            if wait > self._longest_wait_s:
                self._start -= wait - self._longest_wait_s
            await trio.sleep_until(max(self._due(self._next, now), self._not_before))
            now = trio.current_time()
            self._not_before = now + TICK_S
        return self._take(now)

    def _due(self, event: Event, now: float) -> float:
        if self._speed == math.inf:
            return now
        return self._start + (event.time_ms - self._origin_ms) / 1e3 / self._speed

    def _take(self, now: float) -> list[Event]:
        latest_ms = math.inf
        if self._speed < math.inf:
            latest_ms = self._origin_ms + (now - self._start) * 1e3 * self._speed + _ROUNDING_MS
        chunk: list[Event] = []
        event = self._next
        # The first is always taken: it was waited for, even if rounding puts it a little later.
        while event is not None and len(chunk) < CHUNK and (event.time_ms <= latest_ms or not chunk):
            if self._stamp is not None:
                event = msgspec.structs.replace(event, time_ms=self._stamp.at_ms(self._due(event, now)))
            chunk.append(event)
            event = next(self._events, None)
        self._next = event
        return chunk
