"""An endless market from a seed: self-exciting bursts, heavy-tailed volumes, prices that walk at random.

Arrivals are a Hawkes process with an exponential kernel: every shock lifts the rate of events, which then decays, and
events may be shocks themselves. An event that a burst set off, rather than chance, usually hits the same asset on the
same side as the event before it: a cascade.

Sources: A. Dassios, H. Zhao, "Exact simulation of Hawkes process with exponentially decaying intensity", Electronic
Communications in Probability 18 (2013), no. 62; the volumes are log-normal through the median and the 99th percentile
of recordings (liquidations 220 and 51,000 US dollars, trades 490 and 51,000).
"""

import math
import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

import attrs

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide

T = TypeVar("T")

_SYMBOLS = {
    "Binance": "{}USDT",
    "Bitget": "{}USDT_UMCBL",
    "Bybit": "{}USDT",
    "dYdX": "{}-USD",
    "Gate": "{}_USDT",
    "HTX": "{}-USDT",
    "Hyperliquid": "{}",
    "OKX": "{}-USDT-SWAP",
}
_PRICES = {"BTC": 60_000.0, "ETH": 2_500.0, "BNB": 550.0, "SOL": 150.0, "LINK": 12.0, "XRP": 0.6, "DOGE": 0.11}
_UNKNOWN_PRICE = 10.0

_DECAY_PER_S = 2.0
"""Rate at which the lift of a shock decays."""
_SHOCKS_PER_S = 10.0
"""At most this many events are shocks. At higher rates each shock is stronger: else bursts would average out."""
_SAME_TARGET = 0.8
"""The share of events set off by a burst that hit the asset and the side of the one before."""
_VOLATILITY = 5e-4
"""Standard deviation of the logarithm of the price over a second, were all events of one asset."""
_FARTHEST = 20.0
"""How far prices may walk from where they began, as a factor."""

_FULL_CIRCLE = 2.0 * math.pi
_Z99 = 2.3263478740408408  # the normal distribution's 99th percentile
_LIQUIDATION_LOG = (math.log(220.0), math.log(51_000.0 / 220.0) / _Z99)
_TRADE_LOG = (math.log(490.0), math.log(51_000.0 / 490.0) / _Z99)


# A dict, because calling an enum class costs as much as making the event.
_LIQUIDATION_SIDES = {int(side): side for side in LiquidationSide}
_TRADE_SIDES = {int(side): side for side in TradeSide}


def symbol_of(exchange: str, base_asset: str) -> str:
    """The perpetual contract of an asset as the exchange spells it; `BTCUSDT` where the exchange is not known.

    Examples:
        >>> from cgrx.testing import symbol_of
        >>> symbol_of("Binance", "BTC"), symbol_of("OKX", "BTC")
        ('BTCUSDT', 'BTC-USDT-SWAP')
    """
    return _SYMBOLS.get(exchange, "{}USDT").format(base_asset)


def _ranked(items: Sequence[T]) -> list[T]:
    """A list that repeats the n-th item in proportion to 1/n (Zipf), so that an even draw from it is weighted."""
    return [item for rank, item in enumerate(items, 1) for _ in range(max(1, 240 // rank))]


def _share(_: object, attribute: "attrs.Attribute[float]", value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{attribute.name}={value!r} must be a share between 0 and 1")


def _rate(_: object, __: object, value: float) -> None:
    if not 0.0 < value < math.inf:
        raise ValueError(f"rate={value!r} must be a finite number of events a second, above 0")


def _branching(_: object, __: object, value: float) -> None:
    if not 0.0 <= value < 1.0:
        raise ValueError(f"branching={value!r} must be at least 0 and below 1, or bursts would never end")


def _names(_: object, attribute: "attrs.Attribute[tuple[str, ...]]", value: tuple[str, ...]) -> None:
    if not value:
        raise ValueError(f"{attribute.name} must name at least one")


@attrs.frozen(kw_only=True)
class Generator:
    """An endless iterable of liquidations and trades; the same seed and arguments always give the same events.

    Attributes:
        seed: Any whole number.
        rate: Events a second on average, 1 to 100,000 or so (measured there); it swings widely around it.
        exchanges: From the busiest to the quietest; each spells symbols its own way.
        assets: From the busiest to the quietest.
        liquidation_share: The share of liquidations among the events, 0 to 1; the rest are trades.
        branching: How many events one event sets off on average, 0 (chance alone) to below 1 (endless bursts).
        start_ms: The event time just before the first event. The simulator puts "now" here.

    Examples:
        >>> from itertools import islice
        >>> from cgrx.testing import Generator
        >>> first, *_ = islice(Generator(seed=7, rate=50), 3)
        >>> first.kind, first.exchange
        ('trade', 'Bitget')
    """

    seed: int = 0
    rate: float = attrs.field(default=100.0, validator=_rate)
    exchanges: tuple[str, ...] = attrs.field(default=tuple(_SYMBOLS), converter=tuple[str, ...], validator=_names)
    assets: tuple[str, ...] = attrs.field(default=tuple(_PRICES), converter=tuple[str, ...], validator=_names)
    liquidation_share: float = attrs.field(default=0.2, validator=_share)
    branching: float = attrs.field(default=0.75, validator=_branching)
    start_ms: int = 1_704_067_200_000

    def __iter__(self) -> Iterator[Event]:
        """Events in the order of their times, from the beginning each time; the state is a few numbers an asset."""
        chance = random.Random(self.seed)
        uniform, log, exp, sqrt, sin, cos = chance.random, math.log, math.exp, math.sqrt, math.sin, math.cos
        (forced_log, forced_spread), (trade_log, trade_spread) = _LIQUIDATION_LOG, _TRADE_LOG
        exchanges, walks = _ranked(self.exchanges), _ranked([_Walk(asset, self.exchanges) for asset in self.assets])
        step = _VOLATILITY / sqrt(max(1.0, self.rate))
        walk, side = walks[0], 1
        arrivals = _arrivals(self.rate, self.branching, chance)
        while True:
            time_s, set_off = next(arrivals)
            if not set_off or uniform() > _SAME_TARGET:
                walk = walks[int(uniform() * len(walks))]
                side = 1 if uniform() < 0.5 else 2
            exchange = exchanges[int(uniform() * len(exchanges))]
            # Box and Muller: two uniform numbers make two normal ones, here one for the price and one for the volume.
            radius, angle = sqrt(-2.0 * log(1.0 - uniform())), _FULL_CIRCLE * uniform()
            price = walk.price * exp(step * radius * sin(angle))
            walk.price = min(max(price, walk.low), walk.high)
            # Rounded by hand, volumes up to a cent at least: `round` costs more than making the event.
            price = int(walk.price * walk.scale + 0.5) / walk.scale
            time_ms = self.start_ms + int(time_s * 1e3)
            if uniform() < self.liquidation_share:
                volume = int(100.0 * exp(forced_log + forced_spread * radius * cos(angle)) + 1.0) / 100.0
                yield Liquidation(
                    walk.asset, exchange, walk.symbols[exchange], _LIQUIDATION_SIDES[side], price, volume, time_ms
                )
            else:
                volume = int(100.0 * exp(trade_log + trade_spread * radius * cos(angle)) + 1.0) / 100.0
                yield Trade(walk.asset, exchange, walk.symbols[exchange], _TRADE_SIDES[side], price, volume, time_ms)


class _Walk:
    """The price of one asset, and its symbols."""

    __slots__ = ("asset", "high", "low", "price", "scale", "symbols")

    def __init__(self, asset: str, exchanges: tuple[str, ...]) -> None:
        self.asset = asset
        self.symbols = {exchange: symbol_of(exchange, asset) for exchange in exchanges}
        self.price = _PRICES.get(asset, _UNKNOWN_PRICE)
        self.low, self.high = self.price / _FARTHEST, self.price * _FARTHEST
        # Six or seven significant digits.
        self.scale = 10.0 ** (6 - math.floor(math.log10(self.price)))


def _arrivals(rate: float, branching: float, chance: random.Random) -> Iterator[tuple[float, bool]]:
    """Times in seconds from 0, and whether the burst (rather than chance) set the event off.

    The intensity, in events a second, is `base + excess`. The base is constant: chance. The excess is the burst: it
    decays exponentially, and every shock lifts it by `kick`. Each part alone would bring its next event after a random
    wait, and the shorter of the two waits is the wait for the next event.
    """
    base = rate * (1.0 - branching)
    shock_share = min(1.0, _SHOCKS_PER_S / rate)
    kick = branching * _DECAY_PER_S / shock_share
    time_s = 0.0
    # Begins with the mean, so that the first second is like any other.
    excess = rate * branching
    uniform, log = chance.random, math.log
    while True:
        # The wait for chance: exponential. 1 - uniform() lies in (0, 1], where the logarithm exists.
        wait = -log(1.0 - uniform()) / base
        set_off = False
        if excess > 0.0:
            # The wait for the burst: the excess has then decayed to this share of itself. Where the share is not
            # above 0, the excess fades away before it sets an event off.
            decayed = 1.0 + _DECAY_PER_S * log(1.0 - uniform()) / excess
            if decayed > 0.0:
                burst_wait = -log(decayed) / _DECAY_PER_S
                if burst_wait < wait:
                    wait, set_off = burst_wait, True
        time_s += wait
        excess *= math.exp(-_DECAY_PER_S * wait)
        if uniform() < shock_share:
            excess += kick
        yield time_s, set_off
