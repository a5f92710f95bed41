"""Primitives: the running values of an accumulator, which events are added to, and which are merged and read.

A primitive says what to keep, such as `Sum("price")`, and which events count (its `Guard`). Aggregates of one row that
need the same primitive share it. Each kind writes the source lines that keep it; `accumulators` puts these together, so
that an event costs no call per aggregate.
"""

from abc import abstractmethod
from bisect import insort
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from cgrx._model.events import Event, Liquidation, Trade

FIELDS = ("base_asset", "exchange", "symbol", "side", "price", "volume_usd", "time_ms")

Order: TypeAlias = tuple[int, float, float, int, str, str, str, str]


def order(event: Event) -> Order:
    """The order of events: by time, then by all other fields, so that no two different events tie."""
    return (
        event.time_ms,
        event.price,
        event.volume_usd,
        int(event.side),
        event.exchange,
        event.symbol,
        event.base_asset,
        type(event).__name__,
    )


def size_order(event: Event) -> tuple[float, Order]:
    """The order of events by size: the largest volume first; of equal volumes the earlier event."""
    return -event.volume_usd, order(event)


@attrs.frozen
class Guard:
    """Which events count: those of one type, of one side, or all."""

    of: type[Liquidation] | type[Trade] | None = None
    side: int | None = None
    """As numbered on the wire. With no type: the side of the order, 1 a sell (of a liquidated long), 2 a buy."""

    @property
    def condition(self) -> str:
        """The source of the test of an event; empty if all count."""
        tests = [f"type(event) is {self.of.__name__}"] if self.of else []
        return " and ".join([*tests, f"side == {self.side}"] if self.side else tests)

    @property
    def suffix(self) -> str:
        """Its part of the name of a slot."""
        return (f"_{self.of.__name__.lower()}" if self.of else "") + (f"_side_{self.side}" if self.side else "")


ALL = Guard()


@attrs.frozen
class Primitive:
    """One running value. `name` in the methods is that of its slot in the accumulator."""

    guard: Guard = attrs.field(default=ALL, kw_only=True)

    @property
    @abstractmethod
    def label(self) -> str:
        """A name for its slot."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The local variables that its `add` reads: fields, or names of `UNIT_VARIABLES`."""
        return ()

    @abstractmethod
    def slots(self, name: str) -> dict[str, str]:
        """Its slots with the source of what they hold before any event."""

    @abstractmethod
    def add(self, name: str) -> list[str]:
        """The lines that take one event in."""

    @abstractmethod
    def merge(self, name: str) -> list[str]:
        """The lines that take in what `other` holds, and leave that unchanged."""

    def globals(self, name: str) -> Mapping[str, object]:
        """The functions that its lines call, by name."""
        return {}


UNIT_VARIABLES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "price_units": ("trunc(price * SCALE)", "units(price)", ("price",)),
    "volume_units": ("trunc(volume_usd * SCALE)", "units(volume_usd)", ("volume_usd",)),
    "base_units": (
        "trunc(volume_usd / price * SCALE)",
        "quotient_units(volume_usd, price)",
        ("price", "volume_usd"),
    ),
}
"""Numbers in units, see `exact`: the source of each, the source for the largest floats, the fields that it reads."""

ADDENDS: Mapping[str, tuple[str, str]] = {
    "price": ("price_units", "price_units"),
    "volume_usd": ("volume_units", "volume_units"),
    "base": ("base_units", "base_units"),
    "price_squared": ("price_units * price_units", "price_units"),
    "volume_usd_squared": ("volume_units * volume_units", "volume_units"),
}
"""What can be summed: its source, the variable that it reads. `base` is the volume in the asset, usd / price."""


@attrs.frozen
class Count(Primitive):
    """The number of events: int."""

    @property
    def label(self) -> str:
        return "count"

    def slots(self, name: str) -> dict[str, str]:
        return {name: "0"}

    def add(self, name: str) -> list[str]:
        return [f"self.{name} += 1"]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name} += other.{name}"]


@attrs.frozen
class Sum(Primitive):
    """An exact sum: int in units, or in units squared."""

    addend: str

    @property
    def label(self) -> str:
        return f"sum_{self.addend}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (ADDENDS[self.addend][1],)

    def slots(self, name: str) -> dict[str, str]:
        return {name: "0"}

    def add(self, name: str) -> list[str]:
        return [f"self.{name} += {ADDENDS[self.addend][0]}"]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name} += other.{name}"]


@attrs.frozen
class SumBy(Primitive):
    """Exact sums, one for each value of a text field: dict of int in units."""

    addend: str
    by: str

    @property
    def label(self) -> str:
        return f"sum_{self.addend}_by_{self.by}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.by, ADDENDS[self.addend][1])

    def slots(self, name: str) -> dict[str, str]:
        return {name: "{}"}

    def add(self, name: str) -> list[str]:
        return [f"self.{name}[{self.by}] = self.{name}.get({self.by}, 0) + {ADDENDS[self.addend][0]}"]

    def merge(self, name: str) -> list[str]:
        return [
            f"for key, value in other.{name}.items():",
            f"    self.{name}[key] = self.{name}.get(key, 0) + value",
        ]


@attrs.frozen
class Distinct(Primitive):
    """The distinct values of a field: set."""

    field: str

    @property
    def label(self) -> str:
        return f"distinct_{self.field}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.field,)

    def slots(self, name: str) -> dict[str, str]:
        return {name: "set()"}

    def add(self, name: str) -> list[str]:
        return [f"self.{name}.add({self.field})"]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name} |= other.{name}"]


@attrs.frozen
class Extreme(Primitive):
    """The least or the greatest value of a number field; infinite before any event."""

    field: str
    greatest: bool

    @property
    def label(self) -> str:
        return f"{'max' if self.greatest else 'min'}_{self.field}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.field,)

    def slots(self, name: str) -> dict[str, str]:
        return {name: "-inf" if self.greatest else "inf"}

    def add(self, name: str) -> list[str]:
        return self._take(name, self.field)

    def merge(self, name: str) -> list[str]:
        return self._take(name, f"other.{name}")

    def _take(self, name: str, value: str) -> list[str]:
        return [f"if {value} {'>' if self.greatest else '<'} self.{name}:", f"    self.{name} = {value}"]


def _beyond(last: bool, time_ms: str, edge_ms: str, rank: str, edge_rank: str) -> str:
    """The source of the test whether an event goes before the first one, or behind the last; of equal times by rank.

    Most events are the latest so far: either test knows that by its first comparison.
    """
    if last:
        return f"{time_ms} > {edge_ms} or ({time_ms} == {edge_ms} and {rank} > {edge_rank})"
    return f"{time_ms} <= {edge_ms} and ({time_ms} < {edge_ms} or {rank} < {edge_rank})"


@attrs.frozen
class EdgePrice(Primitive):
    """The price of the first or the last event, None before any.

    Of the order of events it needs no more than time and price: those that tie in both have the same price.
    """

    last: bool

    @property
    def label(self) -> str:
        return f"{'last' if self.last else 'first'}_price"

    @property
    def needs(self) -> tuple[str, ...]:
        return ("time_ms", "price")

    def slots(self, name: str) -> dict[str, str]:
        return {name: "None", f"{name}_ms": "-inf" if self.last else "inf"}

    def add(self, name: str) -> list[str]:
        return self._take(name, "time_ms", "price", "")

    def merge(self, name: str) -> list[str]:
        # Two empty accumulators tie in their times, and have no prices to compare.
        return self._take(name, f"other.{name}_ms", f"other.{name}", f"other.{name} is not None and ")

    def _take(self, name: str, time_ms: str, price: str, unless: str) -> list[str]:
        return [
            f"if {unless}({_beyond(self.last, time_ms, f'self.{name}_ms', price, f'self.{name}')}):",
            f"    self.{name} = {price}",
            f"    self.{name}_ms = {time_ms}",
        ]


@attrs.frozen
class EdgeEvent(Primitive):
    """The first or the last event itself, None before any."""

    last: bool

    @property
    def label(self) -> str:
        return f"{'last' if self.last else 'first'}_event"

    @property
    def needs(self) -> tuple[str, ...]:
        return ("time_ms",)

    def slots(self, name: str) -> dict[str, str]:
        return {name: "None", f"{name}_ms": "-inf" if self.last else "inf"}

    def add(self, name: str) -> list[str]:
        return self._take(name, "time_ms", "event", "")

    def merge(self, name: str) -> list[str]:
        return self._take(name, f"other.{name}_ms", f"other.{name}", f"other.{name} is not None and ")

    def _take(self, name: str, time_ms: str, event: str, unless: str) -> list[str]:
        return [
            f"if {unless}({_beyond(self.last, time_ms, f'self.{name}_ms', f'order({event})', f'order(self.{name})')}):",
            f"    self.{name} = {event}",
            f"    self.{name}_ms = {time_ms}",
        ]

    def globals(self, name: str) -> Mapping[str, object]:
        return {"order": order}


@attrs.frozen
class Top(Primitive):
    """The largest events in order, at most `size`: list."""

    size: int

    @property
    def label(self) -> str:
        return f"top_{self.size}"

    @property
    def needs(self) -> tuple[str, ...]:
        return ("volume_usd",)

    def slots(self, name: str) -> dict[str, str]:
        return {name: "[]"}

    def add(self, name: str) -> list[str]:
        return [
            f"if len(self.{name}) < {self.size} or volume_usd >= self.{name}[-1].volume_usd:",
            f"    insort(self.{name}, event, key=size_order)",
            f"    del self.{name}[{self.size}:]",
        ]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name} = sorted(self.{name} + other.{name}, key=size_order)[:{self.size}]"]

    def globals(self, name: str) -> Mapping[str, object]:
        return {"insort": insort, "size_order": size_order}


@attrs.frozen
class Keep(Primitive):
    """A state of the user: `start() -> state`, `take(state, event) -> state`, `join(a, b) -> state`."""

    start: Callable[..., Any]
    take: Callable[[Any, Any], Any]
    join: Callable[[Any, Any], Any]

    @property
    def label(self) -> str:
        return "custom"

    def slots(self, name: str) -> dict[str, str]:
        return {name: f"start_{name}()"}

    def add(self, name: str) -> list[str]:
        return [f"self.{name} = add_to_{name}(self.{name}, event)"]

    def merge(self, name: str) -> list[str]:
        return [f"self.{name} = merge_{name}(self.{name}, other.{name})"]

    def globals(self, name: str) -> Mapping[str, object]:
        return {f"start_{name}": self.start, f"add_to_{name}": self.take, f"merge_{name}": self.join}
