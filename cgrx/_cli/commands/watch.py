"""`cgrx watch`: the real feed, or that of another server, to standard output."""

import os
from contextlib import AbstractAsyncContextManager

import attrs

from cgrx import API_KEY_VARIABLE, COINGLASS_URL, Feed, connect
from cgrx._cli.commands.choice import Choice, flow_of
from cgrx._cli.commands.metrics import MetricsAt, serving
from cgrx._cli.terminal.command import print_text, run_command
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.view.viewer import Chosen, Show, Viewer
from cgrx.metrics import Collector

_NO_KEY = "no-key-needed"
"""The key for servers other than CoinGlass's where the environment has none; `cgrx simulate` accepts any key."""


@attrs.frozen(kw_only=True)
class Watch:
    """What to watch."""

    url: str
    choice: Choice[Feed]
    connect_timeout_s: float
    proxy: str | None = None
    trades: Choice[Feed] | None = None
    """Those whose flow is joined."""

    def chosen(self, feed: Feed) -> Chosen:
        """The streams of a feed."""
        return self.choice.of(feed), flow_of(self.trades, feed)


async def watch(request: Watch, show: Show, terminal: Terminal, metrics: MetricsAt | None = None) -> int:
    """Run the command, and return its exit code."""
    viewer = Viewer(show, terminal)
    if show.explains:
        return await print_text(viewer.explanation(request.choice.filters), terminal)

    async def work() -> None:
        with reporting(viewer.say):
            async with (
                serving(metrics, terminal) as count,
                connected(request.url, request.connect_timeout_s, request.proxy) as feed,
            ):
                count(lambda: Collector(feed, streams=viewer.queues, pipelines=viewer.pipelines, sinks=viewer.sinks))
                await viewer.run(feed, request.chosen, lambda: request.url)

    return await run_command(work, terminal, conclude=viewer.conclude)


def connected(url: str, connect_timeout_s: float, proxy: str | None) -> AbstractAsyncContextManager[Feed]:
    """A feed with the key of the environment.

    Raises:
        CommandError: there is no key for the real endpoint, the URL or the proxy cannot be used, or a proxy needs the
            extra that is not installed.
    """
    key = os.environ.get(API_KEY_VARIABLE)
    if not key and url == COINGLASS_URL:
        raise CommandError(
            Exit.NO_KEY, f"no API key: set the environment variable {API_KEY_VARIABLE}; `cgrx demo` needs none"
        )
    try:
        return connect(api_key=key or _NO_KEY, url=url, connect_timeout=connect_timeout_s, proxy=proxy)
    except ImportError as error:
        raise CommandError(Exit.NO_EXTRA, str(error)) from error
    except ValueError as error:
        raise CommandError(Exit.USAGE, str(error)) from error
