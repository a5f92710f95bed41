"""Which clients an event goes to, and under which channel's name."""

from collections.abc import Iterable
from typing import Generic, Literal, TypeAlias, TypeVar

from cgrx._model.channels import Channel, LiquidationOrders
from cgrx._model.events import Event, Liquidation
from cgrx._model.exchanges import canonical_exchange

ClientT = TypeVar("ClientT")

Generation: TypeAlias = Literal[1, 2]
"""Which names of channels and fields stand in frames: 1 the first API's (`exName`), 2 its successor's (`exchange`).

Examples:
    >>> from cgrx.testing import Simulator
    >>> newer = Simulator([liquidation()], generation=2)
"""

LIQUIDATION_NAMES: dict[Generation, str] = {1: "liquidationOrders", 2: "liquidation_orders"}
"""Frames carry this name, with whichever name the client subscribed."""


def _instrument(exchange: str, symbol: str) -> tuple[str, str]:
    return canonical_exchange(exchange).casefold(), symbol


class Route(Generic[ClientT]):
    """A channel with at least one client."""

    __slots__ = ("channel", "clients", "events", "min_volume", "name")

    def __init__(self, name: str, channel: Channel) -> None:
        self.name = name
        """The channel's name in frames."""
        self.channel = channel
        self.min_volume = 0.0 if isinstance(channel, LiquidationOrders) else channel.min_volume
        # A dict for its order: clients are served in the order of their subscriptions.
        self.clients: dict[ClientT, None] = {}
        self.events = 0
        """Events sent under this name."""


class Routes(Generic[ClientT]):
    """The subscriptions of all clients. Exchanges are compared case-insensitively, symbols exactly.

    It keeps one count per channel name ever subscribed, so that the counters survive a reconnect.
    """

    def __init__(self, generation: Generation) -> None:
        self._liquidation_name = LIQUIDATION_NAMES[generation]
        self._by_name: dict[str, Route[ClientT]] = {}
        self._liquidations: list[Route[ClientT]] = []
        self._trades: dict[tuple[str, str], list[Route[ClientT]]] = {}

    def subscribe(self, client: ClientT, name: str, channel: Channel) -> None:
        """Add a subscription; one that exists already is left as it is."""
        name = self._frame_name(name, channel)
        route = self._by_name.setdefault(name, Route(name, channel))
        if not route.clients:
            self._siblings(route).append(route)
        route.clients[client] = None

    def unsubscribe(self, client: ClientT, name: str, channel: Channel) -> None:
        """Remove a subscription, if there is one."""
        route = self._by_name.get(self._frame_name(name, channel))
        if route is not None and client in route.clients:
            del route.clients[client]
            if not route.clients:
                self._siblings(route).remove(route)

    def matching(self, event: Event) -> Iterable[Route[ClientT]]:
        """The channels with clients that carry this event; the caller compares its volume with `min_volume`."""
        if type(event) is Liquidation:
            return self._liquidations
        return self._trades.get(_instrument(event.exchange, event.symbol), ())

    def of(self, channel: Channel) -> list[Route[ClientT]]:
        """The routes with clients that are for this channel, under all its names."""
        return [route for route in self._by_name.values() if route.clients and route.channel == channel]

    def subscribers(self) -> dict[str, int]:
        """How many clients each channel has now, by its name in frames."""
        return {name: len(route.clients) for name, route in self._by_name.items() if route.clients}

    def events(self) -> dict[str, int]:
        """How many events have gone out under each name."""
        return {name: route.events for name, route in self._by_name.items()}

    def _frame_name(self, name: str, channel: Channel) -> str:
        return self._liquidation_name if isinstance(channel, LiquidationOrders) else name

    def _siblings(self, route: Route[ClientT]) -> list[Route[ClientT]]:
        if isinstance(route.channel, LiquidationOrders):
            return self._liquidations
        return self._trades.setdefault(_instrument(route.channel.exchange, route.channel.symbol), [])
