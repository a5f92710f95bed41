"""Builds a pipeline on a feed that is told its signals record by record, and finds out what it is.

The streams of that feed give what the shard tells them. What cannot be put away is refused before anything runs.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, cast

import attrs
from reactivex import abc
from reactivex.disposable import Disposable

from cgrx._backtest.plan import Asked, Build, PlanningFeed, Unplannable
from cgrx._model.channels import Channel
from cgrx._model.signals import Signal
from cgrx._shards.fingerprint import Description
from cgrx._shards.storing import Identity
from cgrx._streams.keeping import Kept, keeping
from cgrx._streams.observers import SignalObserver
from cgrx._streams.ordering import Ordered
from cgrx._streams.sharing import Shared
from cgrx._streams.stream import EventStream, Stage, Union, Unmarked
from cgrx.operators._windows.latest_of import JoinSource
from cgrx.operators._windows.window import Window


class ShardFeed(PlanningFeed):
    """A feed whose streams give what is told to their channel."""

    def __init__(self) -> None:
        super().__init__()
        self.observers: dict[Channel, tuple[SignalObserver[Any], ...]] = {}
        """Of each channel that was subscribed to its subscribers, in order."""

    def subscribe(self, channel: Channel, observer: SignalObserver[Any]) -> abc.DisposableBase:
        super().subscribe(channel, observer)
        self.observers[channel] = (*self.observers.get(channel, ()), observer)
        return Disposable(lambda: self._leave(channel, observer))

    def _leave(self, channel: Channel, observer: SignalObserver[Any]) -> None:
        self.observers[channel] = tuple(each for each in self.observers[channel] if each is not observer)


@attrs.define(eq=False)
class Output:
    """The end of the pipeline: what came out, until it is fetched, and how it ended."""

    signals: list[Signal[Any]] = attrs.field(factory=list[Signal[Any]])
    failure: Exception | None = None

    def on_signal(self, signal: Signal[Any]) -> None:
        self.signals.append(signal)

    def on_error(self, error: Exception) -> None:
        self.failure = error

    def on_completed(self) -> None:
        """Nothing follows, as no channel has anything to say any more."""


@attrs.frozen(eq=False)
class Built:
    """A pipeline that has been built and subscribed to."""

    feed: ShardFeed
    output: Output
    parts: tuple[Kept, ...]
    """What holds state in it, in the order in which it was subscribed to."""
    identity: Identity
    stages: tuple[Stage[Any, Any], ...]
    """All of its stages, those of the inputs of a merge before those behind it."""


def built(build: Build[Any]) -> Built:
    """Build a pipeline and subscribe to it.

    Raises:
        ValueError: it holds what cannot be put away, or asks for more of the feed than its streams.
        TypeError: `build` returns no Observable.
    """
    feed = ShardFeed()
    try:
        stream = build(feed)
    except Unplannable as unplannable:
        raise ValueError(f"Shard(build): {unplannable}, and a shard has the streams of its channels alone") from None
    if not isinstance(stream, abc.ObservableBase):
        raise TypeError(f"build(feed) returned {stream!r}, which is no Observable")
    if feed.subscribed:
        raise ValueError(
            "Shard(build): build subscribes to streams of its own, and what those give would be lost: return one"
            " stream, such as a cgrx.merge of several"
        )
    walk = _Walk()
    text = walk.text(stream)
    output = Output()
    with keeping() as parts:
        cast("EventStream[Any]", stream).subscribe_signals(output)
    described = Description()
    description = walk.described(described)
    identity = Identity(text, description, tuple(walk.belongings()), frozenset(described.modules))
    return Built(feed, output, tuple(parts), identity, tuple(walk.stages))


class _Walk:
    """Goes through what a stream is made of, from its end to its channels."""

    def __init__(self) -> None:
        self.stages: list[Stage[Any, Any]] = []
        self._channels: list[Channel] = []
        self._shared: dict[int, int] = {}  # the number of each shared stream
        self._found: list[object] = []  # all that says what the pipeline is, in order

    def text(self, stream: object) -> str:
        """A stream as people read it."""
        if not isinstance(stream, EventStream):
            _refuse(stream)
        source = self._source(cast("object", stream.source))
        self.stages += stream.stages
        self._found += ["stages", stream.stages]
        return " | ".join([source, *map(repr, stream.stages)])

    def described(self, description: Description) -> str:
        """All that says what the pipeline is."""
        return " ".join(map(description.of, self._found))

    def belongings(self) -> Iterator[object]:
        """What its state refers to."""
        yield from dict.fromkeys(self._channels)
        for stage in self.stages:
            if isinstance(stage, Window):
                row = stage.rows.type
                yield from (row, row.accumulator)

    def _source(self, source: object) -> str:
        match source:
            case Asked(channel=channel):
                self._channels.append(channel)
                self._found.append(channel)
                return channel.name
            case Union(streams=streams):
                return f"merge({self._all(streams, 'merge')})"
            case Ordered(streams=streams, terms=terms):
                return f"merge_exchanges({self._all(streams, terms)})"
            case Shared():
                return self._share(cast("Any", source))
            case JoinSource(operator=operator, stream=stream):
                both = self._all((stream, operator.other), operator.terms)
                return f"latest_of({both})"
            case Unmarked(source=observable):
                _refuse(observable)
            case _:
                pass
        raise ValueError("Shard(build): the pipeline takes events from something else than the feed's channels")

    def _all(self, streams: Iterable[object], terms: object) -> str:
        self._found += [terms, "of"]
        found = ", ".join(map(self.text, streams))
        self._found.append("end")
        return found

    def _share(self, source: "Shared[Any]") -> str:
        number = self._shared.get(id(source))
        if number is not None:
            self._found += ["shared", number]
            return f"share {number}"
        number = self._shared[id(source)] = len(self._shared) + 1
        return f"share {number} of ({self._all((source.source,), 'share')})"


def _refuse(observable: object) -> NoReturn:
    module = getattr(getattr(observable, "_subscribe", None), "__module__", "")
    name = module.rpartition(".")[2].lstrip("_") if module.startswith("reactivex.") else ""
    what = f"reactivex's {name!r}" if name else f"{type(observable).__name__}, which is none of cgrx's streams,"
    raise ValueError(
        f"Shard(build): {what} may hold a state that cannot be put away: use operators of cgrx, or a stage of your own"
        " (a subclass of cgrx.operators.Stage)"
    )
