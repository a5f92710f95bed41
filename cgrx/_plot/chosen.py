"""What to draw of which rows, as plain records: everything about a chart but how altair says it.

Each record is one window of one key. All records of a chart have the same fields, so that one set of data serves all of
its layers, in each of its panels.
"""

import math
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Literal, TypeAlias, get_args

import attrs

from cgrx._model import html
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.shown import quality
from cgrx.operators._rows.standing import Latest

Kind: TypeAlias = Literal["candles", "sides", "lines", "delta"]
Record: TypeAlias = dict[str, Any]

MOST = 5_000
"""How many windows are drawn unless told otherwise: a browser is still quick with them."""

LINES = 7
"""How many lines can be told apart."""
PANELS = 12
"""How many panels one chart has at most."""

PRICES = ("open", "high", "low", "close")
SIDES = (("buy_volume", "sell_volume"), ("buy", "sell"), ("short", "long"))
"""The names under which rows have what was bought and what was sold."""
LABELS = {
    "buy_volume": "bought, or shorts liquidated",
    "sell_volume": "sold, or longs liquidated",
    "buy": "bought",
    "sell": "sold",
    "short": "shorts liquidated",
    "long": "longs liquidated",
}
VOLUME_SHARE = 0.25
"""How much of the height of the candles is added beneath them, for the volume."""
INSET = 0.15
"""How much of a window's length stays free on either side of what is drawn for it."""


@attrs.frozen
class Picture:
    """What to draw."""

    kind: Kind
    records: Sequence[Record]
    title: str
    subtitle: str
    """What the reader must know of the quality, and of what is left out; empty where nothing is."""
    panels: tuple[str, ...] = ()
    """For candles: the titles of the panels, one for each instrument."""
    value: str = ""
    """For lines: what they show."""
    labels: tuple[str, str] = ("", "")
    """For sides: what stands above zero, and what beneath."""


def chosen(rows: Iterable[Row], kind: Kind | None, value: str | None, most: float) -> Picture:
    """Check the arguments of `plot`, and choose.

    Raises:
        ValueError, TypeError: see `plot`.
    """
    found, row_type = _latest(rows)
    if len(found) > most:
        raise ValueError(
            f"plot() draws at most {most:,} windows, not {len(found):,}: give it a part, such as rows[-{most:g}:], make"
            " the windows longer, or pass most=..."
        )
    kind = _fitting(row_type) if kind is None else kind
    if value is not None and kind != "lines":
        raise ValueError(f'value={value!r} is for kind="lines", not for kind={kind!r}')
    match kind:
        case "candles":
            _require(row_type, kind, PRICES)
            return _candles(found)
        case "sides":
            return _sides(found, _side_fields(row_type, kind))
        case "lines":
            return _lines(found, _value(row_type, value))
        case "delta":
            return _delta(found, _side_fields(row_type, kind))
        case _:
            raise ValueError(f"kind={kind!r} is none of {', '.join(map(repr, get_args(Kind)))}")


def _latest(rows: Iterable[Row]) -> tuple[list[Row], type[Row]]:
    """The last row of each window and key, in order of time."""
    latest = Latest()
    row_type: type[Row] | None = None
    for row in rows:
        if not isinstance(row, Row):
            raise TypeError(f"plot() takes rows, not {row!r}")
        if row_type is not None and type(row) is not row_type:
            raise TypeError(f"plot() takes rows of one class, not of {row_type.__name__} and {type(row).__name__}")
        row_type = type(row)
        latest.add(row)
    found = latest.in_order()
    if row_type is None or not found:
        raise ValueError("plot() has nothing to draw: there is no row")
    return found, row_type


def _fitting(row_type: type[Row]) -> Kind:
    if set(PRICES) <= set(row_type.fields):
        return "candles"
    return "sides" if any(set(pair) <= set(row_type.fields) for pair in SIDES) else "lines"


def _require(row_type: type[Row], kind: str, fields: Iterable[str]) -> None:
    missing = [field for field in fields if field not in row_type.fields]
    if missing:
        raise ValueError(f"kind={kind!r} needs the field {missing[0]!r}; {row_type.__name__} has {_own(row_type)}")


def _side_fields(row_type: type[Row], kind: str) -> tuple[str, str]:
    for pair in SIDES:
        if set(pair) <= set(row_type.fields):
            return pair
    pairs = " or ".join(f"{bought!r} and {sold!r}" for bought, sold in SIDES)
    raise ValueError(f"kind={kind!r} needs the fields {pairs}; {row_type.__name__} has {_own(row_type)}")


def _value(row_type: type[Row], value: str | None) -> str:
    numbers = [name for name, aggregate in row_type.aggregates if aggregate.kind in (int, float)]
    if value is None:
        if not numbers:
            raise ValueError(f'kind="lines" needs a field that is a number; {row_type.__name__} has {_own(row_type)}')
        return "volume" if "volume" in numbers else numbers[0]
    if value not in numbers:
        raise ValueError(
            f"value={value!r} is no number of {row_type.__name__}; those are {', '.join(numbers) or 'none'}"
        )
    return value


def _own(row_type: type[Row]) -> str:
    return ", ".join(name for name, _ in row_type.aggregates) or "no aggregate"


def _key(row: Row) -> str:
    """The key as text: `Binance BTCUSDT`."""
    return " ".join(each.name.lower() if isinstance(each, Enum) else str(each) for each in row.identity[1:]) or "all"


def _record(row: Row, **fields: object) -> Record:
    """What every kind of chart needs of a window."""
    start, end = html.moment(row.start_ms), html.moment(row.end_ms)
    inset = (row.end_ms - row.start_ms) * INSET
    return {
        "start": row.start_ms,
        "end": row.end_ms,
        "left": row.start_ms + inset,
        "right": row.end_ms - inset,
        "middle": (row.start_ms + row.end_ms) / 2,
        "window": f"{start} to {end[11:] if start[:10] == end[:10] else end} UTC",
        "key": _key(row),
        "quality": quality(row),
        "gap": bool(row.gap_ms),
        "hatched": not row.complete,
        **fields,
    }


def _once_a_window(records: Iterable[Record]) -> None:
    """Shade and hatch each window once, however many keys it has."""
    for field in ("gap", "hatched"):
        seen: set[tuple[int, int]] = set()
        for record in records:
            window = (record["start"], record["end"])
            record[field] = record[field] and window not in seen
            if record[field]:
                seen.add(window)


def _range(values: Iterable[object]) -> tuple[float, float]:
    """The least and the greatest of the numbers; 0 and 1 where there is none."""
    known = [float(value) for value in values if isinstance(value, int | float) and math.isfinite(value)]
    return (min(known), max(known)) if known else (0.0, 1.0)


def _levels(records: Sequence[Record], values: Iterable[object]) -> None:
    """Say between which values windows are hatched: the least and the greatest that are drawn."""
    low, high = _range(values)
    for record in records:
        record |= {"floor": low, "ceiling": high}


def _told(rows: Sequence[Row], *left_out: str) -> str:
    """The subtitle."""
    windows = {(row.start_ms, row.end_ms): True for row in rows}
    for row in rows:
        windows[row.start_ms, row.end_ms] &= row.complete
    bad = sum(not complete for complete in windows.values())
    parts = (
        [f"{bad:,} of {len(windows):,} windows incomplete: hatched, and shaded where they have a gap"] if bad else []
    )
    return "; ".join([*parts, *filter(None, left_out)])


def _candles(rows: Sequence[Row]) -> Picture:
    keys: dict[str, float] = {}
    for row in rows:
        keys[_key(row)] = keys.get(_key(row), 0.0) + _number(row, "volume")
    panels = _largest(keys, PANELS)
    drawn = [row for row in rows if _key(row) in panels]
    records = [record for panel in sorted(panels) for record in _panel([row for row in drawn if _key(row) == panel])]
    titles = tuple(dict.fromkeys(record["panel"] for record in records))
    left_out = f"the {len(panels)} of {len(keys)} instruments with the most volume" if len(panels) < len(keys) else ""
    title = titles[0] if len(titles) == 1 else f"{len(titles)} instruments"
    return Picture("candles", records, title, _told(drawn, left_out), panels=titles)


def _panel(rows: Sequence[Row]) -> list[Record]:
    """The candles of one instrument; beneath them, on the same axis, their volume."""
    low, high = _range(row[name] for row in rows for name in ("low", "high"))
    span = (high - low) or abs(high)
    floor = low - 1.15 * VOLUME_SHARE * span
    volumes = [_number(row, "volume") for row in rows]
    scale = VOLUME_SHARE * span / (max(volumes) or 1.0)
    title = f"{_key(rows[0])}, volume up to {html.number(max(volumes))} USD"
    records: list[Record] = []
    for row, volume in zip(rows, volumes, strict=True):
        prices: Record = {name: row[name] for name in PRICES}
        first, last = prices["open"], prices["close"]
        known = first is not None  # a window without an event has no price
        record = _record(row, panel=title, volume=volume, count=row.asdict().get("count"), **prices)
        record |= {"floor": floor, "ceiling": high, "volume_top": floor + scale * volume}
        record |= {"known": known, "rises": known and last >= first}
        record |= {"bottom": min(first, last) if known else None, "top": max(first, last) if known else None}
        records.append(record)
    return records


def _sides(rows: Sequence[Row], fields: tuple[str, str]) -> Picture:
    windows: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        windows.setdefault((row.start_ms, row.end_ms), []).append(row)
    records: list[Record] = []
    for several in windows.values():
        worst = next((row for row in several if not row.complete), several[0])
        bought, sold = (math.fsum(_number(row, field) for row in several) for field in fields)
        record = _record(worst, bought=bought, sold=sold, down=-sold, delta=bought - sold)
        record["gap"] = any(row.gap_ms for row in several)
        record["key"] = f"{len(several)} keys" if len(several) > 1 else record["key"]
        records.append(record)
    _levels(records, (value for record in records for value in (record["bought"], record["down"])))
    title = (
        " and ".join(dict.fromkeys(map(_key, rows))) if len({_key(row) for row in rows}) <= 3 else "all keys together"
    )
    return Picture("sides", records, title, _told(rows), labels=(LABELS[fields[0]], LABELS[fields[1]]))


def _lines(rows: Sequence[Row], value: str) -> Picture:
    return _as_lines(rows, [(row, row[value]) for row in rows], "lines", value, value)


def _delta(rows: Sequence[Row], fields: tuple[str, str]) -> Picture:
    """Sums over time. Running rows count too: they are the last ones."""
    sums: dict[str, list[float]] = {}
    ends: dict[str, int] = {}
    pairs: list[tuple[Row, object]] = []
    for row in rows:
        key = _key(row)
        if row.start_ms < ends.get(key, row.start_ms):
            raise ValueError('kind="delta" adds windows up, but these overlap: events would count more than once')
        ends[key] = row.end_ms
        bought, sold = (_number(row, field) for field in fields)
        terms = sums.setdefault(key, [0.0])
        terms.append(terms[-1] + bought - sold)
        pairs.append((row, terms[-1]))
    return _as_lines(rows, pairs, "delta", "cumulative delta", "bought minus sold so far")


def _as_lines(rows: Sequence[Row], pairs: Sequence[tuple[Row, object]], kind: Kind, title: str, value: str) -> Picture:
    sizes: dict[str, float] = {}
    for row, number in pairs:
        size = abs(number) if isinstance(number, int | float) else 0.0
        sizes[_key(row)] = max(sizes.get(_key(row), 0.0), size)
    keys = _largest(sizes, LINES)
    drawn = [(row, number) for row, number in pairs if _key(row) in keys]
    records = [_record(row, value=number) for row, number in drawn]
    _once_a_window(records)
    _levels(records, (number for _, number in drawn))
    left_out = f"the {len(keys)} of {len(sizes)} keys that reach furthest" if len(keys) < len(sizes) else ""
    return Picture(kind, records, title, _told([row for row, _ in drawn], left_out), value=value)


def _largest(sizes: dict[str, float], most: int) -> list[str]:
    """The names with the largest numbers, in the order in which they came."""
    chosen = set(sorted(sizes, key=lambda name: -sizes[name])[:most])
    return [name for name in sizes if name in chosen]


def _number(row: Row, field: str) -> float:
    """A value of the row as a number; 0 where it has none."""
    value = row.asdict().get(field)
    return float(value) if isinstance(value, int | float) else 0.0
