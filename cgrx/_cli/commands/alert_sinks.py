"""Where alerts go: chats and web services by `cgrx.sinks.to`, the bell of the terminal, and programs of the user."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import attrs
import trio

from cgrx import API_KEY_VARIABLE, EventStream, sinks
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.text import visible
from cgrx._cli.view.alerts import Alert
from cgrx._cli.view.delivery import Place

_CHATS_AND_SERVICES = ("https", "http", "slack", "discord", "telegram")

_PROGRAM_S = 10.0
"""How long a program may take; then it is ended, and killed if it does not end (SIGTERM, 5 s later SIGKILL)."""


@attrs.frozen
class AlertSinks:
    """Makes the sink of a target. An alert waits for no other one, but those that wait go together."""

    terminal: Terminal

    def __call__(
        self, target: Place, alerts: EventStream[Any], options: sinks.DeliveryOptions
    ) -> AbstractAsyncContextManager[sinks.Sink]:
        """See `Open`."""
        scheme, _, rest = target.text.partition(":")
        options = {**options, "every": 0}
        if scheme in _CHATS_AND_SERVICES:
            return sinks.to(target.text, alerts, text=_text, **options)
        if target.text == "bell":
            return sinks.deliver(_Bell(self.terminal).ring, alerts, name="bell", **options)
        if scheme == "command":
            program = _Program(_parsed(rest))
            options["batch"] = 1
            return sinks.deliver(program.run, alerts, name=f"command {program.words[0]}", **options)
        raise ValueError(
            "this is no target of alerts: give https://..., slack:, discord:, telegram:CHAT, bell, command:PROGRAM, or"
            " env:NAME for one that holds a secret"
        )


def _text(alert: Alert) -> str:
    return alert.text


@attrs.frozen
class _Bell:
    """Rings, and writes the line where standard output does not show it."""

    terminal: Terminal

    async def ring(self, batch: Sequence[Alert]) -> None:
        for alert in batch:
            self.terminal.write_error("\a")
            if not self.terminal.is_live:
                self.terminal.say(alert.line)
        await trio.lowlevel.checkpoint()


def _parsed(text: str) -> tuple[str, ...]:
    """A program and its arguments, as a shell would part them.

    Raises:
        ValueError: there is none.
    """
    words = shlex.split(text)
    if not words or shutil.which(words[0]) is None:
        raise ValueError(f"there is no program {words[0] if words else ''!r} that could be run: give command:PROGRAM")
    return tuple(words)


@attrs.frozen
class _Program:
    """A program of the user, run once for each alert, one after another, without a shell."""

    words: tuple[str, ...]

    async def run(self, batch: Sequence[Alert]) -> None:
        """Give it the text on its standard input, and everything in its environment.

        Raises:
            SinkDataError: it has failed, or taken too long.
        """
        for alert in batch:
            with trio.move_on_after(_PROGRAM_S) as bound:
                done = await trio.run_process(
                    self.words,
                    stdin=f"{alert.text}\n".encode(),
                    stdout=subprocess.DEVNULL,
                    env=_environment(alert),
                    check=False,
                )
                if done.returncode:
                    raise sinks.SinkDataError(f"it ended with exit code {done.returncode}")
            if bound.cancelled_caught:
                raise sinks.SinkDataError(f"it took more than {_PROGRAM_S:g} s, and was ended")


def _environment(alert: Alert) -> Mapping[str, str]:
    """That of this process, without the API key, and `CGRX_ALERT_` before each name that programs get of an alert."""
    inherited = {name: value for name, value in os.environ.items() if name != API_KEY_VARIABLE}
    return inherited | {f"CGRX_ALERT_{name.upper()}": visible(str(value)) for name, value in alert.asdict().items()}
