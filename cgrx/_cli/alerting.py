"""`cgrx alert`: the commands, with their options and help."""

import math
from typing import Annotated, Any, Literal, TypeAlias

import attrs
from cyclopts import App, Parameter

from cgrx._cli.alert_options import NO_ALERT, NO_ALERT_TARGETS, AlertOptions, AlertTargetOptions
from cgrx._cli.arguments import instruments, unusable
from cgrx._cli.commands.alert_sinks import AlertSinks
from cgrx._cli.commands.choice import Choice, liquidations, recorded_trades, trades
from cgrx._cli.commands.replay import Replayed, replay_files
from cgrx._cli.commands.watch import watch
from cgrx._cli.options import KEY, SERVICE, ServiceOptions, SideName, WatchOptions

_WATCH = WatchOptions()

_Markets: TypeAlias = Annotated[str, Parameter(name="EXCHANGE:SYMBOL[:MIN_VOLUME]")]

_WHAT: dict[SideName | None, str] = {
    "long": "longs liquidated",
    "short": "shorts liquidated",
    "buy": "bought",
    "sell": "sold",
}
"""What the events of a side are, in the text of an alert."""

alert_app = App(
    name="alert",
    help=f"Tell where a number of a window passes a level, on the very event that brings it there.\n\n{KEY}",
)


@alert_app.command(name="liquidations")
async def alert_liquidations_command(
    *,
    side: Literal["long", "short"] | None = None,
    alerts: AlertOptions = NO_ALERT,
    targets: AlertTargetOptions = NO_ALERT_TARGETS,
    options: WatchOptions = _WATCH,
    settings: ServiceOptions = SERVICE,
) -> int:
    """Tell where the liquidation orders of a window pass a level.

    Each alert is a line on standard output, everything else goes to standard error.

    Args:
        side: Which position was liquidated.
        alerts: See `AlertOptions`.
        targets: See `AlertTargetOptions`.
        options: See `WatchOptions`.
        settings: See `ServiceOptions`.
    """
    return await _alert((liquidations, liquidations), side, "liquidated", alerts, targets, options, settings)


@alert_app.command(name="trades")
async def alert_trades_command(
    *markets: _Markets,
    side: Literal["buy", "sell"] | None = None,
    alerts: AlertOptions = NO_ALERT,
    targets: AlertTargetOptions = NO_ALERT_TARGETS,
    options: WatchOptions = _WATCH,
    settings: ServiceOptions = SERVICE,
) -> int:
    """Tell where the trades of a window pass a level.

    Each alert is a line on standard output, everything else goes to standard error.

    Args:
        markets: One or more instruments, as of `cgrx watch trades`; with --dry-run by default all that are recorded.
        side: Only trades in which the taker was on this side.
        alerts: See `AlertOptions`.
        targets: See `AlertTargetOptions`.
        options: See `WatchOptions`.
        settings: See `ServiceOptions`.
    """
    if not markets and not alerts.dry_run:
        raise unusable("alerts of trades are about instruments: give one, such as Binance:BTCUSDT:0")
    chosen = instruments(markets, options.min_volume if options.min_volume is not None else 0.0)
    return await _alert((trades(chosen), recorded_trades(chosen)), side, "traded", alerts, targets, options, settings)


async def _alert(
    choose: tuple[Any, Any],
    side: SideName | None,
    what: str,
    alerts: AlertOptions,
    targets: AlertTargetOptions,
    options: WatchOptions,
    settings: ServiceOptions,
) -> int:
    """Alerts of the feed, or of recordings: the two of `choose` take their streams."""
    terminal, (of_feed, of_recordings) = settings.terminal(), choose
    alerting = alerts.alerting(_WHAT.get(side, what))
    show = attrs.evolve(options.show("alerts"), alerting=alerting, explains=alerts.explain)
    if not alerts.dry_run:
        show = attrs.evolve(show, deliveries=targets.deliveries(AlertSinks(terminal)))
        return await watch(options.watch(of_feed, side), options.resumed(show), terminal, settings.metrics())
    if options.state is not None:
        raise unusable(f"--state {options.state} is for alerts of the feed: leave it out with --dry-run")
    recorded = Replayed(
        folders=alerts.dry_run,
        choice=Choice(of_recordings, options.filters(side)),
        speed=math.inf,
        start=None,
        end=None,
    )
    return await replay_files(recorded, show, terminal, settings.metrics())
