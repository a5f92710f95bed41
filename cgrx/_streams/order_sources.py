"""How far event time has come with every source of an ordered merge."""

from heapq import heapify, heappush, heapreplace
from typing import TypeAlias

import attrs

from cgrx._model.channels import Channel
from cgrx._model.limits import MAX_EXCHANGES, OTHER_EXCHANGES
from cgrx._model.times import FOREVER, NEVER


@attrs.define(eq=False)
class Source:
    """One exchange within one channel of one input: the highest event time seen, or promised."""

    time_ms: int = NEVER


@attrs.define(eq=False)
class _Input:
    """What one input has promised, and its sources. Before its first event it counts as one source, without a name."""

    promised_ms: int = NEVER
    channel: Channel | None = None
    """Of its last batch."""
    within: dict[str, Source] | None = None
    """Its sources within that channel."""
    sources: dict[Channel | None, dict[str, Source]] = attrs.field(factory=dict[Channel | None, dict[str, Source]])
    unnamed: Source | None = attrs.field(factory=Source)
    """That source, until its first event names it."""

    def every(self) -> list[Source]:
        """All of them."""
        named = [source for within in self.sources.values() for source in within.values()]
        return named if self.unnamed is None else [self.unnamed]


_Entry: TypeAlias = tuple[int, int, Source]
"""Where a source was when it was last looked at, its number, and itself."""


class Sources:
    """How far all of them have come.

    Sources move on by the million, and who asks is told the least of their times: so they stand in a heap by where they
    were when last looked at. As no source goes back, the first one is the furthest behind once it stands where it is.
    That costs time by how many have moved on, whatever their number is.

    Not the `Progress` of windows, whose watermark never goes back: here an exchange that is heard of for the first time
    is waited for from then on, wherever the others are.
    """

    def __init__(self, inputs: int) -> None:
        self._inputs = {index: _Input() for index in range(inputs)}
        self._number = 0  # of the source that was added last
        self._heap: list[_Entry] = []
        for each in self._inputs.values():
            for source in each.every():
                self._add(source)
        self.last = self._heap[0][2]
        """The source that was furthest behind when `come_to` last looked."""

    def _add(self, source: Source) -> None:
        self._number += 1
        heappush(self._heap, (source.time_ms, self._number, source))

    def of(self, index: int, channel: Channel | None) -> dict[str, Source]:
        """The sources of an input within a channel, by exchange; none of an input that has ended."""
        owner = self._inputs.get(index)
        if owner is None:
            return {}
        if owner.within is None or channel is not owner.channel:
            owner.channel, owner.within = channel, owner.sources.setdefault(channel, {})
        return owner.within

    def begin(self, index: int, channel: Channel | None, exchange: str) -> Source:
        """A source that is heard of for the first time; beyond the bound, the one that stands for all further ones."""
        owner = self._inputs[index]
        named = owner.sources[channel]
        if len(named) >= MAX_EXCHANGES:
            exchange = OTHER_EXCHANGES
            if exchange in named:
                return named[exchange]
        source, owner.unnamed = owner.unnamed, None
        if source is None:
            source = Source(owner.promised_ms)
            self._add(source)
        named[exchange] = source
        return source

    def promise(self, index: int, time_ms: int) -> None:
        """No source of this input will say anything earlier."""
        promising = self._inputs[index]
        promising.promised_ms = time_ms
        for source in promising.every():
            source.time_ms = max(source.time_ms, time_ms)

    def end(self, index: int) -> None:
        """Nothing will come of this input."""
        ended = set(self._inputs.pop(index).every())
        self._heap = [entry for entry in self._heap if entry[2] not in ended]
        heapify(self._heap)
        self.come_to()

    def end_all(self) -> None:
        self._inputs.clear()
        self._heap.clear()

    def come_to(self) -> int:
        """The event time that every source has reached: that of the one furthest behind."""
        heap = self._heap
        while heap:
            stood_ms, number, source = heap[0]
            if source.time_ms == stood_ms:
                self.last = source
                return stood_ms
            heapreplace(heap, (source.time_ms, number, source))
        return FOREVER
