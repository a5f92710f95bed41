"""`cgrx watch` and `cgrx replay`: the commands that show events, or rows of windows, with their options and help."""

from typing import Literal

from cyclopts import App

from cgrx import LiquidationOrders
from cgrx._cli.arguments import Folders, Instruments, Names, instruments, unusable
from cgrx._cli.commands.choice import liquidations, recorded_trades, trades
from cgrx._cli.commands.on_spark import OnSpark, recorded_channels, rows_on_spark
from cgrx._cli.commands.replay import replay_files
from cgrx._cli.commands.watch import watch
from cgrx._cli.engine_options import NO_ENGINE, NO_LOG_ENGINE, EngineOptions, LogEngineOptions
from cgrx._cli.options import (
    KEY,
    NO_TARGETS,
    SERVICE,
    ReplayOptions,
    ServiceOptions,
    TargetOptions,
    WatchOptions,
)
from cgrx._cli.window_options import NO_CASCADES, NO_WINDOW, LiquidationOptions, WindowOptions

_WATCH = WatchOptions()
_REPLAY = ReplayOptions()

PEOPLE_FROM = 10_000.0
"""US dollars. Of the liquidations of all exchanges nine of ten are smaller: nobody reads them."""

watch_app = App(name="watch", help=f"Show the events of the feed, or of another server (--url).\n\n{KEY}")
replay_app = App(name="replay", help="Show the events of recordings as `cgrx watch` shows those of the feed.")


@watch_app.command(name="liquidations")
async def liquidations_command(
    *,
    side: Literal["long", "short"] | None = None,
    options: WatchOptions = _WATCH,
    windows: LiquidationOptions = NO_CASCADES,
    targets: TargetOptions = NO_TARGETS,
    engine: LogEngineOptions = NO_LOG_ENGINE,
    settings: ServiceOptions = SERVICE,
) -> int:
    """Show the liquidation orders of all exchanges.

    The table begins at 10,000 US dollars, and counts all; --min-volume 0 shows all.

    Events, or the rows of --window or --cascades, go to standard output, everything else to standard error.

    Args:
        side: Which position was liquidated.
        options: See `WatchOptions`.
        windows: See `LiquidationOptions`.
        targets: See `TargetOptions`.
        engine: See `LogEngineOptions`.
        settings: See `ServiceOptions`.
    """
    markets = windows.markets()
    if windows.join and not markets:
        raise unusable("--join flow takes the trades of instruments: add --market, such as --market Binance:BTCUSDT:0")
    behind = engine.behind()
    if behind is not None:
        computed = OnSpark(source=behind, channels=[LiquidationOrders()], filters=options.filters(side))
        return await rows_on_spark(computed, options.show("liquidations", windows, targets), settings.terminal())
    request = options.watch(liquidations, side, trades=trades(markets) if windows.join else None)
    show = options.show("liquidations", windows, targets, people_from=PEOPLE_FROM)
    return await watch(request, options.resumed(show), settings.terminal(), settings.metrics())


@watch_app.command(name="trades")
async def trades_command(
    *markets: Instruments,
    side: Literal["buy", "sell"] | None = None,
    options: WatchOptions = _WATCH,
    windows: WindowOptions = NO_WINDOW,
    targets: TargetOptions = NO_TARGETS,
    engine: LogEngineOptions = NO_LOG_ENGINE,
    settings: ServiceOptions = SERVICE,
) -> int:
    """Show the trades of one or more instruments, such as Binance:BTCUSDT:10000.

    Events, or the rows of --window, go to standard output, everything else to standard error.

    Args:
        markets: The exchange ends at the first colon. A number behind the last colon is the minimum volume in US
            dollars that the server is asked for. Without one, --min-volume is used, and must be given.
        side: Only trades in which the taker was on this side.
        options: See `WatchOptions`.
        windows: See `WindowOptions`.
        targets: See `TargetOptions`.
        engine: See `LogEngineOptions`.
        settings: See `ServiceOptions`.
    """
    chosen, behind = instruments(markets, options.min_volume), engine.behind()
    show = options.show("trades", windows, targets)
    if behind is not None:
        computed = OnSpark(source=behind, channels=chosen, filters=options.filters(side))
        return await rows_on_spark(computed, show, settings.terminal())
    request = options.watch(trades(chosen), side)
    return await watch(request, options.resumed(show), settings.terminal(), settings.metrics())


@replay_app.command(name="liquidations")
async def replay_liquidations_command(
    *folders: Folders,
    side: Literal["long", "short"] | None = None,
    options: ReplayOptions = _REPLAY,
    windows: LiquidationOptions = NO_CASCADES,
    targets: TargetOptions = NO_TARGETS,
    engine: EngineOptions = NO_ENGINE,
    settings: ServiceOptions = SERVICE,
) -> int:
    """Show recorded liquidation orders.

    Events, or the rows of --window or --cascades, go to standard output, everything else to standard error.

    Args:
        folders: Recordings, in one order by time of receipt.
        side: Which position was liquidated.
        options: See `ReplayOptions`.
        windows: See `LiquidationOptions`.
        targets: See `TargetOptions`.
        engine: See `EngineOptions`.
        settings: See `ServiceOptions`.
    """
    show = options.show("liquidations", windows, targets)
    if engine.engine is not None:
        computed = OnSpark(
            source=options.recorded(folders), channels=[LiquidationOrders()], filters=options.filters(side)
        )
        return await rows_on_spark(computed, show, settings.terminal())
    flow = recorded_trades(windows.markets()) if windows.join else None
    request = options.replayed(folders, liquidations, side, trades=flow)
    return await replay_files(request, show, settings.terminal(), settings.metrics())


@replay_app.command(name="trades")
async def replay_trades_command(
    *folders: Folders,
    market: Names = (),
    side: Literal["buy", "sell"] | None = None,
    options: ReplayOptions = _REPLAY,
    windows: WindowOptions = NO_WINDOW,
    targets: TargetOptions = NO_TARGETS,
    engine: EngineOptions = NO_ENGINE,
    settings: ServiceOptions = SERVICE,
) -> int:
    """Show recorded trades.

    Events, or the rows of --window, go to standard output, everything else to standard error.

    Args:
        folders: Recordings, in one order by time of receipt.
        market: An instrument as it was recorded, such as Binance:BTCUSDT:10000; may be repeated. All by default.
        side: Only trades in which the taker was on this side.
        options: See `ReplayOptions`.
        windows: See `WindowOptions`.
        targets: See `TargetOptions`.
        engine: See `EngineOptions`.
        settings: See `ServiceOptions`.
    """
    chosen, show = instruments(market, 0.0), options.show("trades", windows, targets)
    if engine.engine is not None:
        channels = recorded_channels(folders, chosen)
        computed = OnSpark(source=options.recorded(folders), channels=channels, filters=options.filters(side))
        return await rows_on_spark(computed, show, settings.terminal())
    request = options.replayed(folders, recorded_trades(chosen), side)
    return await replay_files(request, show, settings.terminal(), settings.metrics())
