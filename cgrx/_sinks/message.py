"""One line of text about an event, a row or an alert, as people read it in a chat. Pure.

    BTC: longs liquidated 5,230,000 USD in 1 m from 2024-01-31 12:03 UTC (above 5,000,000), Binance, Bybit, OKX;
    window still open, INCOMPLETE: gap 2.1 s

(It is one line.) Exchanges and symbols are whatever a server sends, so `one_line` makes them harmless.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.shown import missing
from cgrx.operators._stages.cooldown import Cooled
from cgrx.operators._stages.crosses import Crossing
from cgrx.operators._stages.items import Carried

CUT = "…"
"""What stands where a text was cut."""

_LONGEST_NAME = 60
_MOST_NAMES = 10

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_DONE = {"long": "long liquidated", "short": "short liquidated", "buy": "bought", "sell": "sold"}
"""What has happened, by the word of a side. (The sides themselves are numbers, of which each kind has the same.)"""

_DONE_TO_ALL = _DONE | {"long": "longs liquidated", "short": "shorts liquidated"}

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))

_PRICES = ("close", "last_price")
"""The fields of rows that hold the latest price."""


def message(item: object, *, what: str | None = None) -> str:
    """One line of text about an item: whose, what, how much in US dollars, when, where, and what may be missing.

    What every chat sink sends by default, and `cgrx alert`.

    Args:
        item: an event, a row, a result about one (`ops.Crossing`, `ops.Cooled`, `ops.Joined`), or a text of your own,
            which is made one line. A row that has a `volume` is told by it, and by its `exchanges`, its
            `dominant_side` and its last price, where it has these; another row by all its numbers.
        what: what the rows count, such as `"longs liquidated"`. By default what a key field `side` says, if there is
            one.

    Returns:
        A line in which nothing but letters, signs and spaces is left: control characters, line breaks and marks that
        change the direction of the text are escaped. It holds no markup; whatever a chat would take for such in the
        name of a symbol is still in it, and escaped when it is sent.

    Raises:
        TypeError: another item.

    Examples:
        >>> print(cgrx.sinks.message(liquidation("long", 5_230_117.0)))
        BTC: long liquidated 5,230,117 USD at 60,000.00, Binance BTCUSDT, 1970-01-01 00:00 UTC
        >>> stage = ops.tumbling("1m", by="base_asset")
        >>> (row,) = play(
        ...     stage, [batch(liquidation("long", 5e6, time="1s")), alive("65s")]
        ... )
        >>> print(cgrx.sinks.message(row, what="longs liquidated"))
        BTC: longs liquidated 5,000,000 USD in 1 m from 1970-01-01 00:00 UTC
        >>> crossing = ops.Crossing(row, "volume", 5_000_000, 4_000_000, "above")
        >>> print(cgrx.sinks.message(crossing, what="longs liquidated"))
        BTC: longs liquidated 5,000,000 USD in 1 m from 1970-01-01 00:00 UTC (above 4,000,000)
    """
    match item:
        case str():
            return one_line(item)
        case Liquidation() | Trade():
            return _event(item)
        case Row():
            return _row(item, what, None)
        case Crossing():
            crossing = cast("Crossing[object]", item)
            inner = crossing.item
            if isinstance(inner, Row):
                return _row(inner, what, crossing)
            return f"{message(inner, what=what)} ({_passed(crossing)})"
        case Cooled():
            cooled = cast("Cooled[object]", item)
            text = message(cooled.item, what=what)
            return f"{text}; {cooled.silenced:,} more since the last message" if cooled.silenced else text
        case Carried():
            return message(cast("Carried[object]", item).item, what=what)
        case _:
            raise TypeError(
                f"there is no text for {type(item).__name__}: give text=, a function that makes one of an item"
            )


def one_line(text: str, longest: int | None = None) -> str:
    """The text on one line: its white space joined, what is not printable escaped, cut after `longest` characters."""
    line = " ".join(text.split())
    if not line.isprintable():
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return line if longest is None or len(line) <= longest else line[: longest - len(CUT)] + CUT


def _event(event: Event) -> str:
    return (
        f"{_name(event.base_asset)}: {_DONE[event.side.word]} {_number(event.volume_usd)} USD at {_price(event.price)},"
        f" {_name(event.exchange)} {_name(event.symbol)}, {_moment(event.time_ms)}"
    )


def _row(row: Row, what: str | None, crossing: Crossing[object] | None) -> str:
    facts = ", ".join(_facts(row, what, crossing))
    return "; ".join([f"{subject}: {facts}" if (subject := _subject(row)) else facts, *_quality(row)])


def _subject(row: Row) -> str:
    """Whose row it is, by its key fields: `BTC`, `Binance BTCUSDT`."""
    return " ".join(_name(str(getattr(row, field))) for field in row.key_fields if field != "side")


def _facts(row: Row, what: str | None, crossing: Crossing[object] | None) -> Iterator[str]:
    """What there is to say of the row, the most important first."""
    fields = [field for field, _ in row.aggregates]
    window = f"in {_span(row.end_ms - row.start_ms)} from {_moment(row.start_ms)}"
    if what is None and "side" in row.key_fields:
        what = _DONE_TO_ALL[cast("LiquidationSide | TradeSide", row["side"]).word]
    sums = [f"{what or 'volume'} {_number(row['volume'])} USD"] if "volume" in fields else []
    if crossing is not None:
        window += f" ({_passed(crossing)})"
        if crossing.field != "volume":
            sums.insert(0, f"{crossing.field} {_number(crossing.value)}")
    elif not sums:
        sums = [f"{field} {_number(value)}" for field in fields if isinstance(value := row[field], int | float)]
    yield f"{sums[0] if sums else 'events'} {window}"
    yield from sums[1:]
    if "dominant_side" in fields and row["dominant_side"] is not None:
        yield f"mostly {cast('LiquidationSide', row['dominant_side']).word}s"
    if "exchanges" in fields:
        yield from _names(cast("tuple[str, ...]", row["exchanges"]))
    for field in _PRICES:
        if field in fields and row[field] is not None:
            yield f"price {_price(cast('float', row[field]))}"


def _quality(row: Row) -> Iterator[str]:
    """What the row is not: closed, or complete."""
    if row.withdrawn:
        yield "withdrawn"
    elif not row.complete:
        why = missing(row)
        incomplete = [f"INCOMPLETE: {why}"] if why else []
        yield ", ".join(incomplete if row.final else ["window still open", *incomplete])


def _passed(crossing: Crossing[object]) -> str:
    return f"{'back ' if crossing.back else ''}{crossing.direction} {_number(crossing.level)}"


def _names(names: tuple[str, ...]) -> Iterator[str]:
    yield from (_name(each) for each in names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        yield f"{len(names) - _MOST_NAMES} more exchanges"


def _name(text: str) -> str:
    return one_line(text, _LONGEST_NAME)


def _number(value: object) -> str:
    """A sum or a count: whole from 1000 on, `5,230,000`; else with six digits that matter."""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 or value == round(value, 0) else f"{value:.6g}"


def _price(value: float) -> str:
    """A price with about six digits that matter: `60,123.40`, `1.5000`, `0.0000123457`."""
    return f"{value:,.2f}" if value >= 1000 else f"{value:.4f}" if value >= 1 else f"{Decimal(f'{value:.6g}'):f}"


def _span(ms: int) -> str:
    """How long: in the largest unit that needs no fraction, else in seconds: `1 m`, `90 s`, `4.5 s`, `0.2 s`."""
    return next((f"{ms // size} {unit}" for unit, size in _UNITS if ms % size == 0), f"{ms / 1000:.1f} s")


def _moment(ms: int) -> str:
    """The date and the time in UTC: `2024-01-31 12:03 UTC`, with seconds where there are some."""
    time = _EPOCH + timedelta(milliseconds=ms)
    return f"{time:%Y-%m-%d %H:%M:%S} UTC" if ms % 60_000 else f"{time:%Y-%m-%d %H:%M} UTC"
