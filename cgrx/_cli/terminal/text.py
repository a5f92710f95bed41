r"""Text from elsewhere made harmless for a terminal, and numbers and times as people read them.

A symbol, a notice or a close reason is whatever the server sends. Control characters, escape sequences, line breaks,
bidirectional overrides and invisible characters are shown as Python writes them (`\x1b`, `\u202e`), never sent.
`str.isprintable`, which follows Unicode, decides. Nothing is ever read as markup.
"""

from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 2_000
"""Characters of a line: enough for the statement that makes a table."""


def visible(text: str) -> str:
    """The text with every character that is not printable escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str, longest: int = _LONGEST) -> str:
    """The text on one line of at most `longest` characters, its white space joined, the rest escaped."""
    # Cut before it is taken apart: a message may be a mebibyte.
    line = visible(" ".join(text[: 4 * longest].split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def clock(time_ms: int) -> str:
    """The time of day in UTC, `12:00:00.123`."""
    return f"{_EPOCH + timedelta(milliseconds=time_ms):%H:%M:%S}.{time_ms % 1000:03}"


def second(time_ms: int) -> str:
    """The time of day in UTC to the second, `12:00:00`."""
    return f"{_EPOCH + timedelta(milliseconds=time_ms):%H:%M:%S}"


def date(time_ms: int, zone: tzinfo = UTC) -> str:
    """The day in UTC or another zone, `2024-01-31`."""
    return f"{(_EPOCH + timedelta(milliseconds=time_ms)).astimezone(zone):%Y-%m-%d}"


def iso(time: datetime) -> str:
    """An aware UTC datetime as ISO 8601 with milliseconds and `Z`."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def price(value: float) -> str:
    """A price with about six digits that matter: `60,123.40`, `0.112345`."""
    if value >= 1000:
        return f"{value:,.2f}"
    return f"{value:.4f}" if value >= 1 else f"{value:.6g}"


def dollars(value: float) -> str:
    """Whole US dollars: `1,234,567`; cents where it is less than one."""
    return f"{value:,.0f}" if value >= 1 or value == 0 else f"{value:.2f}"


def short_dollars(value: float) -> str:
    """The same in at most six characters: `123`, `12.3k`, `1.2M`."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:,.1f}{unit}" if value < 100 * size else f"{value / size:,.0f}{unit}"
    return dollars(value)


def counted(count: int, one: str) -> str:
    """`1 gap`, `2 gaps`, `1,234 gaps`."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"
