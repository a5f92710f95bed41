"""The running form of a row's aggregates: one class for each combination, written as source text and compiled once.

A loop over aggregates, each with a method call per event, would cost several times the work itself. So the class is
generated, as attrs generates `__init__`. Its text is its `__source__`, which tracebacks and debuggers show too. For

    accumulator((agg.count(), agg.vwap(), agg.high(side="sell")))

that is:

    class Accumulator(Generated):
        __slots__ = ('count', 'sum_volume_usd', 'sum_base', 'max_price_trade_side_1', )

        def __init__(self):
            self.count = 0
            self.sum_volume_usd = 0
            self.sum_base = 0
            self.max_price_trade_side_1 = -inf

        def add(self, event):
            side = event.side
            price = event.price
            volume_usd = event.volume_usd
            try:
                volume_units = trunc(volume_usd * SCALE)
                base_units = trunc(volume_usd / price * SCALE)
            except OverflowError:
                volume_units = units(volume_usd)
                base_units = quotient_units(volume_usd, price)
            self.count += 1
            self.sum_volume_usd += volume_units
            self.sum_base += base_units
            if type(event) is Trade and side == 1:
                if price > self.max_price_trade_side_1:
                    self.max_price_trade_side_1 = price

        def merge(self, other):
            self.count += other.count
            self.sum_volume_usd += other.sum_volume_usd
            self.sum_base += other.sum_base
            if other.max_price_trade_side_1 > self.max_price_trade_side_1:
                self.max_price_trade_side_1 = other.max_price_trade_side_1

        def values(self):
            try:
                return (
                    self.count,  # agg.count()
                    self.sum_volume_usd / self.sum_base if self.sum_base else None,  # agg.vwap()
                    found(self.max_price_trade_side_1),  # agg.high(side="sell")
                )
            except OverflowError:
                return (
                    self.count,  # agg.count()
                    quotient(self.sum_volume_usd, self.sum_base),  # agg.vwap()
                    found(self.max_price_trade_side_1),  # agg.high(side="sell")
                )

        def sums(self):
            return ()

Sums are kept as integers, in the units of `exact`; `values` turns them into floats, and `sums` gives them as they are.
Each row asks for `values`, so it computes most of them in place; sums beyond all floats raise there, and are read by
the functions of `exact`.
"""

import copyreg
import itertools
import linecache
import math
import weakref
from collections.abc import Iterable
from typing import Any, ClassVar, Protocol, Self, cast

from cgrx._model.events import Event, Liquidation, Trade
from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._aggregates.exact import SCALE, UNIT, quotient_units, units
from cgrx.operators._aggregates.primitives import ALL, FIELDS, UNIT_VARIABLES, Guard, Primitive


class Accumulator(Protocol):
    """The partial result of some aggregates. Fresh ones hold no event; they pickle."""

    aggregates: ClassVar[tuple[Aggregate[Any], ...]]

    def add(self, event: Event, /) -> None:
        """Take one event in."""
        ...

    def merge(self, other: Self, /) -> None:
        """Take in all that `other`, of the same class, has taken in. `other` stays as it is."""
        ...

    def values(self) -> tuple[object, ...]:
        """The results so far, in the order of the aggregates. May be called again after more events."""
        ...

    def sums(self) -> tuple[int, ...]:
        """Those of the results that are sums, exactly: in units, in the order of the aggregates."""
        ...


class GeneratedType(type):
    """The type of generated classes: they pickle by the aggregates that they were generated for."""

    aggregates: tuple[Aggregate[Any], ...]


class Generated(metaclass=GeneratedType):
    """What generated classes inherit."""

    __slots__ = ()

    aggregates: ClassVar[tuple[Aggregate[Any], ...]]
    __source__: ClassVar[str]

    def __reduce__(self) -> tuple[object, ...]:
        slots: Iterable[str] = type(self).__slots__
        state = tuple(getattr(self, slot) for slot in slots)
        return _restore, (type(self), *state)


def _restore(kind: type[Any], *state: object) -> Accumulator:
    restored = object.__new__(kind)
    slots: tuple[str, ...] = kind.__slots__
    for slot, value in zip(slots, state, strict=True):
        setattr(restored, slot, value)
    return cast(Accumulator, restored)


def _reduce_type(kind: GeneratedType) -> str | tuple[object, ...]:
    return kind.__qualname__ if kind is Generated else (accumulator, (kind.aggregates,))


# pickle asks the classes themselves only after this table.
copyreg.pickle(GeneratedType, _reduce_type)  # type: ignore[arg-type]


# Bounded by what is in use: a class, and its lines in linecache, live as long as a row type or an instance does.
_classes: "weakref.WeakValueDictionary[tuple[Aggregate[Any], ...], type[Any]]" = weakref.WeakValueDictionary()
_numbers = itertools.count(1)


def accumulator(aggregates: tuple[Aggregate[Any], ...]) -> type[Accumulator]:
    """The accumulator class for these aggregates, the same one while it is in use."""
    found = _classes.get(aggregates)
    return cast("type[Accumulator]", found or _classes.setdefault(aggregates, _generate(aggregates)))


_OURS = __name__.rpartition(".")[0] + "."


def _generate(aggregates: tuple[Aggregate[Any], ...]) -> type[Any]:
    parts = _named(dict.fromkeys(part for aggregate in aggregates for part in aggregate.primitives))
    namespace: dict[str, Any] = {
        "Generated": Generated,
        "Liquidation": Liquidation,
        "Trade": Trade,
        "SCALE": SCALE,
        "UNIT": UNIT,
        "inf": math.inf,
        "quotient_units": quotient_units,
        "trunc": math.trunc,
        "units": units,
    }
    for part, name in parts.items():
        namespace.update(part.globals(name))
    source = "\n".join(_class_lines(aggregates, parts, namespace)) + "\n"
    filename = f"<cgrx accumulator {next(_numbers)}>"
    exec(compile(source, filename, "exec"), namespace)
    made: type[Any] = namespace["Accumulator"]
    made.aggregates = aggregates
    made.__source__ = source
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    weakref.finalize(made, linecache.cache.pop, filename, None)
    return made


def _named(parts: Iterable[Primitive]) -> dict[Primitive, str]:
    """Each primitive with a slot name of its own that says what it holds."""
    names: dict[Primitive, str] = {}
    for part in parts:
        label = part.label + part.guard.suffix
        others = sum(name == label or name.startswith(f"{label}__") for name in names.values())
        names[part] = f"{label}__{others + 1}" if others else label
    return names


def _class_lines(
    aggregates: tuple[Aggregate[Any], ...], parts: dict[Primitive, str], namespace: dict[str, Any]
) -> Iterable[str]:
    slots = {slot: start for part, name in parts.items() for slot, start in part.slots(name).items()}
    yield "class Accumulator(Generated):"
    yield f"    __slots__ = ({''.join(f'{slot!r}, ' for slot in slots)})"
    yield ""
    yield "    def __init__(self):"
    yield from _indented(2, [f"self.{slot} = {start}" for slot, start in slots.items()])
    yield ""
    yield "    def add(self, event):"
    yield from _indented(2, _add_lines(parts))
    yield ""
    yield "    def merge(self, other):"
    yield from _indented(2, [line for part, name in parts.items() for line in part.merge(name)])
    yield ""
    yield "    def values(self):"
    yield from _indented(2, _values_lines(aggregates, parts, namespace))
    yield ""
    yield "    def sums(self):"
    sums = [aggregate.formula.units(lambda part: f"self.{parts[part]}") for aggregate in aggregates]
    yield f"        return ({''.join(f'{each}, ' for each in sums if each is not None)})"


def _values_lines(
    aggregates: tuple[Aggregate[Any], ...], parts: dict[Primitive, str], namespace: dict[str, Any]
) -> list[str]:
    """The results as a tuple: with few calls for all but the largest floats."""

    def read(part: Primitive) -> str:
        return f"self.{parts[part]}"

    def name(function: Any) -> str:
        return _function_name(function, namespace)

    def returned(values: list[str]) -> list[str]:
        return ["return (", *(f"    {each},  # {one!r}" for each, one in zip(values, aggregates, strict=True)), ")"]

    exact = [each.formula.source(read, name) for each in aggregates]
    quick = [each.formula.quick(read, name) for each in aggregates]
    if quick == exact:
        return returned(exact)
    return ["try:", *_indented(1, returned(quick)), "except OverflowError:", *_indented(1, returned(exact))]


def _indented(levels: int, lines: list[str]) -> Iterable[str]:
    return ["    " * levels + line for line in lines or ["pass"]]


def _function_name(function: Any, namespace: dict[str, Any]) -> str:
    """A name for a function in the generated text: that of ours, which hides no builtin; a user's could be any."""
    name = function.__name__.lstrip("_") if getattr(function, "__module__", "").startswith(_OURS) else "result"
    while namespace.setdefault(name, function) is not function:
        name += "_"
    return name


def _add_lines(parts: dict[Primitive, str]) -> list[str]:
    """The fields first, then what all events need, then a block for each guard."""
    groups: dict[Guard, list[Primitive]] = {}
    for part in parts:
        groups.setdefault(part.guard, []).append(part)
    variables = {guard: _unit_variables(group) for guard, group in groups.items()}
    # What several groups need is computed once, in front; what one guarded group needs, only for its events.
    shared = {
        variable
        for guard, found in variables.items()
        for variable in found
        if guard == ALL or sum(variable in others for others in variables.values()) > 1
    }
    fields = {need for part in parts for need in part.needs if need not in UNIT_VARIABLES}
    fields.update(field for found in variables.values() for variable in found for field in UNIT_VARIABLES[variable][2])
    fields.update("side" for guard in groups if guard.side)
    lines = [f"{field} = event.{field}" for field in FIELDS if field in fields]
    lines += _conversion([variable for variable in UNIT_VARIABLES if variable in shared])
    for guard in sorted(groups, key=lambda guard: guard != ALL):
        block = _conversion([variable for variable in variables[guard] if variable not in shared])
        block += [line for part in groups[guard] for line in part.add(parts[part])]
        lines += [f"if {guard.condition}:", *_indented(1, block)] if guard != ALL else block
    return lines


def _unit_variables(group: list[Primitive]) -> list[str]:
    return [variable for variable in UNIT_VARIABLES if any(variable in part.needs for part in group)]


def _conversion(variables: list[str]) -> list[str]:
    """Numbers in units: fast for all but the largest floats."""
    if not variables:
        return []
    return [
        "try:",
        *(f"    {variable} = {UNIT_VARIABLES[variable][0]}" for variable in variables),
        "except OverflowError:",
        *(f"    {variable} = {UNIT_VARIABLES[variable][1]}" for variable in variables),
    ]
