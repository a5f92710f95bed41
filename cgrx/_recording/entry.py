"""The entries that a recording is made of: one is a signal of a channel's stream, or a status."""

from typing import Any

import attrs

from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal, Watermark, mark_ms
from cgrx._model.status import Status


@attrs.frozen
class Recorded:
    """An entry: a signal on the stream of `channel`, or a status, where `channel` is None."""

    channel: Channel | None
    said: Signal[Any] | Status


def said_ms(said: Signal[Any] | Status) -> int:
    """The time that a signal or status bears, milliseconds since the epoch; 0 where it bears none."""
    match said:
        case Batch(received_ms=received_ms):
            return received_ms
        case Alive() | Gap() | Dropped() | Watermark():
            return mark_ms(said)
        case _:
            return said.at_ms
