"""The options of windows: what they ask for, and what cannot be used."""

from typing import Any

import pytest

from cgrx import operators as ops
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.view.windows import Windowing
from cgrx._cli.window_options import WindowOptions


def windowing(**options: Any) -> Windowing:
    found = WindowOptions(**options).windowing()
    assert found is not None
    return found


def test_no_window() -> None:
    assert WindowOptions().windowing() is None


def test_a_window_is_a_tumbling_one() -> None:
    found = windowing(window="1m")
    assert found.stage(updates=False) == ops.tumbling("1m")
    assert found.stage(updates=True) == ops.tumbling("1m", updates="1s")
    assert found.words == "1m"
    assert not found.running


def test_every_makes_it_slide() -> None:
    found = windowing(window="1m", every="10s", by=("base_asset",), running=True)
    assert found.stage(updates=False) == ops.sliding("1m", "10s", found.row)
    assert found.stage(updates=True) == ops.sliding("1m", "10s", found.row, updates="1s")
    assert found.words == "1m every 10s by base_asset"
    assert found.running


def test_leaders() -> None:
    found = windowing(window="1m", by=("base_asset",), top=10)
    assert (found.leaders(), found.words) == ((ops.top(10, "volume"),), "1m by base_asset, top 10")
    found = windowing(window="1m", by=("base_asset",), top=3, top_by="delta")
    assert (found.leaders(), found.words) == ((ops.top(3, "delta"),), "1m by base_asset, top 3 by delta")
    assert windowing(window="1m").leaders() == ()


def test_every_as_long_as_the_window() -> None:
    assert windowing(window="1m", every="60s").stage(updates=False) == ops.tumbling("1m")


@pytest.mark.parametrize(
    ("options", "stage"),
    [
        ({"window": "1d", "zone": "Europe/Berlin"}, ops.tumbling("1d", zone="Europe/Berlin")),
        ({"window": "1d", "zone": "UTC"}, ops.tumbling("1d")),
        ({"window": "1w"}, ops.tumbling("1w")),
        (
            {"window": "1w", "zone": "America/New_York", "start": "17:00", "week_start": "sunday"},
            ops.tumbling("1w", zone="America/New_York", start="17:00", week_start="sunday"),
        ),
        ({"window": "1q"}, ops.tumbling("1q")),
        ({"window": "8h", "offset": "4h"}, ops.tumbling("8h", offset="4h")),
        ({"window": "8h", "every": "1h", "offset": "30m"}, ops.sliding("8h", "1h", offset="30m")),
    ],
)
def test_windows_by_the_calendar_and_at_an_offset(options: dict[str, Any], stage: ops.Stage[Any, Any]) -> None:
    found = windowing(**options)
    assert found.stage(updates=False) == stage
    assert found.words == options["window"] + (" every 1h" if "every" in options else "") + (
        f" of {options['zone']}" if "zone" in options else ""
    )


@pytest.mark.parametrize(
    ("by", "kind", "keys"),
    [
        ((), ops.Flow, ()),
        (("exchange",), ops.Flow, ("exchange",)),
        (("symbol",), ops.Flow, ("symbol",)),
        (("exchange", "symbol"), ops.Bar, ("exchange", "symbol")),
        (("symbol", "exchange"), ops.Bar, ("symbol", "exchange")),
        (("side", "exchange", "symbol"), ops.Bar, ("side", "exchange", "symbol")),
    ],
)
def test_rows_are_bars_where_the_key_fixes_the_instrument(
    by: tuple[str, ...], kind: type[ops.Row], keys: tuple[str, ...]
) -> None:
    row = windowing(window="1m", by=by).row
    assert issubclass(row, kind)
    assert row.key_fields == keys


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"window": "1x"}, "--window 1x cannot be used: give a duration such as 250ms, 5s, 1m, 4h or 1d"),
        ({"window": "0s"}, "--window 0s cannot be used"),
        ({"window": "60"}, "--window 60 cannot be used"),
        ({"window": "nan"}, "--window nan cannot be used"),
        ({"window": "1m", "every": ""}, "--every  cannot be used"),
        ({"window": "1m", "every": "2m"}, "--every 2m is more than --window 1m: events between"),
        (
            {"window": "1M"},
            "--window 1M cannot be used: give a duration such as 250ms, 5s, 1m, 4h or 1d, or 1w, 1mo, 1q",
        ),
        ({"window": "2w"}, "size='2w' does not say with which week to begin"),
        ({"window": "1d", "zone": "Europe/Berln"}, "zone='Europe/Berln' is no time zone: did you mean Europe/Berlin"),
        ({"window": "1d", "zone": ""}, "zone='' is no time zone"),
        ({"window": "4h", "zone": "Asia/Kolkata"}, "zone='Asia/Kolkata' is for the sizes of a calendar"),
        ({"window": "1d", "zone": "Europe/Berlin", "start": "02:30"}, "start='02:30' does not exist on 2015-03-29 in"),
        ({"window": "1w", "every": "1d"}, "--every 1d is for windows of a fixed length, such as 7d"),
        ({"window": "8h", "offset": "8h"}, "offset='8h' is not less than size='8h'"),
        ({"window": "8h", "offset": "x"}, "offset='x' is not a duration"),
        ({"zone": "UTC"}, "--zone says which rows"),
        ({"top": 3, "by": ("side",)}, "--by says which rows"),
        ({"top": 3}, "--top says which rows"),
        ({"window": "1m", "top": 3}, "--top 3 ranks the groups of --by: add --by, such as --by base_asset"),
        ({"window": "1m", "top": 3, "by": ("side",), "running": True}, "--top 3 gives final rows alone: leave out"),
        ({"top_by": "count"}, "--top-by says which rows"),
        ({"window": "1m", "top_by": "count"}, "--top-by count says how --top ranks: add --top, such as --top 10"),
        (
            {"window": "1m", "top": 3, "by": ("exchange", "symbol"), "top_by": "delta"},
            "--top-by delta is no number of rows by exchange and symbol: give volume or count",
        ),
        ({"week_start": "sunday"}, "--week-start says which rows"),
        ({"every": "1s"}, "--every says which rows a window gives: add --window, such as --window 1m"),
        ({"by": ("exchange",)}, "--by says which rows"),
        ({"running": True}, "--running says which rows"),
    ],
)
def test_what_cannot_be_used(options: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        WindowOptions(**options).windowing()
    assert caught.value.exit == Exit.USAGE
    assert str(caught.value).startswith(said)
