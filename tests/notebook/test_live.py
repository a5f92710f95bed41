"""`cgrx.live_plot`: a chart that follows a stream, and shows its end."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import reactivex
import trio
from reactivex.subject import Subject

import cgrx
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import Simulator, trade
from tests.notebook.cells import Cell, cell
from tests.plot.drawing import candle, sides
from tests.support import run, run_mock


def following(then: Callable[[Cell, Subject[Any]], Any], **options: Any) -> Cell:
    """Let a live plot follow a subject on a clock that jumps over every wait."""
    with cell() as shown:

        async def main() -> None:
            rows: Subject[Any] = Subject()
            rows.subscribe(cgrx.live_plot(**options))
            await then(shown, rows)

        run_mock(main)
    return shown


def test_the_first_row_is_drawn_at_once_the_others_when_it_is_time() -> None:
    """The last ones too: no event need follow."""

    async def then(shown: Cell, rows: Subject[Any]) -> None:
        assert shown.said == "live plot |  waiting for the first row"
        before = shown.times
        rows.on_next(candle(0))
        await trio.sleep(0.01)
        assert shown.times == before + 1
        assert "Binance BTCUSDT" in shown.said
        assert "live" in shown.said
        for minute in range(1, 50):
            rows.on_next(candle(minute))
            await trio.sleep(0.001)
        assert shown.times == before + 1
        await trio.sleep(2)
        assert shown.times == before + 2
        assert "06:49:00 to 06:50:00 UTC" in shown.html[-1]
        await trio.sleep(3600)
        assert shown.times == before + 2

    following(then, every="2s")


def test_the_end_is_shown_at_once() -> None:
    async def then(shown: Cell, rows: Subject[Any]) -> None:
        rows.on_next(candle(0))
        await trio.sleep(0.01)
        rows.on_next(candle(1))
        rows.on_completed()
        assert "completed" in shown.said
        assert "06:01:00 to 06:02:00 UTC" in shown.said
        times = shown.times
        await trio.sleep(60)
        assert shown.times == times

    following(then)


def test_a_failure_is_shown_with_its_reason() -> None:
    async def then(shown: Cell, rows: Subject[Any]) -> None:
        rows.on_next(candle(0))
        rows.on_error(ValueError("the <server> has gone"))
        await trio.sleep(1)
        assert "FAILED: ValueError: the <server> has gone" in shown.said

    following(then)


def test_a_stream_without_rows() -> None:
    async def then(shown: Cell, rows: Subject[Any]) -> None:
        rows.on_completed()
        assert shown.said == "live plot |  completed"
        await trio.sleep(1)

    following(then)


def test_the_last_state_is_shown_where_the_loop_ends_first() -> None:
    """As where the code around a feed is cancelled: nothing completes then."""

    async def then(shown: Cell, rows: Subject[Any]) -> None:
        rows.on_next(candle(0))
        await trio.sleep(0.01)
        rows.on_next(candle(1))

    shown = following(then)
    assert "stopped before the end of the stream" in shown.said
    assert "06:01:00 to 06:02:00 UTC" in shown.said


def test_as_many_windows_are_kept_as_is_said() -> None:
    """A running row gives way to the next one of its window."""
    with cell():

        async def main() -> None:
            live = cgrx.live_plot(keep=3)
            for minute in range(100):
                live.on_next(candle(minute, final=False))
                live.on_next(candle(minute))
            assert live.rows == (candle(97), candle(98), candle(99))
            await trio.sleep(1)
            with pytest.raises(TypeError, match="rows of one class, not of Candle and Sides"):
                live.on_next(sides(0, 1, 1))
            live.on_completed()
            with pytest.raises(RuntimeError, match=r"has ended \(completed\): make another one"):
                live.on_next(candle(100))

        run_mock(main)


def test_what_cannot_be_drawn_is_said_in_the_cell() -> None:
    async def then(shown: Cell, rows: Subject[Any]) -> None:
        rows.on_next(sides(0, 1, 1))
        rows.on_next(sides(1, 1, 1, start_ms=sides(0, 1, 1).start_ms + 1))
        await trio.sleep(1)
        assert 'live; cannot be drawn |  kind="delta" adds windows up, but these overlap' in shown.said

    following(then, kind="delta")


def test_what_a_row_does_not_fit_fails_at_once() -> None:
    with cell():
        live = cgrx.live_plot(kind="candles")
        with pytest.raises(ValueError, match="kind='candles' needs the field 'open'"):
            live.on_next(sides(0, 1, 1))


def test_rows_from_elsewhere_than_a_feed() -> None:
    with cell(), pytest.raises(cgrx.NotInTrioError, match="subscribe it to a stream of a feed"):
        reactivex.just(candle(0)).subscribe(cgrx.live_plot())


@pytest.mark.parametrize("keep", [0, 5001, True, 1.5])
def test_how_many_windows(keep: Any) -> None:
    with cell(), pytest.raises(ValueError, match=r"keep=.* must be a whole number of windows, 1 to 5,000"):
        cgrx.live_plot(keep=keep)


def test_without_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="no IPython runs here: elsewhere use"):
        cgrx.live_plot()
    monkeypatch.delitem(__import__("sys").modules, "IPython")
    with pytest.raises(RuntimeError, match="no IPython runs here"):
        cgrx.live_plot()


def flows(feed: Any) -> cgrx.EventStream[ops.Flow]:
    stream: cgrx.EventStream[cgrx.Trade] = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
    return stream.pipe(ops.tumbling("1s", by="exchange"))


def test_with_a_feed_on_trio() -> None:
    """Real sockets; the windows that closing brings out are shown too, and nothing starts a thread."""
    with cell() as shown:

        async def main() -> None:
            async with Simulator() as simulator, cgrx.connect(url=simulator.url, api_key="any-key-will-do") as feed:
                threads = threading.active_count()
                flows(feed).subscribe(cgrx.live_plot(every="10ms"))
                await simulator.wait_subscribed("futures_trades@Binance_BTCUSDT@0")
                now_s = feed.now_ms / 1000
                await simulator.send([trade(time=now_s - 5), trade(time=now_s)])
                with trio.fail_after(20):
                    while "live" not in shown.said:  # noqa: ASYNC110 - nothing but the cell tells it
                        await trio.sleep(0.01)
                assert threading.active_count() == threads
                await feed.aclose()

        run(main)
    assert "completed" in shown.said


class Burst(ops.Row):
    """A row of a session, whose end moves on while it runs."""

    volume = agg.volume()


def burst(start: int, end: int, **quality: Any) -> Burst:
    return Burst(start_ms=start, end_ms=end, volume=float(end), **quality)


def test_a_withdrawn_row_takes_away_that_of_its_session() -> None:
    """And those that are over go before those that are open."""
    with cell():

        async def main() -> None:
            live = cgrx.live_plot(keep=2)
            live.on_next(burst(9, 10, withdrawn=True))
            assert not live.rows
            for end in (21, 25):
                live.on_next(burst(20, end, final=False))
                assert list(live.rows) == [burst(20, end, final=False)]
            live.on_next(burst(20, 25, withdrawn=True))
            assert not live.rows
            live.on_next(burst(10, 99, final=False))
            live.on_next(burst(0, 5))
            live.on_next(burst(20, 25))
            assert list(live.rows) == [burst(10, 99, final=False), burst(20, 25)]
            for start in (40, 30):
                live.on_next(burst(start, 99, final=False))
            assert list(live.rows) == [burst(30, 99, final=False), burst(40, 99, final=False)]
            live.on_completed()

        run_mock(main)
