"""Changes the marks where recordings meet, so that they read as those of one feed.

gaps       a channel begins anew with a gap from 0; where it was heard before, that becomes a gap from when it was last
           heard, because what came before was seen
proofs     recordings in one lane, one after the other, are one origin, as connections of one feed are; side by side
           they keep theirs
losses     a message that could not be read is charged to every channel: these are one object again, as on a live feed,
           so that a union counts it once
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

import attrs

from cgrx._model.signals import Alive, Dropped, Gap

C = TypeVar("C", bound=Hashable)

REPLAYED_FROM_HERE = "replayed from here"
"""The reason of the gap with which a channel begins that was heard before the start of a replay."""


def continued(gap: Gap, heard_ms: int | None) -> Gap:
    """The gap of a channel that was last heard at `heard_ms`; None where it was not heard before."""
    if gap.start_ms != 0 or heard_ms is None:
        return gap
    return attrs.evolve(gap, start_ms=min(heard_ms, gap.end_ms))


@attrs.define(eq=False)
class Lane:
    """The origin that all proofs of one lane have: that of the first."""

    origin: str | None = None

    def joined(self, proof: Alive) -> Alive:
        """The proof under the lane's origin."""
        if self.origin is None:
            self.origin = proof.origin
        return proof if proof.origin == self.origin else attrs.evolve(proof, origin=self.origin)


class Charges(Generic[C]):
    """Finds the losses that were charged to several channels, which may be given by their names.

    Asked in order; state: one loss and its channels.
    """

    def __init__(self) -> None:
        self._loss = Dropped(None, 0, "")
        self._charged: set[C] = set()

    def same(self, channel: C, loss: Dropped) -> Dropped:
        """The same object for every channel that one loss was charged to.

        A loss equal to the one before is the same one where it was charged to other channels only: two equal losses
        of one channel are two.
        """
        if loss != self._loss or channel in self._charged:
            self._loss = loss
            self._charged.clear()
        self._charged.add(channel)
        return self._loss
