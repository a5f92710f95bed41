"""`--window`, `--every`, `--by` and `--running`: the window that they ask for, and the rows that it gives."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

import attrs
from cyclopts import Parameter

from cgrx import operators as ops
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._model.signals import Batch
from cgrx._model.times import to_ms
from cgrx._streams.running import Running
from cgrx._streams.stream import EventTypes, Stage
from cgrx.operators._rows.derive import row_type
from cgrx.operators._rows.row import INSTRUMENT, KEY_FIELDS

_UPDATES = "1s"
"""How often running rows come, by the time of the events."""


@attrs.frozen
class Windowing:
    """A window that was asked for."""

    size_ms: int
    every_ms: int
    row: type[ops.Row]
    """`ops.Bar` with its key where that fixes the instrument, else `ops.Flow`."""
    running: bool = False
    """Whether rows that are not final become lines too."""
    words: str = ""
    """The same for people, such as "1m by exchange, symbol"."""

    def stage(self, *, updates: bool) -> Stage[Any, ops.Row]:
        """The window; with `updates` it gives running rows too."""
        size, every = self.size_ms / 1e3, self.every_ms / 1e3
        period = _UPDATES if updates else None
        if every == size:
            return ops.tumbling(size, self.row, updates=period)
        return ops.sliding(size, every, self.row, updates=period)


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class WindowOptions:
    """What rows are asked for with."""

    window: str | None = None
    """Rows in place of events: one for each window of this length, such as 1m, and each key that had an event."""
    every: str | None = None
    """From one window to the next, such as 10s: they overlap then. By default as long as --window."""
    by: Annotated[tuple[str, ...], Parameter(show_default=False)] = ()
    """What has rows of its own: exchange, symbol, base_asset, side, or several with commas. With exchange and symbol
    rows hold open, high, low and close too."""
    running: bool = False
    """Lines also for rows that are not final. In the live table they are always there."""

    def windowing(self) -> Windowing | None:
        """The window, if one is asked for.

        Raises:
            CommandError: a value that cannot be used, or one without --window.
        """
        if self.window is None:
            for name, value in (("--every", self.every), ("--by", self.by), ("--running", self.running)):
                if value:
                    raise _unusable(f"{name} says which rows a window gives: add --window, such as --window 1m")
            return None
        size_ms = _milliseconds(self.window, "--window")
        every_ms = size_ms if self.every is None else _milliseconds(self.every, "--every")
        if every_ms > size_ms:
            raise _unusable(
                f"--every {self.every} is more than --window {self.window}: events between two windows would be in none"
            )
        keys = _keys(self.by)
        words = self.window if self.every is None else f"{self.window} every {self.every}"
        return Windowing(
            size_ms=size_ms,
            every_ms=every_ms,
            row=row_type(ops.Bar if set(INSTRUMENT) <= set(keys) else ops.Flow, keys, {}),
            running=self.running,
            words=f"{words} by {', '.join(keys)}" if keys else words,
        )


def _milliseconds(text: str, option: str) -> int:
    try:
        found = to_ms(text, option)
    except ValueError:
        found = 0
    if found < 1:
        raise _unusable(f"{option} {text} cannot be used: give a duration such as 250ms, 5s, 1m, 4h or 1d")
    return found


def _keys(texts: Iterable[str]) -> tuple[str, ...]:
    keys = tuple(key.strip() for text in texts for key in text.split(","))
    for key in keys:
        if key not in KEY_FIELDS:
            raise _unusable(f"--by {key!r} is no field of every event: give one or more of {', '.join(KEY_FIELDS)}")
    return tuple(dict.fromkeys(keys))


def _unusable(message: str) -> CommandError:
    return CommandError(Exit.USAGE, message)


@attrs.frozen
class OnEvents(Stage[Any, Any]):
    """Passes everything, and calls a function with the events of each batch."""

    call: Callable[[Sequence[Any]], None]

    def event_types(self, incoming: EventTypes) -> EventTypes:
        """Those that come in."""
        return incoming

    def start(self) -> Running[Any, Any]:
        """See `Stage`."""
        return _EventsCaller(self.call)


class _EventsCaller(Running[Any, Any]):
    def __init__(self, call: Callable[[Sequence[Any]], None]) -> None:
        self._call = call

    def on_batch(self, batch: Batch[Any]) -> Iterable[Any]:
        self._call(batch.events)
        return batch.events
