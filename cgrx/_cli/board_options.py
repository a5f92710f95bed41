"""The options of `cgrx board`, and those of them that `cgrx demo --board` has too.

cyclopts reads the attributes of these classes as options and the texts below them as their help.
"""

import math
import os
import secrets
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import attrs
from cyclopts import Parameter

from cgrx import COINGLASS_URL, board
from cgrx import operators as ops
from cgrx._cli.arguments import Names, Port, Positive, Usd, instruments, keyless, passwordless, unusable
from cgrx._cli.commands.board import Boarded, Page, feed_of
from cgrx._cli.commands.demo_story import BIG_USD, MARKETS
from cgrx._cli.window_options import milliseconds
from cgrx.testing import symbol_of

PORT = 8764
"""Where a board listens. It is the same each time, so that a page that is open finds the next run again."""

LEAST_TRADE = 10_000.0
"""Least volume, in US dollars, of the trades that are subscribed to where no other is named."""

_BANDS = ops.cascades("200ms", min_volume=250_000, min_count=5, emit="crossed", updates="1s")
"""Cascades of the demo. In its market, a hundred times as busy as a real one on a quiet day, one by the board's own gap
of three seconds would never end."""

_VARIABLE, _NEW = "env:", "new"


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class PageOptions:
    """Where the page is served, and who is shown it."""

    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 for all of this machine. One that others reach needs --token."""
    port: Port = PORT
    """The port to listen on; 0 takes a free one."""
    token: str | None = None
    """What a browser must bring, as a part of the address that is printed: new for one that is made up, or env:NAME for
    that of an environment variable."""
    allow_host: Names = ()
    """A name by which people open the page, such as that of a proxy in front; may be repeated. The addresses of this
    machine are always answered."""
    open: bool = False
    """Open the page in a browser."""

    def page(self, **more: Any) -> Page:
        """The page to serve, with more arguments of `cgrx.board`.

        Raises:
            CommandError: a token that others can see, or a variable that is not set.
        """
        token = _token(self.token)
        if token is not None and self.open:
            raise unusable(
                "--open would show the token to every user of this machine, on the command line of the browser: leave"
                " it out, and open the address that is printed"
            )
        return Page(
            board=partial(board, host=self.host, port=self.port, token=token, allow_hosts=self.allow_host, **more),
            where=f"{self.host} port {self.port}",
            opens=self.open,
        )

    def of_demo(self, *, shown: bool) -> Page | None:
        """The page of the simulator, if it is to be shown.

        Raises:
            CommandError: an option that says how to show it, where it is not.
        """
        if shown:
            trades = [(exchange, symbol_of(exchange, asset), BIG_USD) for exchange, asset in MARKETS]
            return self.page(trades=trades, cascades=_BANDS, title="cgrx demo", demo=True)
        for field in attrs.fields(PageOptions):
            if getattr(self, field.name) != field.default:
                raise unusable(f"--{field.name.replace('_', '-')} is for the page of --board: add --board")
        return None


PAGE = PageOptions()


def _token(text: str | None) -> str | None:
    """The token that is meant."""
    if text is None:
        return None
    if text == _NEW:
        return secrets.token_urlsafe(24)
    if not text.startswith(_VARIABLE):
        raise unusable(
            "a token in --token can be seen by every user of this machine: give --token new for one that is made up, or"
            " put it into an environment variable, such as CGRX_TOKEN, and give --token env:CGRX_TOKEN"
        )
    name = text.removeprefix(_VARIABLE)
    found = os.environ.get(name, "").strip()
    if not found:
        raise unusable(f"--token {text}: the environment variable {name or 'NAME'} is not set")
    return found


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class BoardOptions:
    """What a page shows."""

    url: str = COINGLASS_URL
    """Address of the server, ws:// or wss://."""
    connect_timeout: Positive = 30.0
    """Seconds for the first connection, all attempts together."""
    proxy: str | None = None
    """A proxy to connect through: http://HOST:PORT, https://, socks5:// or socks5h://, or env for the one that the
    environment names."""
    replay: Annotated[tuple[Path, ...], Parameter(show_default=False)] = ()
    """Show this recording in place of a feed, with play, pause, speed and a time slider; may be repeated."""
    speed: Positive | None = None
    """With --replay: 1 plays at the recorded pace, which is the default, 60 sixty times as fast, inf as fast as the
    page's numbers are made."""
    start: Annotated[str | None, Parameter(name="--from")] = None
    """With --replay: begin with events received at this time, such as 2024-08-09T00:00:05 (UTC, unless it names a
    zone)."""
    history: Path | None = None
    """Begin with the end of this recording, where a feed is shown."""
    market: Names = ()
    """An instrument whose trades are shown, such as Binance:BTCUSDT:10000; may be repeated. By default those of BTC and
    ETH on Binance, of a recording all that it holds. 10000 is the least volume in US dollars where none is named."""
    window: str = "10s"
    """How long a window of the charts is, such as 10s or 1m."""
    keep: str = "1h"
    """For how long windows are kept in memory."""
    large_trade: Usd = 50_000.0
    """The tape has trades of at least this many US dollars, such as 50k."""
    large_liquidation: Usd = 0.0
    """The tape has liquidations of at least this many US dollars."""
    cascades: str = "3s"
    """A cascade is a run of liquidations of an asset that are no further apart than this, ..."""
    cascade_volume: Usd = 250_000.0
    """... and have at least this many US dollars in all."""
    alert_volume: Usd = 1_000_000.0
    """The page alerts where as many US dollars of one side of an asset are liquidated within a window."""
    seconds: Positive = math.inf
    """End this many seconds after the first connection."""

    def boarded(self, page: PageOptions) -> Boarded:
        """What to show, and where.

        Raises:
            CommandError: a value that cannot be used, or options that exclude each other.
        """
        self._require_one_source()
        milliseconds(self.cascades, "--cascades")
        channels = instruments(self.market, LEAST_TRADE)
        made = page.page(
            trades=[attrs.astuple(each) for each in channels] or None,
            window=self.window,
            keep=self.keep,
            large_trade=self.large_trade,
            large_liquidation=self.large_liquidation,
            cascades=ops.cascades(
                self.cascades, min_volume=self.cascade_volume, min_count=5, emit="crossed", updates="1s"
            ),
            alert_volume=self.alert_volume,
            history=self.history,
            speed=1.0 if self.speed is None else self.speed,
            start=self.start,
            title="cgrx board",
        )
        feed = feed_of(keyless(self.url), self.connect_timeout, passwordless(self.proxy))
        return Boarded(page=made, source=self.replay or feed, seconds=self.seconds)

    def _require_one_source(self) -> None:
        live = {"--url": self.url != COINGLASS_URL, "--proxy": self.proxy is not None, "--history": self.history}
        recorded = {"--speed": self.speed is not None, "--from": self.start is not None}
        for option, given in (live if self.replay else recorded).items():
            if given:
                why = (
                    "is for a live feed: leave it out, or --replay"
                    if self.replay
                    else "is for recordings: add --replay"
                )
                raise unusable(f"{option} {why}")


BOARD = BoardOptions()
