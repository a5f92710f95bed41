"""One thing that a feed said: what a recording is made of."""

from typing import Any

import attrs

from cgrx._model.channels import Channel
from cgrx._model.signals import Signal
from cgrx._model.status import Status


@attrs.frozen
class Recorded:
    """One thing a feed said, on the stream of `channel`; None: on its status."""

    channel: Channel | None
    said: Signal[Any] | Status
