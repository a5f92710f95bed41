"""Which of the desired channels the server means by a name: in any generation's spelling, case and number format.

Looking one up costs the same however many are desired, whatever name the server sends.
"""

from collections.abc import Iterable, Sequence

from cgrx._model.channels import Channel, FuturesTrades, parse_channel

_REMEMBERED = 1000
"""How many names that are spelled otherwise than subscribed to are remembered, of desired channels and of others."""


class Names:
    """The desired channels, by all that the server may call them. A new one is made when they change."""

    def __init__(self, desired: Iterable[Channel]) -> None:
        self._by_name: dict[str, Channel] = {}
        self._by_meaning: dict[tuple[object, ...], Channel] = {}
        self._by_beginning: dict[str, list[Channel]] = {}
        self._others: dict[str, Channel | None] = {}
        for channel in desired:
            self._by_name[channel.name] = channel
            self._by_meaning.setdefault(_meaning(channel), channel)
            parts = channel.name.casefold().split("@")
            for count in range(1, len(parts)):
                self._by_beginning.setdefault("@".join(parts[:count]), []).append(channel)

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
        return [channel] if channel is not None else self._by_beginning.get(name.casefold(), [])

    def _find_by_meaning(self, name: str) -> Channel | None:
        try:
            return self._by_meaning.get(_meaning(parse_channel(name)))
        except ValueError:
            return None


def _meaning(channel: Channel) -> tuple[object, ...]:
    if isinstance(channel, FuturesTrades):
        return (channel.exchange.casefold(), channel.symbol.casefold(), channel.min_volume)
    return ()
