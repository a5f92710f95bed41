"""What the tests of sweeps share: recordings, pipelines with parameters, and the backtests to compare them with."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cgrx
from cgrx import operators as ops
from cgrx._model.signals import Alive, Batch, Gap, Signal
from cgrx._recording.entry import Recorded
from cgrx._recording.recording import Recording
from cgrx._recording.writer import write_recording
from tests.backtest.columns import TRADES, Said
from tests.windows.windowing import trade

Build = Callable[..., Any]


def write(folder: Path, what: Said) -> Recording:
    write_recording(folder, [Recorded(channel, signal) for channel, signal in what])
    return Recording(folder)


def sixty_trades(folder: Path) -> Recording:
    """Sixty trades in six seconds, of 1 to 60 dollars."""
    events = [Batch(TRADES, 1000 + 100 * i, (trade(1000 + 100 * i, usd=float(i + 1)),)) for i in range(60)]
    whole: list[Signal[Any]] = [Gap(TRADES, 0, 1000, "subscribed"), *events, Alive("o", 20_000)]
    return write(folder / "recorded", [(TRADES, each) for each in whole])


def trades(feed: cgrx.Feed) -> cgrx.EventStream[cgrx.Trade]:
    return feed.futures_trades("A", "X", min_volume=0)


def bars(feed: cgrx.Feed, *, threshold: float, size: str = "1s") -> cgrx.EventStream[ops.Flow]:
    return trades(feed).pipe(ops.min_volume(threshold), ops.tumbling(size, by="exchange"))


def large(least: float, row: Any) -> bool:
    return bool(row["volume"] >= least)


def shown(rows: Sequence[Any], digits: int | None) -> str:
    """All that rows say, fractions with so many digits; or all of them."""
    if digits is None:
        return repr(rows)
    plain = [[getattr(row, name) for name in row.fields] for row in rows]
    return repr([[f"{each:.{digits}g}" if isinstance(each, float) else each for each in values] for values in plain])


def assert_as_alone(build: Build, recording: Recording, found: cgrx.Sweep[Any], *, digits: int | None = None) -> None:
    """Each combination is to the byte what a backtest of it is: the rows, or the error, and how it ran.

    With `digits` fractions are compared to so many: polars adds up large tables in several threads.
    """
    for each in found.combinations:
        failure: Exception | None = None
        rows: tuple[Any, ...] = ()
        alone: cgrx.Backtest[Any] | None = None
        try:
            alone = cgrx.backtest(partial(build, **each.parameters), recording)
            rows = alone.rows
        except Exception as error:  # noqa: BLE001 - whatever it is
            failure = error
        assert repr(each.error) == repr(failure)
        if failure is not None or alone is None:
            continue
        assert shown(each.rows, digits) == shown(rows, digits)
        assert each.backtest is not None
        assert str(each.backtest.explain()) == str(alone.explain())
        assert each.measured == {"rows": len(rows)}
