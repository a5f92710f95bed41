"""Rows as lines and words: what `--format` chooses for `--window`. Each row is exactly one line.

The fields of jsonl and csv are those of `row.asdict()`, in its order. In csv a withdrawn row has no line.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, cast

from cgrx import operators as ops
from cgrx._cli.terminal.text import dollars, iso, one_line, price
from cgrx._cli.view.event_text import FormatName, LineFormat, csv_line, json_object
from cgrx._cli.view.row_board import key_text, number

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Cell: TypeAlias = Callable[[ops.Row], str]


def missing(row: ops.Row) -> str:
    """What may be missing from a row, such as `gap 2.1 s, 3 dropped`; empty where nothing is.

    Late events belonged to earlier windows, so they alone are no reason: they are named beside another one only.
    """
    words: list[str] = []
    if row.gap_ms is None:
        words.append("gaps unknown")
    elif row.gap_ms:
        words.append(f"gap {row.gap_ms / 1e3:,.1f} s" if row.gap_ms >= 1000 else f"gap {row.gap_ms} ms")
    if row.dropped:
        words.append(f"{row.dropped:,} dropped")
    if words and row.late:
        words.append(f"{row.late:,} late so far")
    return ", ".join(words)


def state(row: ops.Row) -> str:
    """`complete`, `INCOMPLETE: gap 2.1 s`, `running`, `running: gap 2.1 s` or `withdrawn`."""
    if row.complete:
        return "complete"
    if row.withdrawn:
        return "withdrawn"
    word, why = "INCOMPLETE" if row.final else "running", missing(row)
    return f"{word}: {why}" if why else word


def row_formats(kind: type[ops.Row], *, escape_formulas: bool = False) -> dict[FormatName, LineFormat[ops.Row]]:
    """How rows of a class become lines; `escape_formulas` is as of `csv_line`."""
    cells, heading = _columns(kind)

    def csv_row(row: ops.Row) -> str:
        if row.withdrawn:  # no column tells it from a running row
            return ""
        return csv_line(map(csv_cell, row.asdict().values()), escape_formulas=escape_formulas)

    return {
        "table": LineFormat(lambda row: f"{'  '.join(cell(row) for cell in cells)}  {state(row)}\n", heading),
        "jsonl": LineFormat(lambda row: json_object(row.asdict())),
        "csv": LineFormat(csv_row, csv_line(kind.fields)),
    }


def csv_cell(value: object) -> object:
    """A value as JSON spells it, a list with blanks between; the csv module writes None as nothing."""
    if isinstance(value, list):
        return " ".join(map(str, cast("list[object]", value)))
    return str(value).lower() if isinstance(value, bool) else value


def _start(row: ops.Row) -> datetime:
    return _EPOCH + timedelta(milliseconds=row.start_ms)


_KEY_WIDTHS = {"base_asset": 10, "exchange": 11, "symbol": 16, "side": 5}
_WIDTHS = {"count": 8, "dominant_side": 13, "exchanges": 32}


def _columns(kind: type[ops.Row]) -> tuple[list[Cell], str]:
    """The cells of a plain line, and the line of their names."""
    cells: list[Cell] = [lambda row: iso(_start(row))[:-1].replace("T", " ")]
    names = [f"{'start':<23}"]
    for field in kind.key_fields:
        cells.append(_key_cell(field, _KEY_WIDTHS[field]))
        names.append(f"{field:<{_KEY_WIDTHS[field]}}")
    for field, _ in kind.aggregates:
        width = _WIDTHS.get(field, 12)
        if field in TEXTS:
            cells.append(_text_cell(field, width))
            names.append(f"{field:<{width}}")
        else:
            cells.append(_value_cell(field, width))
            names.append(f"{field:>{width}}")
    return cells, f"{'  '.join(names)}  state\n"


def _key_cell(field: str, width: int) -> Cell:
    return lambda row: f"{one_line(key_text(row, field), 60):<{width}}"


def _value_cell(field: str, width: int) -> Cell:
    def text(row: ops.Row) -> str:
        return f"{value_text(number(row, field), field):>{width}}"

    return text


def _text_cell(field: str, width: int) -> Cell:
    return lambda row: f"{text_value(row, field, width):<{width}}"


TEXTS = ("dominant_side", "exchanges", "flow_quality")
"""The values of rows that are no numbers."""


def text_value(row: ops.Row, field: str, most: int) -> str:
    """One of these values as people read it, at most so wide."""
    value = row[field]
    if value is None:
        return "-"
    return one_line(
        " ".join(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else key_text(row, field), most
    )


def value_text(value: float | None, field: str, amount: Callable[[float], str] = dollars) -> str:
    """A value as people read it: prices, counts, amounts (by `amount`), and `delta` with its sign."""
    if value is None:
        return "-"
    match field:
        case "open" | "high" | "low" | "close" | "vwap" | "first_price" | "last_price":
            return price(value)
        case "count":
            return f"{value:,}"
        case "delta" | "flow_delta":
            return f"{'-' if value < 0 else '+'}{amount(abs(value))}"
        case _:
            return amount(value)
