"""A running form that stands where signals come in, with no call in front of it.

Most batches of one give nothing yet, such as those that go into an open window. For these a link in front, which would
look at what came of them, costs as much as a tenth of the work. So the form takes the signals itself, and says by a
call if anything came of one.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from cgrx._model.signals import Signal
from cgrx._streams.predicates import Push
from cgrx._streams.running import NOTHING, Direct, Produced

In = TypeVar("In")
Out = TypeVar("Out")

Deliver: TypeAlias = Callable[[Sequence[Signal[Any]], Exception | None], None]
"""What takes the signals that go on, and the error that follows them."""


def _as_it_is(produced: Produced) -> Produced:
    return produced


class Entering(Direct[In, Out]):
    """A form whose `produce` hands on by `_hand_on` whatever is not NOTHING, so that signals may be pushed into it."""

    _quickly = True
    """Whether `produce` may take a short way; not where it is closed."""
    _closed = False
    _hand_on: Callable[[Produced], Produced] = staticmethod(_as_it_is)

    def enter(self, deliver: Deliver) -> tuple[Push, Callable[[], None]]:
        """What takes signals and gives to `deliver` what comes of them; and what closes it: it takes none then."""

        def hand_on(produced: Produced) -> Produced:
            deliver(*produced)
            return NOTHING

        self._hand_on = hand_on
        return self.produce, self._close_entrance  # type: ignore[return-value]  # it is NOTHING that comes back

    def _close_entrance(self) -> None:
        self._quickly, self._closed = False, True

    def _produce_whole(self, signal: Signal[Any]) -> Produced:
        """What `produce` gives of any signal, by the long way."""
        produced = NOTHING if self._closed else self._made_of(signal)
        return produced if produced is NOTHING else self._hand_on(produced)

    @abstractmethod
    def _made_of(self, signal: Signal[Any]) -> Produced:
        """The signals that go on when this one comes in, and the error that follows; NOTHING itself if that is all."""
