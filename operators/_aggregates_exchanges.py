"""Aggregates that look across exchanges: which there are, each one's share, how far their prices lie apart."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

import attrs

from cgrx._events import Event
from cgrx.operators._aggregates import TEXTS, Aggregate, Side, Text, filtered, one_of, written
from cgrx.operators._exact import quotient
from cgrx.operators._primitives import Distinct, SumBy


def exchanges(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[tuple[str, ...]]:
    """The exchanges of the events, sorted by name.

    Unit: names, as the events carry them. Without any event: an empty tuple. Error: none. Keeps each name once per
    key and window.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    part = Distinct("exchange", guard=filtered("exchanges", side, of))
    return Aggregate(written("exchanges", side=side, of=of), (part,), _names, kind=tuple)


def share(
    by: Text = "exchange", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[Mapping[str, float]]:
    """Each one's share of the volume: Σ volume_usd of it / Σ volume_usd of all.

    Unit: none, from 0.0 to 1.0, sorted by name. Without any event: an empty mapping. Error: one rounding each; they
    add up to 1.0 within as many. The mapping is frozen, hashes and pickles. Keeps one sum for each name per key and
    window.

    Args:
        by: whose share: `"exchange"`, `"symbol"` or `"base_asset"`.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    one_of("share", "by", by, TEXTS)
    part = SumBy("volume_usd", by, guard=filtered("share", side, of))
    return Aggregate(written("share", by, side=side, of=of), (part,), _shares, kind=Mapping)


def dispersion(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """How far the exchanges' prices lie apart: (greatest - least of their vwaps) / vwap of all events.

    The vwap of one exchange is Σ volume_usd / Σ (volume_usd / price) of its events. Meant for rows whose key fixes
    the asset (`by="base_asset"`) and contracts that are priced alike: where one exchange's price is for 1000 coins,
    this says so.

    Unit: none; 0.001 is a tenth of a percent. With events of one exchange: 0.0; without any: None. Error: one
    rounding per event in volume_usd / price and one of the result. Keeps two sums for each exchange per key and
    window.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    guard = filtered("dispersion", side, of)
    parts = (SumBy("volume_usd", "exchange", guard=guard), SumBy("base", "exchange", guard=guard))
    return Aggregate(written("dispersion", side=side, of=of), parts, _dispersion)


@attrs.frozen(repr=False, eq=False)
class Shares(Mapping[str, float]):
    """A frozen mapping from names to numbers, sorted by name; equal to any mapping of the same items."""

    _items: tuple[tuple[str, float], ...]

    def __getitem__(self, name: str) -> float:
        for key, value in self._items:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return repr(dict(self._items))


def _names(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _shares(sums: dict[str, int]) -> Shares:
    total = sum(sums.values())
    shares = ((name, quotient(part, total)) for name, part in sorted(sums.items()))
    return Shares(tuple((name, share) for name, share in shares if share is not None))


def _dispersion(usd: dict[str, int], base: dict[str, int]) -> float | None:
    # Fractions, because a difference of rounded prices would keep few digits of a small spread.
    prices = [Fraction(usd[name], base[name]) for name in usd if base[name]]
    total = sum(usd.values())
    if not prices or not total:
        return None
    spread = (max(prices) - min(prices)) * sum(base.values()) / total
    return quotient(spread.numerator, spread.denominator)
