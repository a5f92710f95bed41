"""`cgrx publish`: channels of the feed, or of another server, to a log that other processes read."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import attrs
import trio

from cgrx import Channel, Feed, on_drain, publish, sinks
from cgrx._cli.commands.metrics import MetricsAt, serving
from cgrx._cli.commands.watch import connected
from cgrx._cli.terminal.command import run_command
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import beside
from cgrx._cli.terminal.text import counted
from cgrx._cli.view.delivery import Place, account
from cgrx.metrics import Collector

_STATUS_EVERY_S = 60.0
"""It may run for months: more lines would fill a log."""


@attrs.frozen(kw_only=True)
class Publish:
    """What to publish, and where."""

    url: str
    channels: tuple[Channel, ...]
    to: Place
    shard: str = "1/1"
    partition_by: Literal["channel", "base_asset"] = "channel"
    dead_letters: Path | None = None
    spill: Path | None = None
    seconds: float = math.inf
    """How long, from the first connection on."""
    connect_timeout_s: float = 30.0
    proxy: str | None = None


async def publish_feed(request: Publish, terminal: Terminal, metrics: MetricsAt | None = None) -> int:
    """Run the command, and return its exit code."""
    opened: dict[str, sinks.Sink] = {}

    async def work() -> None:
        with reporting(terminal.say):
            async with (
                serving(metrics, terminal) as count,
                connected(request.url, request.connect_timeout_s, request.proxy) as feed,
            ):
                count(lambda: Collector(feed, sinks=opened))
                await _publish(request, feed, opened, terminal)

    async def conclude(exit_code: int) -> int:
        for line in _accounts(opened.values()):
            terminal.say(line)
        has_lost = any(sink.stats.dropped or sink.stats.dead for sink in opened.values())
        return Exit.FAILED if has_lost and exit_code == Exit.DONE else exit_code

    return await run_command(work, terminal, conclude=conclude)


async def _publish(request: Publish, feed: Feed, opened: dict[str, sinks.Sink], terminal: Terminal) -> None:
    """Publish until the time is over, or the feed ends."""
    try:
        publishing = publish(
            feed,
            request.channels,
            request.to.text,
            shard=request.shard,
            partition_by=request.partition_by,
            dead_letters=request.dead_letters,
            spill=request.spill,
        )
    except ImportError as error:
        raise CommandError(Exit.NO_EXTRA, str(error)) from error
    except (ValueError, TypeError) as error:
        raise CommandError(Exit.USAGE, str(error)) from error
    try:
        async with publishing as sink:
            opened[request.to.named] = sink
            part = "" if request.shard == "1/1" else f", of them the share {request.shard},"
            terminal.say(f"publishing {counted(len(request.channels), 'channel')}{part} to {sink.name}")
            async with beside(lambda: _say_accounts(opened, terminal)):
                with trio.move_on_after(request.seconds) as publishing_for, on_drain(publishing_for.cancel):
                    await feed.run()
    except sinks.SinkRefusedError as error:
        raise CommandError(Exit.REFUSED, f"--to {request.to.named}: {error}") from error
    except OSError as error:  # of the file or the folder that is given
        raise CommandError(Exit.USAGE, f"--to {request.to.named}: {error}") from error


async def _say_accounts(opened: dict[str, sinks.Sink], terminal: Terminal) -> None:
    while True:
        await trio.sleep(_STATUS_EVERY_S)
        for line in _accounts(opened.values()):
            terminal.say(line)


def _accounts(opened: Iterable[sinks.Sink]) -> list[str]:
    return [account(sink) for sink in opened]
