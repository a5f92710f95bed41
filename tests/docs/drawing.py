"""A marble diagram as a value: what goes in, which code works on it, and what must come out, tick by tick.

The cases are in `marble_cases/`. `test_marble_cases.py` runs them, `pages.py` draws them into the documentation.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, cast

import attrs
import msgspec
from reactivex import Observable, abc
from reactivex import operators as rx

import cgrx
from cgrx import Alive, Batch, Dropped, EventStream, Gap, Liquidation, Signal, Trade, Watermark
from cgrx import operators as ops
from cgrx._streams.observers import SignalObserver
from cgrx._streams.sharing import FanOut
from cgrx.operators import agg
from cgrx.testing import Timeline, marbles

TICK_MS = 1000
_TICKS = re.compile(r"\([^()]*\)|[^()\s]")
_NAMES = ("first", "second")


@attrs.frozen
class Case:
    """One diagram."""

    name: str
    """What a page asks for it by."""
    title: str
    """What it shows, a sentence."""
    code: str
    """An operator, or an expression of the streams `first` and `second`."""
    inputs: tuple[str, ...]
    """Each as in `cgrx.testing.marbles`, one second a tick."""
    output: str
    """The same for what comes out, at the tick at which it does. Results side by side stand for one or more batches;
    the marks are there only if `marks` is True."""
    events: Mapping[str, Any]
    times: Mapping[str, float] = {}
    """When events happened that are received later than that, seconds since the epoch."""
    results: Mapping[str, Any] = {}
    """What the letters of the output stand for that are not among the events; of a row or another
    value, the fields that matter."""
    marks: bool = False
    joins: int | None = None
    """The tick at which the subscriber joins whose output it is, where another has been there from the start."""


def ticks(text: str) -> list[str]:
    """The cells of a text, without the parentheses."""
    return [cell.strip("()") for cell in _TICKS.findall(text)]


def run(case: Case) -> str:
    """What comes out, drawn as `output` is."""
    sources = [_Source.of(case, text) for text in case.inputs]
    streams: list[EventStream[Any]] = [EventStream(source.connect) for source in sources]
    names: dict[str, Any] = {"cgrx": cgrx, "ops": ops, "agg": agg, "rx": rx}
    names |= {"Liquidation": Liquidation, "Trade": Trade, **dict(zip(_NAMES, streams, strict=False))}
    # The cases are ours. As text the code is in the page exactly as it runs here.
    made = eval(case.code, names)
    observable = cast("Observable[Any]", made if isinstance(made, Observable) else made(streams[0]))
    shown = _Shown(case, {id(event): name for source in sources for event, name in source.letters})
    if case.joins is not None:
        observable.subscribe(lambda _: None)
    for column in range(max(len(source.cells) for source in sources)):
        shown.columns.append("")
        if column == (case.joins or 0):
            _subscribe(observable, shown)
        for source in sources:
            source.say(column)
        if shown.columns[-1].endswith(("|", "#")):
            break
    return "".join(cell if len(cell) == 1 else f"({cell})" if cell else "-" for cell in shown.columns)


def _subscribe(observable: Observable[Any], shown: "_Shown") -> None:
    if isinstance(observable, EventStream):
        observable.subscribe_signals(shown)
    else:
        observable.subscribe(lambda item: shown.on_signal(Batch(None, 0, (item,))), shown.on_error, shown.on_completed)


class _Source:
    """A hot stream that says what a text holds, one tick at a time."""

    def __init__(self, timeline: Timeline[Any], cells: list[str], letters: list[tuple[Any, str]]) -> None:
        self.cells = cells
        self.letters = letters
        self._timeline = timeline
        self._fan: FanOut[Any] = FanOut()
        self._columns: list[list[Signal[Any]]] = [[] for _ in cells]
        column = 0
        for signal in timeline.signals:
            column = column if isinstance(signal, Dropped) else _arrival_ms(signal) // TICK_MS
            self._columns[column].append(signal)

    @classmethod
    def of(cls, case: Case, text: str) -> "_Source":
        drawn: Timeline[Any] = marbles(text, case.events, tick=TICK_MS / 1000)
        cells = ticks(text)
        names = iter("".join(re.findall("[0-9A-Za-z]", text)))
        letters: list[tuple[Any, str]] = []

        def at_its_time(event: Any) -> Any:
            name = next(names)
            time_s = case.times.get(name)
            happened = event if time_s is None else msgspec.structs.replace(event, time_ms=int(time_s * 1000))
            letters.append((happened, name))
            return happened

        signals = tuple(
            msgspec.structs.replace(signal, events=tuple(map(at_its_time, signal.events)))
            if isinstance(signal, Batch)
            else signal
            for signal in drawn.signals
        )
        return cls(attrs.evolve(drawn, signals=signals), cells, letters)

    def connect(self, observer: SignalObserver[Any], _: abc.SchedulerBase | None) -> abc.DisposableBase:
        return self._fan.add(observer)

    def say(self, column: int) -> None:
        if column >= len(self.cells):
            return
        for signal in self._columns[column]:
            self._fan.on_signal(signal)
        if column == len(self.cells) - 1:
            if self._timeline.error is not None:
                self._fan.on_error(self._timeline.error)
            elif self._timeline.completed:
                self._fan.on_completed()


def _arrival_ms(signal: Signal[Any]) -> int:
    match signal:
        case Batch(received_ms=time_ms) | Alive(at_ms=time_ms) | Gap(end_ms=time_ms) | Watermark(time_ms=time_ms):
            return time_ms
        case Dropped():
            raise ValueError(f"{signal!r} has no time")


@attrs.define(eq=False)
class _Shown:
    """What has come out, as cells."""

    case: Case
    letters: Mapping[int, str]
    columns: list[str] = attrs.field(factory=list[str])

    def on_signal(self, signal: Signal[Any]) -> None:
        match signal:
            case Batch(events=events):
                self._put("".join(self._letter(event) for event in events))
            case Gap(start_ms=start_ms) if self.case.marks:
                self.columns[start_ms // TICK_MS] += "["
                self._put("]")
            case Dropped(count=count) if self.case.marks:
                self._put("~" * count)
            case Alive() | Watermark() if self.case.marks:
                self._put("^" if isinstance(signal, Alive) else "%")
            case _:
                pass

    def on_error(self, _: Exception) -> None:
        self._put("#")

    def on_completed(self) -> None:
        self._put("|")

    def _put(self, what: str) -> None:
        self.columns[-1] += what

    def _letter(self, result: Any) -> str:
        if id(result) in self.letters:
            return self.letters[id(result)]
        found = [name for name, expected in self.case.results.items() if _matches(expected, result)]
        if len(found) != 1:
            raise AssertionError(f"{self.case.name}: {found or 'no letter'} for {result!r}")
        return found[0]


def _matches(expected: Any, result: Any) -> bool:
    if isinstance(expected, Mapping) and isinstance(result, msgspec.Struct):
        fields = cast("Mapping[str, Any]", expected)
        return all(getattr(result, field) == value for field, value in fields.items())
    if isinstance(expected, Mapping) and isinstance(result, ops.Row):
        fields = cast("Mapping[str, Any]", expected)
        return all(getattr(result, field) == value for field, value in fields.items())
    return bool(expected == result)


def picture(case: Case) -> str:
    """The case as text for people: one line for each stream, the ticks of all below each other, then the letters."""
    names = ["in"] if len(case.inputs) == 1 else list(_NAMES[: len(case.inputs)])
    rows = [ticks(text) for text in (*case.inputs, case.output)]
    length = max(map(len, rows))
    widths = [max(len(_cell(row[i])) if i < len(row) else 1 for row in rows) for i in range(length)]
    ruler = "".join(f"{i if i % 5 == 0 else '':<{width}}" for i, width in _ruled(widths))
    lines = [f"{'second':<8}{ruler}".rstrip()]
    for name, row in zip((*names, "out"), rows, strict=True):
        lines.append(f"{name:<8}{''.join(f'{_cell(cell):<{widths[i]}}' for i, cell in enumerate(row))}".rstrip())
    legend = [*_events(case), *(f"{name} = {_text(value)}" for name, value in case.results.items())]
    return "\n".join([case.code, "", *lines, *(["", *legend] if legend else [])])


def _cell(cell: str) -> str:
    return cell if len(cell) == 1 else f"({cell})"


def _ruled(widths: list[int]) -> list[tuple[int, int]]:
    """The columns of the ruler; a number of two digits takes the place of the next one."""
    found: list[tuple[int, int]] = []
    for column, width in enumerate(widths):
        taken = width - 1 if found and found[-1][0] % 5 == 0 and found[-1][0] >= 10 and found[-1][1] == 1 else width
        found.append((column, taken))
    return found


def _events(case: Case) -> list[str]:
    """What tells the events apart."""
    fields: dict[str, list[tuple[str, object]]] = {}
    used = {name: event for name, event in case.events.items() if any(name in text for text in case.inputs)}
    structs = {name: event for name, event in used.items() if isinstance(event, Liquidation | Trade)}
    kinds = {type(event) for event in structs.values()}
    for name, event in structs.items():
        fields[name] = [("", type(event).__name__)] if len(kinds) > 1 else []
    for field in ("side", "price", "volume_usd", "exchange", "symbol", "base_asset"):
        values: dict[str, object] = {name: getattr(event, field) for name, event in structs.items()}
        if (len(kinds) > 1 and field == "side") or len({(type(value), value) for value in values.values()}) > 1:
            for name, value in values.items():
                fields[name].append((field, value))
    for name, time_s in case.times.items():
        fields.setdefault(name, []).append(("time_ms", int(time_s * 1000)))
    told = {
        name: ", ".join(f"{key}={_text(value)}" if key else str(value) for key, value in pairs)
        for name, pairs in fields.items()
    }
    return [f"{name} = {text}" for name, text in told.items() if text]


def _text(value: object) -> str:
    match value:
        case Mapping():
            fields = cast("Mapping[str, object]", value)
            return ", ".join(f"{field}={_text(each)}" for field, each in fields.items())
        case Enum():
            return value.name.lower()
        case str():
            return value
        case float() if value.is_integer():
            return f"{value:,.0f}"
        case int() if not isinstance(value, bool):
            return str(value)
        case tuple():
            return f"({', '.join(map(_text, cast('tuple[object, ...]', value)))})"
        case _:
            return repr(value)
