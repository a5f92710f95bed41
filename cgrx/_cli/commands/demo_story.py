"""What happens in `cgrx demo`: a made-up market, and in it large prints, a cascade and a connection that breaks off.

The moments are fixed, and so are the events; only how long the client takes to come back is left to chance.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import takewhile

import attrs

from cgrx import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx.testing import Close, Fault, Generator, Refuse, symbol_of

BIG_USD = 10_000
"""Least volume, in US dollars, of the events shown and of the trades subscribed to."""

MARKETS = tuple((exchange, asset) for exchange in ("Binance", "Bitget", "Bybit") for asset in ("BTC", "ETH"))
"""The trades subscribed to: the busiest of the simulated market."""

LEAST_S = 15.0
"""A run that is shorter has no room for the story."""

_PRINTS_MS, _CASCADE_MS, _BREAK_S, _AWAY_S = 3_000, 6_500, 11.5, 2.0
_PRINTS, _LIQUIDATIONS = 24, 48
_PRICES = {"BTC": 60_000.0, "ETH": 2_500.0, "SOL": 150.0}

FAULTS: tuple[Fault, ...] = (
    Close(code=1012, reason="service restart", after=_BREAK_S),
    Refuse(how=503, retry_after=_AWAY_S, after=_BREAK_S),
)
"""The server closes the connection, and refuses the next one for some seconds."""


def story(start_ms: int) -> Iterator[Event]:
    """The events of the story, in the order of their times."""
    for number in range(_PRINTS):
        exchange, asset = MARKETS[number * 5 % len(MARKETS)]
        side = TradeSide.SELL if number % 6 == 5 else TradeSide.BUY
        price = _PRICES[asset] * (1 + 0.0001 * number)
        yield Trade(
            asset,
            exchange,
            symbol_of(exchange, asset),
            side,
            round(price, 2),
            round(90_000.0 * 1.14**number, 2),
            start_ms + _PRINTS_MS + 60 * number,
        )
    exchanges = ("Binance", "OKX", "Bybit", "Bitget", "Gate")
    for number in range(_LIQUIDATIONS):
        asset = ("ETH", "BTC", "ETH", "SOL")[number % 4]
        exchange = exchanges[number * 3 % len(exchanges)]
        yield Liquidation(
            asset,
            exchange,
            symbol_of(exchange, asset),
            LiquidationSide.LONG,
            round(_PRICES[asset] * (1 - 0.0004 * number), 2),
            round(30_000.0 * 1.09 ** (24 - abs(number - 24)), 2),
            start_ms + _CASCADE_MS + 75 * number,
        )


@attrs.define(eq=False)
class Market:
    """The events of a generator up to a time, with those of the story where it is told; and how many there were."""

    generator: Generator
    seconds: float
    tells_story: bool
    sent: int = 0
    """Events handed out so far that the client has asked for, whether or not it was there to get them."""

    def __iter__(self) -> Iterator[Event]:
        """From the beginning."""
        start_ms = self.generator.start_ms
        end_ms = start_ms + self.seconds * 1e3
        told = story(start_ms) if self.tells_story else ()
        events = merge(self.generator, told, key=lambda event: event.time_ms)
        for event in takewhile(lambda event: event.time_ms < end_ms, events):
            yield event
            self.sent += is_asked_for(event)  # it has been taken when the next one is asked for


def is_asked_for(event: Event) -> bool:
    """Whether the client has subscribed to a channel of this event."""
    if isinstance(event, Liquidation):
        return True
    return event.volume_usd >= BIG_USD and (event.exchange, event.base_asset) in MARKETS
