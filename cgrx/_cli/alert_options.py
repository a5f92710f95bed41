"""The options of `cgrx alert`: which number of a window passes which level, and when that is told.

cyclopts reads the attributes of these classes as options and the texts below them as their help.
"""

from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter

from cgrx import operators as ops
from cgrx._cli.arguments import Level, unusable, usable
from cgrx._cli.options import TargetOptions
from cgrx._cli.targets import Targets
from cgrx._cli.view.alerts import Alerting, Direction, with_exchanges
from cgrx._cli.window_options import SizeOptions, milliseconds


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class AlertOptions(SizeOptions):
    """The options that say when there is an alert."""

    above: Level | None = None
    """Alert where the number of a window is at least this, such as 5M: on the very event that brings it there."""
    below: Level | None = None
    """Alert where it is at most this. That a volume or a count is low is known when its window is over."""
    back: Annotated[Level | None, Parameter(name="--return")] = None
    """The level at which an alert is over, such as 4M where --above is 5M, so that what moves to and fro between the
    two is one alert. By default that of the alert itself."""
    field: str = "volume"
    """Which number: volume, count, buy_volume, sell_volume or delta; with --by exchange,symbol also open, high, low,
    close and vwap."""
    cooldown: str | None = None
    """Be silent about a group of --by for so long after an alert, such as 10m. The next alert says how many there were
    meanwhile."""
    resolved: bool = False
    """Tell also when an alert that was told is over."""
    dry_run: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, show_default=False)] = ()
    """Recordings: print the alerts that they give, each with its moment, and send none."""

    def alerting(self, what: str) -> Alerting:
        """The alerts; `what` says what the events are.

        Raises:
            CommandError: a value that cannot be used, or one without the option that it needs.
        """
        if self.window is None:
            raise unusable("an alert is about the rows of windows: add --window, such as --window 1m")
        if (self.above is None) == (self.below is None):
            raise unusable("an alert is about one level: give --above, such as --above 5M, or --below")
        direction: Direction = "below" if self.above is None else "above"
        if self.cooldown is not None:
            milliseconds(self.cooldown, "--cooldown")
        level = self.above if self.below is None else self.below
        assert level is not None
        if self.back is not None and (self.back >= level if direction == "above" else self.back <= level):
            side = "less" if direction == "above" else "more"
            raise unusable(
                f"--return {self.back:,.15g} says where an alert is over: give {side} than --{direction} {level:,.15g}"
            )
        window = self.sized(self.window)
        numbers = [name for name, _ in window.row.aggregates]
        if self.field not in numbers:
            raise unusable(f"--field {self.field} is no number of these rows: give {', '.join(numbers)}")
        found = Alerting(
            window=attrs.evolve(window, row=with_exchanges(window.row)),
            field=self.field,
            level=level,
            direction=direction,
            back=self.back,
            cooldown=self.cooldown,
            resolved=self.resolved,
            what=what,
        )
        usable(lambda: ops.pipeline(*found.stages))
        return found


NO_ALERT = AlertOptions()


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class AlertTargetOptions(TargetOptions):
    """Where alerts go."""

    to: Targets = ()
    """Where alerts go as well; may be repeated: https://... for a webhook, slack:, discord:, telegram:CHAT, bell for
    that of the terminal, command:PROGRAM, or env:NAME for a target that holds a secret."""


NO_ALERT_TARGETS = AlertTargetOptions()
