"""One thing that a feed said: what a recording is made of."""

from typing import Any

import attrs

from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal, Watermark, mark_ms
from cgrx._model.status import Status


@attrs.frozen
class Recorded:
    """One thing a feed said, on the stream of `channel`; None: on its status."""

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
