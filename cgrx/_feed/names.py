"""Which of the desired channels the server means by a name: in any generation's spelling, case and number format.

Looking one up costs the same however many are desired, whatever name the server sends.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from cgrx._model.channels import Channel, FuturesTrades, parse_channel

_Ordered: TypeAlias = dict[Channel, None]
"""Channels in the order in which they were added."""

_REMEMBERED = 1000
"""How many names that are spelled otherwise than subscribed to are remembered, of desired channels and of others."""


class Names:
    """The desired channels, by all that the server may call them. Adding one and taking one out cost the same too."""

    def __init__(self, desired: Iterable[Channel]) -> None:
        self._by_name: dict[str, Channel] = {}
        self._by_meaning: dict[tuple[object, ...], _Ordered] = {}
        self._by_beginning: dict[str, _Ordered] = {}
        self._others: dict[str, Channel | None] = {}
        self._added: _Ordered = {}
        """Those that are not in the other two tables yet: these are needed for unusual names alone."""
        for channel in desired:
            self.add(channel)

    def add(self, channel: Channel) -> None:
        """The channel is desired from now on."""
        self._by_name[channel.name] = channel
        self._added[channel] = None
        self._others.clear()

    def discard(self, channel: Channel) -> None:
        """The channel is desired no more, if it was."""
        if self._by_name.pop(channel.name, None) is None:
            return
        self._others.clear()
        if channel in self._added:
            del self._added[channel]
            return
        for table, key in self._keys(channel):
            del table[key][channel]
            if not table[key]:
                del table[key]

    def _file(self) -> None:
        """Put what was added into the tables of meanings and beginnings."""
        for channel in self._added:
            for table, key in self._keys(channel):
                table.setdefault(key, {})[channel] = None
        self._added.clear()

    def _keys(self, channel: Channel) -> Iterator[tuple[dict[Any, "_Ordered"], object]]:
        """Where it stands in which table."""
        yield self._by_meaning, _meaning(channel)
        parts = channel.name.casefold().split("@")
        for count in range(1, len(parts)):
            yield self._by_beginning, "@".join(parts[:count])

    def find(self, name: str) -> Channel | None:
        """The desired channel of a frame with this name; None where none is meant."""
        channel = self._by_name.get(name)
        if channel is not None:
            return channel
        if name not in self._others:
            if len(self._others) >= _REMEMBERED:
                self._others.clear()
            self._others[name] = self._find_by_meaning(name)
        return self._others[name]

    def in_plan_notice(self, name: str) -> Sequence[Channel]:
        """The desired channels that a plan notice speaks of, which may leave out a channel's parameters."""
        channel = self.find(name)
        self._file()
        return [channel] if channel is not None else list(self._by_beginning.get(name.casefold(), ()))

    def _find_by_meaning(self, name: str) -> Channel | None:
        self._file()
        try:
            meant = self._by_meaning.get(_meaning(parse_channel(name)))
        except ValueError:
            return None
        return next(iter(meant)) if meant else None


def _meaning(channel: Channel) -> tuple[object, ...]:
    if isinstance(channel, FuturesTrades):
        return (channel.exchange.casefold(), channel.symbol.casefold(), channel.min_volume)
    return ()
