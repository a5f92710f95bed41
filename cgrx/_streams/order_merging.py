"""One subscription of an ordered merge: its inputs, the order behind them, and what goes on."""

from typing import Generic, TypeVar, cast

from reactivex import abc

from cgrx._model.channels import Channel
from cgrx._model.signals import Batch, Gap, Signal, Watermark, proof_ms
from cgrx._streams.keeping import gathered, keep, put_back
from cgrx._streams.merging import FanIn
from cgrx._streams.observers import SignalObserver
from cgrx._streams.order_sources import Source
from cgrx._streams.order_stats import OrderCounts
from cgrx._streams.order_terms import Terms
from cgrx._streams.reordering import Ended, Incoming, Promised, Reordering

T = TypeVar("T")

_TELL_MS = 1000
"""How often a gap repeats that the channels of a failed source are missing, milliseconds of the stream's clock."""


class Merging(abc.DisposableBase, Generic[T]):
    """One subscription: the inputs meet in a fan, behind it they are ordered."""

    def __init__(self, observer: SignalObserver[T], terms: Terms, inputs: int, counts: OrderCounts) -> None:
        self._observer = observer
        self.order: Reordering[T] = Reordering(inputs, terms.max_delay_ms, terms.max_held, counts)
        self._stopped = False
        self.unseen: dict[Channel, int] = {}  # each channel of a source that failed, with the time from which on
        self._tell_at_ms = 0
        self.terms = terms
        self.fan: FanIn[T] = FanIn(self, inputs)
        self.active = set(range(inputs))
        """The inputs that have not ended."""
        self.is_plain = False
        """Whether each input has been heard of, and none has failed."""
        self.channels: tuple[dict[Channel, None], ...] = tuple({} for _ in range(inputs))
        """Of each input the channels that it has spoken of, in order."""
        keep(self)

    def state(self) -> object:
        held = gathered(self, ("_observer", "order", "terms", "fan", "channels", "is_plain"))
        return self.order.state(), self.channels, held

    def take_up(self, state: object) -> None:
        order, channels, held = cast("tuple[object, tuple[dict[Channel, None], ...], object]", state)
        self.order.take_up(order)
        for own, spoken_of in zip(self.channels, channels, strict=True):
            own.update(spoken_of)
        put_back(self, held)

    def dispose(self) -> None:
        self._stopped = True
        self.fan.dispose()

    def on_signal(self, signal: Signal[T] | Incoming) -> None:
        """Take what is no batch into the order, and deliver what goes out by that."""
        assert not isinstance(signal, Batch), "an input takes those itself"
        signals: list[Signal[T]] = []
        self.tell_unseen(0 if isinstance(signal, Promised | Ended) else proof_ms(signal), signals)
        if isinstance(signal, Ended):
            self.unseen.update(dict.fromkeys(signal.unseen, max(self.order.now_ms, 0)))
            self.is_plain = False
        self.order.take(signal, signals)
        self.deliver(signals, None)

    def let_go(self, order: Reordering[T]) -> None:
        """Deliver what need not wait any longer."""
        signals: list[Signal[T]] = []
        order.let_go(signals)
        self.deliver(signals, None)

    def on_error(self, error: Exception) -> None:
        signals: list[Signal[T]] = []
        self.order.finish(signals)
        self.deliver(signals, error)

    def on_completed(self) -> None:
        signals: list[Signal[T]] = []
        self.order.finish(signals)
        self.deliver(signals, None)
        if not self._stopped:
            self.dispose()
            self._observer.on_completed()

    def deliver(self, signals: list[Signal[T]], failure: Exception | None) -> None:
        on_signal = self._observer.on_signal
        for signal in signals:
            if self._stopped:
                return
            on_signal(signal)
        if failure is not None and not self._stopped:
            self.dispose()
            self._observer.on_error(failure)

    def tell_unseen(self, at_ms: int, signals: list[Signal[T]]) -> None:
        """Repeat every second that the channels of failed sources are missing. What comes now came at `at_ms`."""
        now_ms = max(self.order.now_ms, at_ms)
        if self.unseen and now_ms >= self._tell_at_ms:
            self._tell_at_ms = now_ms + _TELL_MS
            for channel, since_ms in self.unseen.items():
                self.order.take(Gap(channel, since_ms, now_ms, "its source has failed"), signals)


class Input(Generic[T]):
    """The observer of one input. Once the input has ended, or all are told to end, it ignores what still comes."""

    def __init__(self, merging: Merging[T], index: int) -> None:
        self._merging = merging
        self._fan = merging.fan
        self._index = index
        self._channels = merging.channels[index]
        self._channel: Channel | None = None  # of the last batch
        self._sources: dict[str, Source] = {}  # those within it; none once the input has ended
        self._hold = merging.order.hold
        self._turns = merging.fan.turns

    def on_signal(self, signal: Signal[T]) -> None:
        merging, turns = self._merging, self._turns
        # As nearly always where channels interleave. What is only held need not be taken in turn: nobody hears of it.
        if (
            isinstance(signal, Batch)
            and signal.channel is self._channel
            and len(signal.events) == 1
            and turns.is_free
            and merging.is_plain
        ):
            lets_go = self._hold(self._sources, signal)
            if lets_go is not None:
                if lets_go:
                    turns.take(merging.let_go, merging.order)
                return
        if self._index in merging.active:
            self._take_in(signal)

    def _take_in(self, signal: Signal[T]) -> None:
        merging = self._merging
        if isinstance(signal, Batch):
            if signal.channel is not self._channel or not self._sources:
                self._turn_to(signal.channel)
            if self._fan.unheard:
                self._fan.hear_batch(self._index, signal)
            self._turns.take(self._take, signal)
            merging.is_plain = not self._fan.unheard and not merging.unseen
        elif isinstance(signal, Watermark):
            self._tell(Promised(self._index, signal.time_ms))
        else:
            if isinstance(signal, Gap) and signal.channel is not None:
                self._channels[signal.channel] = None
            self._fan.on_signal(self._index, signal)

    def _turn_to(self, channel: Channel | None) -> None:
        """A batch of another channel has come than the last one."""
        self._channel = channel
        if channel is not None:
            self._channels[channel] = None
        self._sources = self._merging.order.sources_of(self._index, channel)

    def _take(self, batch: Batch[T]) -> None:
        """Put events into the order, and deliver what goes out by that."""
        merging = self._merging
        signals: list[Signal[T]] = []
        if merging.unseen:
            merging.tell_unseen(batch.received_ms, signals)
        try:
            merging.order.take_batch(self._index, batch, signals)
        except TypeError as error:  # what is no event: all that came before it goes out first
            merging.order.finish(signals)
            merging.deliver(signals, error)
        else:
            if signals:
                merging.deliver(signals, None)

    def on_error(self, error: Exception) -> None:
        handle = self._merging.terms.on_source_error
        if self._index not in self._merging.active:
            return
        if handle == "raise":
            self._fan.on_error(error)
            return
        try:
            handle(error)
        except Exception as raised:  # noqa: BLE001 - the user's own; it ends the merge, as any error of a stage
            self._fan.on_error(raised)
            return
        self._end(tuple(self._channels))

    def on_completed(self) -> None:
        if self._index in self._merging.active:
            self._end(())

    def _end(self, unseen: tuple[Channel, ...]) -> None:
        merging, fan = self._merging, self._fan
        self._sources = {}
        self._tell(Ended(self._index, unseen))
        ending = {self._index}
        if merging.terms.until == "any":
            fan.sources.dispose()
            ending = set(merging.active)
        merging.active -= ending
        for index in ending:
            fan.on_completed(index)

    def _tell(self, incoming: Promised | Ended) -> None:
        """Tell the order something, in turn with the signals."""
        self._fan.pass_on(self._index, self._merging.on_signal, incoming)
