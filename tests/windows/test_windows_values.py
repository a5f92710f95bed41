"""Windows as values: they compare, hash, pickle and print as code; arguments that make no sense are refused."""

import math
import pickle
from datetime import timedelta
from typing import Any

import pytest
import reactivex.operators as rx
from reactivex.subject import Subject

import cgrx
from cgrx import operators as ops
from cgrx._model.events import Liquidation, Trade
from cgrx._streams.stream import EventStream, Stage
from cgrx.operators import agg
from tests.streams.streaming import Hot
from tests.windows.windowing import BEGUN, CHANNEL, Tally, alive, hear, on_time, rows, stream, trade


def take_late(event: Any) -> None:
    """For the tests of `on_late=`."""


CODE: dict[str, Stage[Any, Any]] = {
    'tumbling("1m")': ops.tumbling("1m"),
    'tumbling("1500ms", Tally)': ops.tumbling(1.5, Tally),
    'tumbling("2h", Bar, by=("exchange", "symbol"))': ops.tumbling("120m", ops.Bar, by=("exchange", "symbol")),
    'tumbling("1d", by="exchange", n=agg.count())': ops.tumbling(timedelta(days=1), by="exchange", n=agg.count()),
    'tumbling("1s", Tally, extra=agg.vwap())': ops.tumbling("1s", Tally, extra=agg.vwap()),
    'tumbling("1s", lateness="0s", idle="5s", on_late=take_late, max_keys=7)': ops.tumbling(
        "1s", lateness=0, idle=5, on_late=take_late, max_keys=7
    ),
    'tumbling("1s", updates="250ms", emit_empty=True)': ops.tumbling("1s", updates="250ms", emit_empty=True),
    'tumbling("1d", Bar, by=("exchange", "symbol"), zone="America/New_York", start="17:00")': ops.tumbling(
        "1d", ops.Bar, by=("exchange", "symbol"), start="17:00", zone="America/New_York"
    ),
    'tumbling("1w", zone="Europe/Berlin", start="06:30:15", week_start="sunday", updates="1m")': ops.tumbling(
        " 1 w", zone="Europe/Berlin", start="06:30:15", week_start="sunday", updates=60
    ),
    'tumbling("1w")': ops.tumbling("1w", week_start="monday", zone="UTC", start="00:00"),
    'tumbling("2mo")': ops.tumbling("2mo"),
    'tumbling("1q")': ops.tumbling("3mo"),
    'tumbling("1y", emit_empty=True)': ops.tumbling("4q", emit_empty=True),
    'tumbling("1d", offset="17h")': ops.tumbling("1d", start="17:00"),
    'tumbling("8h", offset="4h")': ops.tumbling("8h", offset=timedelta(hours=4)),
    'sliding("8h", "1h", offset="30m")': ops.sliding("8h", "1h", offset="30m"),
    'sliding("1m", "10s", by="symbol", max_keys=math.inf)': ops.sliding("1m", "10s", by="symbol", max_keys=math.inf),
    'session("30s", Tally, by="symbol")': ops.session("30s", Tally, by=["symbol"]),
    'count_bars(100, by="symbol")': ops.count_bars(100, by="symbol"),
    'volume_bars(1000000.0, by="symbol", updates="1s")': ops.volume_bars(1e6, by="symbol", updates="1s"),
    "final()": ops.final(),
}


@pytest.mark.parametrize(("code", "stage"), CODE.items(), ids=CODE)
def test_windows_are_values(code: str, stage: Stage[Any, Any]) -> None:
    names = {**{name: getattr(ops, name) for name in ops.__all__}, "agg": agg, "math": math}
    again = eval(code, {**names, "Tally": Tally, "take_late": take_late})
    assert repr(stage) == code
    for other in (again, pickle.loads(pickle.dumps(stage))):
        assert other == stage
        assert hash(other) == hash(stage)
    assert sum(stage == other for other in CODE.values()) == 1


def any_of(value: object) -> Any:
    """A value whose type the checkers need not know."""
    return value


def test_equal_rows_make_equal_windows() -> None:
    """However they are told."""
    assert ops.tumbling("1s") == ops.tumbling("1s", ops.Flow) == ops.sliding("1s", 1)
    assert ops.tumbling("1s", by="symbol") == ops.tumbling("1000ms", by=("symbol",))
    assert ops.tumbling("1s", by="symbol") != ops.tumbling("1s", by="exchange")
    assert ops.tumbling("1d") == ops.tumbling("1d", zone="UTC") == ops.tumbling("24h", offset=0)
    assert ops.tumbling("1w") != ops.tumbling("7d")


def test_a_stage_keeps_no_state() -> None:
    stage = ops.tumbling("1s", Tally, lateness=0)
    signals = (BEGUN, on_time(500, 1500))
    assert rows(stage, *signals) == rows(stage, *signals)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ops.tumbling("0s"), "size='0s' is too short"),
        (lambda: ops.tumbling(0.0004), "size=0.0004 is too short"),
        (lambda: ops.tumbling(-1), "size=-1 must not be negative"),
        (lambda: ops.tumbling(math.nan), "size=nan must not be negative or NaN"),
        (lambda: ops.tumbling(math.inf), "size=inf must be finite"),
        (
            lambda: ops.tumbling("soon"),
            'or a number of seconds; or a size of the calendar: "1d", "1w", "1mo", "1q" or "1y"',
        ),
        (lambda: ops.tumbling("1M"), "size='1M' is not a duration"),
        (lambda: ops.tumbling("2w"), "size='2w' does not say with which week to begin: give \"1w\""),
        (lambda: ops.tumbling("0w"), "size='0w' does not say"),
        (lambda: ops.tumbling("5mo"), 'size=\'5mo\' does not divide a year: give "1mo", "2mo", "1q"'),
        (lambda: ops.tumbling("0mo"), "size='0mo' does not divide a year"),
        (lambda: ops.tumbling("2y"), "size='2y' does not divide a year"),
        (
            lambda: ops.tumbling("1w", week_start=any_of("sun")),
            "week_start='sun' is no day of the week: give 'mon",
        ),
        (lambda: ops.tumbling("1d", week_start="sunday"), "week_start='sunday' is for size=\"1w\""),
        (lambda: ops.tumbling("1w", start="5pm"), 'start=\'5pm\' is no time of day: give "HH:MM" or "HH:MM:SS"'),
        (lambda: ops.tumbling("1w", start="24:00"), "start='24:00' is no time of day"),
        (
            lambda: ops.tumbling("1d", zone="America/New_York", start="02:30"),
            "start='02:30' does not exist on 2015-03-08 in America/New_York",
        ),
        (
            lambda: ops.tumbling("1w", zone="America/New_York", start="02:30", week_start="sunday"),
            "start='02:30' does not exist on 2015-03-08",
        ),
        (
            lambda: ops.tumbling("1d", zone="Australia/Lord_Howe", start="02:15"),
            "start='02:15' does not exist on 2015-10-04 in Australia/Lord_Howe",
        ),
        (
            lambda: ops.tumbling("1d", zone="Europe/Berln"),
            "zone='Europe/Berln' is no time zone: did you mean Europe/Berlin",
        ),
        (lambda: ops.tumbling("1w", zone="new york"), "did you mean America/New_York? give a name of the IANA"),
        (lambda: ops.tumbling("1w", zone="xx"), "zone='xx' is no time zone: give a name of the IANA database, such as"),
        (lambda: ops.tumbling("1w", zone=""), "zone='' is no time zone: give"),
        (lambda: ops.tumbling("1w", zone="Europe"), "zone='Europe' is no time zone"),
        (lambda: ops.tumbling("1w", zone="../UTC"), "zone='../UTC' is no time zone"),
        (
            lambda: ops.tumbling("4h", zone="Asia/Kolkata"),
            "zone='Asia/Kolkata' is for the sizes of a calendar",
        ),
        (lambda: ops.tumbling("7d", zone="UTC"), "size='7d' is a fixed length: give one of those, or offset="),
        (lambda: ops.tumbling(86_400, start="17:00"), "start='17:00' is for the sizes of a calendar"),
        (lambda: ops.tumbling("8h", week_start="sunday"), "week_start='sunday' is for the sizes of a calendar"),
        (lambda: ops.tumbling("1w", offset="4h"), "offset='4h' moves windows of a fixed length"),
        (lambda: ops.tumbling("1d", offset="4h", zone="UTC"), "offset='4h' moves windows of a fixed length"),
        (lambda: ops.tumbling("8h", offset="8h"), "offset='8h' is not less than size='8h': give less"),
        (lambda: ops.tumbling("8h", offset="-1h"), "offset='-1h' is not a duration"),
        (lambda: ops.sliding("8h", "1h", offset="1h"), "offset='1h' is not less than every='1h'"),
        (lambda: ops.sliding("1mo", "1d"), "size='1mo' is a size of the calendar, and windows that overlap"),
        (lambda: ops.sliding("7d", "1w"), "every='1w' is not a duration"),
        (lambda: ops.tumbling("1s", by="price"), "'price' is no field"),
        (lambda: ops.tumbling("1s", start_ms=agg.count()), "'start_ms' is a field of every such row already"),
        (lambda: ops.tumbling("1s", Tally, n=agg.count()), "'n' is a field"),
        (lambda: ops.tumbling("1s", ops.Bar, by="exchange"), "'exchange' and 'symbol'"),
        (lambda: ops.tumbling("1s", ops.Bar), "'exchange' and 'symbol'"),
        (lambda: ops.tumbling("1s", lateness="-1s"), "lateness='-1s'"),
        (lambda: ops.tumbling("1s", lateness=math.inf), "lateness=inf"),
        (lambda: ops.tumbling("1s", idle="x"), "idle='x'"),
        (lambda: ops.tumbling("1s", updates=0.0001), "updates=0.0001 is too short"),
        (lambda: ops.tumbling("1s", updates=-1), "updates=-1 must not be negative"),
        (lambda: ops.tumbling("1s", max_keys=0), "max_keys=0 takes a whole number"),
        (lambda: ops.sliding("1s", "2s"), "every='2s' is more than size='1s'"),
        (lambda: ops.sliding("1s", 0), "every=0 is too short"),
        (lambda: ops.session("0ms"), "gap='0ms' is too short"),
        (lambda: ops.count_bars(0), "n=0 takes a whole number, 1 or more"),
        (lambda: ops.volume_bars(0), "usd=0 takes a finite number of US dollars above 0"),
        (lambda: ops.volume_bars(math.nan), "usd=nan"),
        (lambda: ops.volume_bars(math.inf), "usd=inf"),
    ],
)
def test_values_that_make_no_sense_are_refused(make: Any, message: str) -> None:
    """When the window is made, naming the argument, the value and what would do."""
    with pytest.raises(ValueError) as raised:
        make()
    assert message in str(raised.value)


def same(item: Any) -> Any:
    return item


async def coroutine(event: Trade) -> None:
    """No function of late events."""


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ops.tumbling(None), "size=None is not a duration"),  # type: ignore[call-overload]  # on purpose
        (lambda: ops.tumbling("1s", int), "row=<class 'int'> is no class of rows"),  # type: ignore[type-var]  # on purpose
        (lambda: ops.tumbling("1s", n=3), "n=3 is no aggregate"),  # type: ignore[call-overload]
        (lambda: ops.tumbling("1s", by=3), "by=3"),  # type: ignore[call-overload]
        (lambda: ops.tumbling("1s", on_late=3), "on_late=3 takes an observer"),  # type: ignore[call-overload]
        (lambda: ops.tumbling("1s", on_late=coroutine), "takes an observer"),
        (lambda: ops.tumbling("1s", emit_empty="emit"), "emit_empty='emit' takes True or False"),  # type: ignore[call-overload]
        (lambda: ops.tumbling("1d", zone=any_of(3)), "zone=3 takes the name of a time zone"),
        (lambda: ops.tumbling("1w", start=any_of(17)), "start=17 takes a time of day as text"),
        (lambda: ops.tumbling("8h", offset=any_of(None)), "offset=None is not a duration"),
        (lambda: ops.sliding("1s", "1s", emit_empty=1), "emit_empty=1 takes True or False"),  # type: ignore[call-overload]
        (lambda: ops.tumbling("1s", max_keys=1.5), "max_keys=1.5 takes a whole number"),
        (lambda: ops.tumbling("1s", max_keys=True), "max_keys=True takes a whole number"),
        (lambda: ops.count_bars(2.0), "n=2.0 takes a whole number"),  # type: ignore[call-overload]
        (lambda: ops.volume_bars("1000"), "usd='1000' takes a number of US dollars"),  # type: ignore[call-overload]
        (lambda: ops.volume_bars(True), "usd=True takes a number of US dollars"),
    ],
)
def test_other_types_are_refused(make: Any, message: str) -> None:
    with pytest.raises(TypeError) as raised:
        make()
    assert message in str(raised.value)


def test_windows_take_events_and_give_rows() -> None:
    """Where the types of a stream are known, a chain that cannot work is refused at once."""
    trades: EventStream[Any] = EventStream(lambda observer, _: Subject[None](), event_types=frozenset({Trade}))
    windowed = trades.through(ops.tumbling("1s", Tally))
    assert windowed.event_types == frozenset({Tally})
    assert windowed.through(ops.final()).event_types == frozenset({Tally})
    with pytest.raises(ValueError, match=r"takes events \(Liquidation, Trade\), not Tally"):
        windowed.through(ops.count_bars(3))
    with pytest.raises(ValueError, match=r"final\(\) takes the rows of a window, not Trade"):
        trades.through(ops.final())
    assert ops.tumbling("1s").event_types(frozenset({Trade, Liquidation})) == frozenset({ops.Flow})


def test_final_drops_rows_that_are_not() -> None:
    """Running ones, and those that completion cut short."""
    stage = ops.pipeline(ops.tumbling("1s", Tally, updates="500ms", lateness=0), ops.final())
    found = rows(stage, BEGUN, on_time(100, 600, 1100, 1600), ends=True)
    assert [(row.start_ms, row.n) for row in found] == [(0, 2)]
    found_alone: list[Any] = []
    stream([BEGUN, on_time(100, 1100)], ends=True).pipe(ops.tumbling("1s", Tally, lateness=0), ops.final()).subscribe(
        found_alone.append
    )
    assert len(found_alone) == 1


def test_final_takes_rows_only() -> None:
    heard = hear(ops.final(), on_time(500))
    assert isinstance(heard.error, AttributeError)
    assert "final()" in heard.error.__notes__[0]


def test_windows_explain_themselves() -> None:
    """What they keep, its bound, the worst delay, and the functions in them."""
    told = cgrx.explain(
        ops.pipeline(
            ops.side("buy"), ops.tumbling("1m", by="exchange", on_late=take_late, emit_empty=True), ops.final()
        )
    )
    assert told.worst_delay_ms == 4000
    assert "100,000 keys" in str(told)
    assert "the next proof of life" in str(told)
    assert told.opaque == ("tests.windows.test_windows_values.take_late",)
    custom = agg.custom(int, lambda state, _: state, lambda one, _: one, int)
    for stage, delay_ms in (
        (ops.sliding("1m", "10s", lateness="1s", x=custom), 3000),
        (ops.session("3s"), 4000),
        (ops.count_bars(3, max_keys=math.inf), 0),
        (ops.volume_bars(3), 0),
    ):
        assert cgrx.explain(stage).worst_delay_ms == delay_ms
        assert stage.about.state
    assert cgrx.explain(ops.sliding("1m", "10s", x=custom)).opaque
    assert ops.count_bars(3, by="symbol", max_keys=math.inf).about.bound == math.inf


def test_the_same_rows_behind_a_plain_map_but_for_their_quality() -> None:
    """Filters, windows and `final` chained with and without a foreign operator between them, on input without marks."""
    stages: list[Stage[Any, Any]] = [ops.side("buy"), ops.min_volume(0.5)]
    windows: list[Any] = [
        ops.tumbling("1s", Tally, lateness=0),
        ops.sliding("2s", "1s", Tally, lateness=0),
        ops.session("300ms", Tally, lateness=0),
        ops.count_bars(2, Tally),
        ops.volume_bars(2, Tally),
    ]
    events = [trade(500 * index % 3700, usd=index % 3 + 0.25) for index in range(30)]
    for first in stages:
        for window in windows:
            fused: list[Any] = []
            apart: list[Any] = []
            source: Subject[Any] = Subject()
            source.pipe(first, window).subscribe(fused.append)
            source.pipe(first, rx.map(same), window, rx.map(same)).subscribe(apart.append)
            for event in events:
                source.on_next(event)
            source.on_completed()
            assert fused
            assert fused == apart


def test_windows_work_on_a_batch_without_events() -> None:
    empty = on_time(500)
    empty = type(empty)(CHANNEL, 600, ())
    assert [row.n for row in rows(ops.tumbling("1s", Tally), BEGUN, on_time(500), empty, alive(90_000))] == [1]


def test_sides_of_both_types_are_no_key() -> None:
    """A liquidated long and a taker's sell are the same number: rows would hold both, called what came first."""
    trades = Hot[Any](None, Trade).stream
    liquidations = Hot[Any](None, Liquidation).stream
    for window in (ops.tumbling("1s", by="side"), ops.count_bars(2, by=("symbol", "side"))):
        with pytest.raises(ValueError, match='"side", which liquidations and trades number alike'):
            cgrx.merge(trades, liquidations).pipe(window)
        assert trades.pipe(window).event_types == liquidations.pipe(window).event_types
