"""What is seen of a stream at a glance is what following it event by event says; and where no glance suffices."""

import tempfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import operators as ops
from cgrx._backtest import compile as compiling
from cgrx._backtest import lateness
from cgrx._backtest.plan import Inexpressible
from cgrx._model.limits import MAX_EXCHANGES
from cgrx._model.signals import Alive, Batch, Dropped, Gap
from tests.backtest.columns import TRADES, WINDOWS, Build, Said, assert_same, by_events, in_columns, said
from tests.backtest.sweeping import assert_as_alone, write
from tests.backtest.test_columns import SHAPES, assert_same_or_declined
from tests.support import examples
from tests.windows.windowing import trade

MILLISECONDS = st.sampled_from([5, 10, 40]).map(lambda ms: timedelta(milliseconds=ms))


def calm_only(what: Said) -> Said:
    """Without losses and gaps that end before they begin, and with one connection."""

    def is_calm(signal: Any) -> bool:
        match signal:
            case Alive(origin=origin):
                return origin == "o"
            case Gap(start_ms=start_ms, end_ms=end_ms):
                return start_ms <= end_ms
            case _:
                return not isinstance(signal, Dropped)

    return [each for each in what if is_calm(each[1])]


@given(said(disorder=6), st.sampled_from(list(SHAPES)), st.sampled_from(list(WINDOWS)), MILLISECONDS, MILLISECONDS)
@settings(max_examples=examples(15), deadline=None)
def test_as_event_by_event(what: Said, shape: str, window: str, lateness: timedelta, idle: timedelta) -> None:
    stage = WINDOWS[window](ops.Flow, by="exchange", lateness=lateness, idle=idle)
    assert_same_or_declined(lambda feed: SHAPES[shape](feed).pipe(stage), calm_only(what))


# --- sweeps ----------------------------------------------------------------------------------------------------------


def thresholds(feed: cgrx.Feed, x: float, window: str) -> Any:
    both = cgrx.merge(feed.futures_trades("A", "X", min_volume=0), feed.liquidations())
    stage = WINDOWS[window](ops.Flow, by=("exchange", "symbol"), lateness="12ms", idle="20ms")
    return both.pipe(ops.min_volume(x), stage)


@given(said(disorder=8), st.sampled_from(list(WINDOWS)))
@settings(max_examples=5, deadline=None)
def test_sweeps_as_backtests(what: Said, window: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        recording = write(Path(folder) / "recorded", what)
        found = cgrx.sweep(thresholds, recording, {"x": [0, 0.75, 1.5, 2.5], "window": [window]})
        assert_as_alone(thresholds, recording, found)


def test_the_slowest_source_of_each_of_several_streams(tmp_path: Path) -> None:
    """Windows end between it and the foremost, and another one is the slowest behind another threshold."""
    recording = write(tmp_path / "recorded", [*stream(), (TRADES, Alive("o", 1642))])

    def build(feed: cgrx.Feed, x: float) -> Any:
        stage: Any = ops.tumbling("10ms", by="exchange", lateness="40ms", idle="200ms")
        return feed.futures_trades("A", "X", min_volume=0).pipe(ops.min_volume(x), stage)

    assert_as_alone(build, recording, cgrx.sweep(build, recording, {"x": [0, 3, 5]}))


# --- when the glance is taken ----------------------------------------------------------------------------------------


def stream(count: int = 60, exchanges: Iterable[str] = "ABCDEFGH", late: Iterable[int] = ()) -> list[Any]:
    """A trade each 10 ms, by turns from these exchanges, and a proof after each; those of some numbers come late."""
    names, found = list(exchanges), list[Any]([(TRADES, Gap(TRADES, 0, 900, "subscribed"))])
    for number in range(count):
        now = 1000 + 10 * number
        event = trade(now - (60 if number in set(late) else 0), names[number % len(names)], usd=1.0 + number % 7)
        found += [(TRADES, Batch(TRADES, now + 1, (event,))), (TRADES, Alive("o", now + 2))]
    return found


def windowed(size: str = "100ms", lateness: str = "40ms", idle: str = "200ms") -> Build:
    stage: Any = ops.tumbling(size, by="exchange", lateness=lateness, idle=idle)
    return lambda feed: feed.futures_trades("A", "X", min_volume=0).pipe(stage)


def walks(build: Build, what: Said, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the watermark was followed; the rows are those of event by event either way."""
    walked: list[bool] = []
    ledgers: Any = lateness.ledgers

    def followed(*args: Any) -> Any:
        walked.append(True)
        return ledgers(*args)

    monkeypatch.setattr(compiling, "ledgers", followed)
    columns = in_columns(build, what)
    rows = columns.results()
    assert rows
    assert_same(rows, by_events(build, what))
    return bool(walked)


def test_a_calm_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    what = stream()
    what.insert(40, (TRADES, Gap(TRADES, 1150, 1160, "disconnected")))
    what += [(TRADES, Alive("o", now)) for now in (1700, 1990, 4000)]
    assert not walks(windowed("250ms"), what, monkeypatch)


@pytest.mark.parametrize(("exchanges", "late"), [("ABC", [31]), ("A", [31]), ("AB", [31, 33])])
def test_a_pause_of_the_network(exchanges: str, late: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A few events that come late are too few among the samples to move a clock."""
    what = [*stream(exchanges=exchanges, late=late), (TRADES, Alive("o", 4000))]
    assert not walks(windowed("200ms"), what, monkeypatch)


def test_without_proofs(monkeypatch: pytest.MonkeyPatch) -> None:
    what = [each for each in stream() if not isinstance(each[1], Alive)]
    assert not walks(windowed("50s"), what, monkeypatch)


def test_a_window_that_ends_between_the_slowest_source_and_the_foremost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slowest was active since another passed it, so all have waited for it."""
    assert not walks(windowed("10ms"), [*stream(), (TRADES, Alive("o", 1642))], monkeypatch)


def spoken(*events: tuple[int, str]) -> list[Any]:
    """What these exchanges say at these times, each within 35 ms; after each a proof."""
    said: list[Any] = [(TRADES, Gap(TRADES, 0, 900, "subscribed"))]
    for number, (now, name) in enumerate(events):
        said += [(TRADES, Batch(TRADES, now, (trade(now - 35 * (name == "Z"), name, usd=1.0 + number % 7),)))]
        said += [(TRADES, Alive("o", now + 1))]
    return said


@pytest.mark.parametrize(
    ("what", "build"),
    [
        # A window ends between the slowest source and the foremost: that was silent until others had passed it,
        (spoken((1000, "Z"), *((1000 + 10 * n, "A") for n in range(1, 60)), (1600, "Z")), windowed("10ms")),
        # was not there before,
        (spoken(*((1000 + 10 * n, "A") for n in range(60)), (1600, "Z")), windowed("10ms")),
        # or all are silent.
        ([*spoken((1000, "A"), (1040, "Z")), (TRADES, Alive("o", 1300))], windowed("250ms")),
        ([*stream(), *[(TRADES, Gap(TRADES, 1500 + 3 * n, 1501 + 3 * n, "x")) for n in range(12)]], windowed()),
        ([*stream(), (TRADES, Alive("p", 1700))], windowed()),
        ([*stream(), (TRADES, Dropped(TRADES, 2, "malformed"))], windowed()),
        # One comes so late that it would be, if the foremost source counted alone.
        (stream(exchanges="B" + "A" * 58 + "B", late=[59]), windowed("50ms", "10ms", idle="5s")),
        # An event from the future.
        ([*stream(), (TRADES, Batch(TRADES, 1610, (trade(2000, "A"),)))], windowed()),
    ],
)  # fmt: skip
def test_where_the_watermark_is_followed(what: Said, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    assert walks(build, what, monkeypatch)


@pytest.mark.parametrize(("exchanges", "late"), [("AB", range(1, 60, 2)), ("AAB", range(2, 60, 3))])
def test_a_clock_that_is_apart(exchanges: str, late: range) -> None:
    """That of one source: half the events, which is enough to move the clock of all, or fewer."""
    with pytest.raises(Inexpressible, match="further apart than the lateness"):
        in_columns(windowed("200ms"), stream(exchanges=exchanges, late=late))


def test_many_exchanges() -> None:
    what = stream(MAX_EXCHANGES + 2, [f"E{number}" for number in range(MAX_EXCHANGES + 2)])
    with pytest.raises(Inexpressible, match=f"more than {MAX_EXCHANGES} exchanges"):
        in_columns(windowed("1m", idle="1m"), what)
