"""What a board is asked to show, checked before anything is opened."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeAlias, cast

import attrs
from reactivex import Observable

from cgrx._board.bounds import INSTRUMENTS, RULES, TEXT, WINDOWS
from cgrx._feed.face import Feed
from cgrx._model.channels import FuturesTrades
from cgrx._model.events import Liquidation
from cgrx._model.times import Duration, Moment, positive_ms, to_epoch_ms
from cgrx._replay.playlist import Recordings
from cgrx._streams.stream import Stage
from cgrx.operators._windows.cascades import Cascade, Cascades, cascades

Instrument: TypeAlias = tuple[str, str, float]
"""Exchange, symbol and minimum volume in US dollars, as `feed.futures_trades` takes them."""

AlertSource: TypeAlias = Stage[Liquidation, Any] | Observable[Any] | Callable[[Feed], Observable[Any]]
"""A pipeline over the liquidations, a stream of the same feed, or a function that makes a stream of the feed."""

TRADES: tuple[Instrument, ...] = (("Binance", "BTCUSDT", 10_000.0), ("Binance", "ETHUSDT", 10_000.0))

BANDS = cascades("3s", min_volume=250_000, min_count=5, emit="crossed", updates="1s")

NO_ALERTS: Mapping[str, AlertSource] = MappingProxyType({})


@attrs.frozen(kw_only=True)
class BoardOptions:
    """What a board shows, and how much of it is kept. `board_options` reads them from what people write."""

    window_ms: int
    """How long a window of the charts is."""
    keep_ms: int
    """For how long windows are kept, and how much of a recording is played before a time that is gone to."""
    trades: tuple[FuturesTrades, ...] | None
    """Whose trades are shown; None: those that a recording holds. The price of an asset is that of its first one."""
    large_trade: float
    """Trades of at least this volume are on the tape, US dollars."""
    large_liquidation: float
    """Liquidations of at least this volume are on the tape, US dollars."""
    cascades: Stage[Liquidation, Cascade]
    """What a cascade is."""
    alert_volume: float
    """An alert where as much of one side of one asset is liquidated within a window; `math.inf` for none."""
    alert_silence_ms: int
    """How long a rule of the board is silent about an asset behind an alert."""
    alerts: Mapping[str, AlertSource]
    """Rules of the user's own, by name."""
    history: Recordings | None
    """A recording beside a live feed, with whose end a board begins."""
    speed: float
    """How fast a recording is played that the board opens."""
    start_ms: int | None
    """Where such a recording is begun; None: at its start."""
    title: str
    demo: bool
    """Whether the feed is that of a simulator."""

    @property
    def window(self) -> timedelta:
        """How long a window of the charts is."""
        return timedelta(milliseconds=self.window_ms)

    @property
    def silence(self) -> timedelta:
        """How long a rule of the board is silent about an asset behind an alert."""
        return timedelta(milliseconds=self.alert_silence_ms)


def board_options(
    *,
    window: Duration = "10s",
    keep: Duration = "1h",
    trades: Iterable[Instrument] | None = None,
    large_trade: float = 50_000.0,
    large_liquidation: float = 0.0,
    cascades: Stage[Liquidation, Cascade] = BANDS,
    alert_volume: float = 1_000_000.0,
    alert_silence: Duration = "1m",
    alerts: Mapping[str, AlertSource] = NO_ALERTS,
    history: Recordings | None = None,
    speed: float = 1.0,
    start: Moment | None = None,
    title: str = "cgrx",
    demo: bool = False,
) -> BoardOptions:
    """Read and check what a board is asked to show.

    Args:
        window: how long a window of the charts is.
        keep: for how long windows are kept; also how much of a recording is played before a time that is gone to.
        trades: whose trades are shown, as tuples of exchange, symbol and minimum volume in US dollars. By default those
            of a few large instruments, of a replay those that it holds. The price that is shown of an asset is that of
            its first instrument; volumes are those of all its instruments.
        large_trade: trades of at least this volume are on the tape, US dollars.
        large_liquidation: the same for liquidations.
        cascades: what a cascade is: an `ops.cascades(...)` by its default key.
        alert_volume: an alert where as much of one side of one asset is liquidated within a window, US dollars;
            `math.inf` for none.
        alert_silence: how long that rule, and that of cascades, is silent about an asset behind an alert.
        alerts: rules of your own by name. A stage is a pipeline over the liquidations; a stream is one of the same
            feed; a function gets the feed and gives a stream. Each item of these is an alert, with the text that
            `sinks.message` gives for it.
        history: a recording beside a live feed, as of `cgrx.replay`; a board begins with the last `keep` of it.
        speed: how fast a recording is played that the board opens itself; `math.inf`: as fast as the pipeline.
        start: where such a recording is begun, by default at its start.
        title: what stands above the page.
        demo: say on the page that the feed is that of a simulator.

    Raises:
        ValueError: an argument out of range, or more of something than a board keeps; see `bounds`.
        TypeError: an argument of another type.
    """
    window_ms, keep_ms = positive_ms(window, "window"), positive_ms(keep, "keep")
    if keep_ms < window_ms:
        raise ValueError(f"keep={keep!r} is shorter than window={window!r}: a board keeps one window at least")
    if math.ceil(keep_ms / window_ms) > WINDOWS:
        raise ValueError(
            f"window={window!r} and keep={keep!r} give more than {WINDOWS:,} windows, which a board keeps at most:"
            " give longer windows, or keep them for a shorter time"
        )
    if not isinstance(cascades, Cascades) or cascades.rows.type.key_fields != ("base_asset",):
        raise ValueError(f"cascades={cascades!r} takes an ops.cascades(...) by its default key, which is the asset")
    _require_number("speed", speed)
    if not speed > 0:
        raise ValueError(f"speed={speed!r} takes a number above 0, math.inf for as fast as the pipeline")
    return BoardOptions(
        window_ms=window_ms,
        keep_ms=keep_ms,
        trades=None if trades is None else _trades(trades),
        large_trade=_dollars("large_trade", large_trade),
        large_liquidation=_dollars("large_liquidation", large_liquidation),
        cascades=cascades,
        alert_volume=_dollars("alert_volume", alert_volume),
        alert_silence_ms=positive_ms(alert_silence, "alert_silence"),
        alerts=_alerts(alerts),
        history=history,
        speed=float(speed),
        start_ms=None if start is None else to_epoch_ms(start, "start"),
        title=title,
        demo=demo,
    )


def _trades(value: Iterable[object]) -> tuple[FuturesTrades, ...]:
    chosen: dict[FuturesTrades, None] = {}
    for each in value:
        if not isinstance(each, tuple) or len(cast("tuple[object, ...]", each)) != 3:
            raise TypeError(f"trades: {each!r} takes (exchange, symbol, min_volume), as ('Binance', 'BTCUSDT', 10_000)")
        chosen[FuturesTrades(*cast("Instrument", each))] = None
    if len(chosen) > INSTRUMENTS:
        raise ValueError(f"trades: {len(chosen)} instruments are more than {INSTRUMENTS}, which a board shows at most")
    return tuple(chosen)


def _require_number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}={value!r} takes a number")


def _dollars(name: str, value: float) -> float:
    _require_number(name, value)
    if not value >= 0:
        raise ValueError(f"{name}={value!r} takes a number of US dollars, 0 or more")
    return float(value)


def _alerts(rules: Mapping[str, AlertSource]) -> Mapping[str, AlertSource]:
    if len(rules) > RULES:
        raise ValueError(f"alerts: {len(rules)} rules are more than {RULES}, which a board watches at most")
    for name, source in rules.items():
        if not 0 < len(name) <= TEXT:
            raise ValueError(f"alerts: the name {name!r} takes 1 to {TEXT} characters")
        if not isinstance(source, Observable) and not callable(source):
            raise TypeError(
                f"alerts: {name!r} is {source!r}, and takes a pipeline over liquidations, a stream of the feed,"
                " or a function that makes a stream of a feed"
            )
    return MappingProxyType(dict(rules))
