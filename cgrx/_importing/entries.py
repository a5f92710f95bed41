"""Turns the rows of a file into the entries that a feed would have given.

channels   liquidations have one channel; a trade is of the channel of its instrument with the given least volume
receipt    the row's own time of receipt; a row without one was received with the row before it, but not before it
           happened. It never goes back, because a recording is in the order of receipt
batches    neighbouring rows of one channel that were received in the same millisecond
marks      none, because a file does not tell what it misses: rows of windows are not complete (`gap_ms` is None).
           With `gapless`, by which the caller vouches for the file, there are a gap up to the first row, a proof every
           second of receipt, and a loss for each rejected row
"""

from collections.abc import Iterator

from cgrx._importing.rows import Good, Reject, Row
from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders
from cgrx._model.events import Event, Liquidation
from cgrx._model.signals import Alive, Batch, Dropped, Gap
from cgrx._recording.entry import Recorded

_ORIGIN = "import"
_ALIVE_EVERY_MS = 1000
_BATCH = 1000
"""The most events in a batch."""


class Entries:
    """Turns rows into entries, in order. State: the batch that is being made, and the channels."""

    def __init__(self, min_volume: float, gapless: bool) -> None:
        self._min_volume = min_volume
        self._gapless = gapless
        self._channels: dict[tuple[str, str], Channel] = {}
        self._started: dict[Channel, None] = {}  # a set in order of appearance
        self._start_ms: int | None = None
        self._received_ms = 0
        self._alive_ms = 0
        self._lost = 0
        self._batch: list[Event] = []
        self._of: Channel | None = None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that have had an event, in the order of their first."""
        return tuple(self._started)

    def judge(self, file: str, row: Row) -> Row:
        """The row, or its rejection where its event fits no channel."""
        if isinstance(row, Good):
            try:
                self._channel(row.event)
            except ValueError as error:
                return Reject(file, row.line, "$", str(error), row.text)
        return row

    def take(self, row: Good) -> Iterator[Recorded]:
        """The entries that are complete with this row, which has been judged good."""
        channel = self._channel(row.event)
        least_ms = row.event.time_ms if row.received_ms is None else row.received_ms
        received_ms = max(self._received_ms, least_ms)
        if channel != self._of or received_ms != self._received_ms or len(self._batch) >= _BATCH:
            yield from self._flush()
            self._of, self._received_ms = channel, received_ms
            if self._start_ms is None:
                self._start_ms = self._alive_ms = received_ms
            if channel not in self._started:
                self._started[channel] = None
                if self._gapless:
                    yield Recorded(channel, Gap(channel, 0, self._start_ms, "imported"))
                    if self._lost:
                        yield Recorded(channel, Dropped(None, self._lost, "rejected"))
        self._batch.append(row.event)

    def lose(self) -> Iterator[Recorded]:
        """Charge a rejected row to every channel: it may have been of any, also of one that has had no event yet."""
        self._lost += 1
        if self._gapless:
            yield from self._flush()
            for channel in self._started:
                yield Recorded(channel, Dropped(None, 1, "rejected"))

    def finish(self) -> Iterator[Recorded]:
        """The entries that remain at the end."""
        yield from self._flush()
        if self._received_ms > self._alive_ms:
            yield from self._prove()

    def _flush(self) -> Iterator[Recorded]:
        """The batch that is being made, and a proof for each channel where a second has passed."""
        if self._batch:
            assert self._of is not None  # the batch has a channel
            yield Recorded(self._of, Batch(self._of, self._received_ms, tuple(self._batch)))
            self._batch = []
            if self._gapless and self._received_ms - self._alive_ms >= _ALIVE_EVERY_MS:
                yield from self._prove()

    def _prove(self) -> Iterator[Recorded]:
        """Proofs for each channel that everything received so far has been given."""
        if self._gapless:
            self._alive_ms = self._received_ms
            for channel in self._started:
                yield Recorded(channel, Alive(_ORIGIN, self._received_ms))

    def _channel(self, event: Event) -> Channel:
        """The channel that an event would have come from.

        Raises:
            ValueError: no channel gives such an event.
        """
        if isinstance(event, Liquidation):
            return LiquidationOrders()
        if event.volume_usd < self._min_volume:
            raise ValueError(f"its volume of {event.volume_usd} USD is below the least volume, {self._min_volume}")
        instrument = (event.exchange, event.symbol)
        channel = self._channels.get(instrument)
        if channel is None:
            channel = self._channels[instrument] = FuturesTrades(*instrument, self._min_volume)
        return channel
