"""Events as lines: what `--format` chooses. Each event is exactly one line, whatever the server put into it.

The fields of jsonl and csv are those of `event.asdict()`, in its order.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, Literal, TypeAlias, TypeVar

import attrs
import msgspec

from cgrx import Event
from cgrx._cli.terminal.text import dollars, iso, one_line, price, visible

T = TypeVar("T")

FormatName: TypeAlias = Literal["table", "jsonl", "csv"]

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with, in both widths. Tabs and line ends, which may stand before one, are escaped in any case.

Source: https://owasp.org/www-community/attacks/CSV_Injection.
"""

FIELDS = ("kind", "base_asset", "exchange", "symbol", "side", "price", "volume_usd", "time_ms")
"""The fields of an event, for the header of csv."""


def json_object(fields: Mapping[str, object]) -> str:
    """One JSON object on a line. Characters that are not printable become JSON escapes: parsing restores them."""
    line = msgspec.json.encode(fields).decode()
    if line.isprintable():
        return line + "\n"
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line) + "\n"


def csv_line(values: Iterable[object], *, escape_formulas: bool = False) -> str:
    """One row as RFC 4180 quotes it, ended by a line feed; texts are escaped as on a terminal.

    With `escape_formulas` an apostrophe stands before each text that a spreadsheet would take for a formula. Numbers
    stay numbers.
    """
    line = io.StringIO()
    escaped = [visible(value) if isinstance(value, str) else value for value in values]
    if escape_formulas:
        escaped = [f"'{each}" if isinstance(each, str) and each.startswith(_FORMULA) else each for each in escaped]
    csv.writer(line, lineterminator="\n").writerow(escaped)
    return line.getvalue()


def plain_line(event: Event) -> str:
    """Aligned columns for people, wide enough for usual values."""
    time = iso(event.datetime)[:-1].replace("T", " ")
    return (
        f"{time}  {event.kind:<11}  {one_line(event.exchange, 40):<11}  {one_line(event.symbol, 60):<16}"
        f"  {event.side.word:<5}  {price(event.price):>12}  {dollars(event.volume_usd):>12} USD\n"
    )


@attrs.frozen
class LineFormat(Generic[T]):
    """How events, or rows, become lines."""

    line: Callable[[T], str]
    header: str = ""

    def lines(self, items: Iterable[T]) -> bytes:
        """The lines of these items, in UTF-8."""
        return "".join(map(self.line, items)).encode("utf-8", "backslashreplace")


def event_formats(*, escape_formulas: bool = False) -> dict[FormatName, LineFormat[Event]]:
    """How events become lines; `escape_formulas` is as of `csv_line`."""
    return {
        "table": LineFormat(plain_line),
        "jsonl": LineFormat(lambda event: json_object(event.asdict())),
        "csv": LineFormat(
            lambda event: csv_line(event.asdict().values(), escape_formulas=escape_formulas), csv_line(FIELDS)
        ),
    }
