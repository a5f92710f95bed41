"""`live_plot()`: a chart in a cell that follows a stream, while the kernel is free for other cells.

    on_next ──► the row is kept, the task is woken ──► the task draws, then sleeps for `every` ──► the cell shows it

One task of trio draws, on trio's clock, so the last rows are shown whether or not others follow, however fast a replay
goes, and wherever the feed runs: on trio, as a guest of asyncio, or in a thread of its own.
"""

import math
import sys
from collections.abc import Callable
from contextvars import Context
from importlib import import_module
from typing import Any

import trio
from reactivex import abc

from cgrx._model import html
from cgrx._model.times import Duration, to_ms
from cgrx._model.use_errors import NotInTrioError
from cgrx._plot.chosen import MOST, Kind, chosen
from cgrx._plot.svg import svg
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.standing import Latest


def live_plot(
    *, kind: Kind | None = None, value: str | None = None, keep: int = 120, every: Duration = "500ms"
) -> "LivePlot":
    """A chart in this cell, of the last rows of whatever stream it is subscribed to.

        live = cgrx.live_plot()
        bars.subscribe(live)

    It is drawn as `cgrx.plot` draws, in the same colours and with the same marks of what is missing, but as a plain
    picture without altair: nothing is loaded, and nothing flickers. The kernel stays free: run other cells meanwhile.
    One drawing takes some 10 ms of the feed's thread.

    Args:
        kind: what to draw, as of `cgrx.plot`; `"delta"` begins with the oldest window that is kept.
        value: for `"lines"`: the field to draw, as of `cgrx.plot`.
        keep: how many windows are kept and drawn, 1 to 5,000, all keys counted; older ones are let go of.
        every: how much time passes from one drawing to the next at least, of trio's clock, also in a replay.

    Returns:
        An observer to subscribe to a stream of rows. The chart is also drawn when the stream completes, when it fails,
        with the reason in words, and when the feed's event loop ends before either.

    Raises:
        ValueError, TypeError: an argument cannot be used. What the first row does not fit, `on_next` raises.
        RuntimeError: no IPython runs here, so there is no cell.

    Examples:
        >>> bars = cgrx.live_plot(kind="candles")  # doctest: +SKIP
        >>> trades = feed.futures_trades(
        ...     "Binance", "BTCUSDT", min_volume=0
        ... )  # doctest: +SKIP
        >>> trades.pipe(ops.tumbling("1m", ops.Bar)).subscribe(bars)  # doctest: +SKIP

        Outside a notebook there is nothing to draw into:

        >>> cgrx.live_plot()
        Traceback (most recent call last):
            ...
        RuntimeError: live_plot() draws into a cell of a notebook, and no IPython runs here: elsewhere use
        cgrx.plot(rows).save("chart.html")
    """
    if type(keep) is not int or not 1 <= keep <= MOST:
        raise ValueError(f"keep={keep!r} must be a whole number of windows, 1 to {MOST:,}")
    return LivePlot(kind, value, keep, to_ms(every, "every") / 1e3, _cell())


class LivePlot(abc.ObserverBase[Row]):
    """An observer of rows that draws them into a cell. `live_plot` makes it.

    Examples:
        >>> picture = cgrx.live_plot()  # doctest: +SKIP
        >>> feed.liquidations().pipe(ops.tumbling("1m", by="side")).subscribe(
        ...     picture
        ... )  # doctest: +SKIP

        Outside a notebook, `cgrx.plot` draws the same:

        >>> rows = play(
        ...     ops.tumbling("1m"),
        ...     [batch(liquidation("long", 5_000.0, time="1s")), alive("65s")],
        ... )
        >>> cgrx.plot(rows).save("volume.svg")
    """

    def __init__(
        self, kind: Kind | None, value: str | None, keep: int, every_s: float, show: Callable[[str], None]
    ) -> None:
        self._kind: Kind | None = kind
        self._value = value
        self._keep = keep
        self._every_s = every_s
        self._show = show
        self._rows = Latest()
        self._type: type[Row] | None = None
        self._news: trio.Event | None = None
        """Set while there are rows that have not been drawn; None before the first one."""
        self._drawing = trio.CancelScope()
        self._ended = ""
        """How the stream has ended."""
        self._draw("waiting for the first row")

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that it keeps, in the order of their windows: for `cgrx.plot` and `cgrx.to_frame`."""
        return tuple(self._rows.in_order())

    def on_next(self, value: Row) -> None:
        """Keep a row; of a window and key that is kept already, this one from now on, or none if it is withdrawn.

        Raises:
            ValueError, TypeError: it cannot be drawn, as of `cgrx.plot`.
            NotInTrioError: trio does not run here: the rows do not come from a feed.
            RuntimeError: the plot has ended; each subscription needs one of its own.
        """
        if self._ended:
            raise RuntimeError(f"this live plot has ended ({self._ended}): make another one with cgrx.live_plot()")
        if type(value) is not self._type and not value.withdrawn:
            chosen([*self.rows[:1], value], self._kind, self._value, math.inf)
            self._type = type(value)
        self._rows.add(value)
        if len(self._rows) > self._keep:
            self._rows.drop_oldest()
        if self._news is None:
            self._begin()
        else:
            self._news.set()

    def on_error(self, error: Exception) -> None:
        """Draw for the last time, and say why."""
        self._end(f"FAILED: {type(error).__name__}: {error}")

    def on_completed(self) -> None:
        """Draw for the last time."""
        self._end("completed")

    def _begin(self) -> None:
        news = trio.Event()
        news.set()
        try:
            trio.lowlevel.spawn_system_task(self._follow, news)
        except RuntimeError:
            raise NotInTrioError(
                "a live plot is drawn by a task of trio, and none runs here: subscribe it to a stream of a feed"
            ) from None
        self._news = news

    async def _follow(self, news: trio.Event) -> None:
        with self._drawing:
            try:
                while True:
                    await news.wait()
                    news = self._news = trio.Event()
                    self._draw("live")
                    await trio.sleep(self._every_s)
            finally:
                if not self._ended:
                    self._end("stopped before the end of the stream")

    def _end(self, how: str) -> None:
        self._ended = how
        self._drawing.cancel()
        self._draw(how)

    def _draw(self, state: str) -> None:
        if not self._rows:
            self._show(html.titled("live plot", state))
            return
        try:
            picture = svg(chosen(self._rows.in_order(), self._kind, self._value, math.inf), state)
        except ValueError as error:
            picture = html.titled(f"{state}; cannot be drawn", error)
        self._show(picture)


def _cell() -> Callable[[str], None]:
    """What shows HTML in the output of the cell that runs now, each time in place of what it showed before.

    Raises:
        RuntimeError: no IPython runs here.
    """
    ipython: Any = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        raise RuntimeError(
            "live_plot() draws into a cell of a notebook, and no IPython runs here: elsewhere use"
            ' cgrx.plot(rows).save("chart.html")'
        )
    display: Any = import_module("IPython.display")
    handle = display.DisplayHandle()
    handle.display(display.HTML(""))

    def show(shown: str) -> None:
        # In an empty context, for that of a task names the cell that began it: a kernel would send what is shown as the
        # output of that cell, and whoever executes the notebook has ceased to listen to it.
        Context().run(handle.update, display.HTML(html.page(shown)))

    return show
