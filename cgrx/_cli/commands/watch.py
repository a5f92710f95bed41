"""`cgrx watch`: the real feed, or that of another server, to standard output."""

import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import attrs

from cgrx._cli.terminal.exits import CommandError, Exit, explain
from cgrx._cli.terminal.output import ReaderGoneError
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import interruptible
from cgrx._cli.view.viewer import Show, Viewer
from cgrx._feed.feed import KEY_VARIABLE, URL, Feed, connect
from cgrx._model.errors import CgrxError
from cgrx._streams.stream import EventStream, Stage

_NO_KEY = "none"
"""What another server than CoinGlass's is sent where there is no key; `cgrx simulate` accepts any."""


@attrs.frozen(kw_only=True)
class Watch:
    """What to watch."""

    url: str
    choose: Callable[[Feed], EventStream[Any]]
    filters: tuple[Stage[Any, Any], ...]
    connect_timeout_s: float


async def watch(request: Watch, show: Show, terminal: Terminal) -> int:
    """Run it; the exit code."""
    viewer = Viewer(show, terminal)
    exit_code, last_words = Exit.DONE, ""
    async with interruptible(viewer.hurry) as interruption:
        try:
            with reporting(viewer.say):
                async with connected(request.url, request.connect_timeout_s) as feed:
                    events = request.choose(feed).pipe(*request.filters)
                    await viewer.run(feed, events, lambda: request.url)
        except ReaderGoneError:
            return Exit.DONE
        except CgrxError as error:
            exit_code, last_words = explain(error)
    if viewer.feed is not None:
        terminal.say(viewer.summary())
    if last_words:
        terminal.say(last_words)
    return interruption.exit_code or exit_code


def connected(url: str, connect_timeout_s: float) -> AbstractAsyncContextManager[Feed]:
    """A feed with the key of the environment."""
    key = os.environ.get(KEY_VARIABLE)
    if not key and url == URL:
        raise CommandError(
            Exit.NO_KEY, f"no API key: set the environment variable {KEY_VARIABLE}; `cgrx demo` needs none"
        )
    try:
        return connect(api_key=key or _NO_KEY, url=url, connect_timeout=connect_timeout_s)
    except ValueError as error:
        raise CommandError(Exit.USAGE, str(error)) from error
