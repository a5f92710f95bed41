"""What a stream knows of the feed that it begins on: its scheduler, its thread, and where errors go."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol, TypeVar

import attrs
from reactivex import abc

from cgrx._model.status import Status

T = TypeVar("T")


class Runtime(Protocol):
    """What a stream knows of the feed that it begins on."""

    @property
    def scheduler(self) -> abc.SchedulerBase:
        """Where timed reactivex operators run."""
        ...

    def in_thread(self, action: Callable[[], T]) -> T:
        """Call `action` in the feed's thread, and return what it returns.

        Raises:
            ThreadError: this is another thread, and the feed takes no calls from it.
        """
        ...

    def subscriber_raised(self, error: Exception) -> None:
        """A subscriber raised; its subscription is disposed already."""
        ...

    def unhandled(self, error: Exception) -> None:
        """A stream ended with an error for which its subscriber has no `on_error`."""
        ...

    def tell(self, make: Callable[[int], Status]) -> None:
        """Report a status, which `make` makes of the feed's time, milliseconds since the epoch."""
        ...

    @property
    def waits(self) -> bool:
        """Whether it would rather wait for its consumers than let a buffer overflow, as a replay at full speed."""
        ...

    def begin(self) -> None:
        """Start, if it has waited for a first consumer, as a replay does."""
        ...

    def after(self, delay_s: float, action: Callable[[], None]) -> abc.DisposableBase:
        """Call `action` in `delay_s` seconds of trio's clock, whatever the feed's own time is."""
        ...

    def hold(self) -> None:
        """Stop reading until `release` has been called as often as `hold`."""
        ...

    def release(self) -> None:
        """Take one `hold` back."""
        ...


def joint(runtimes: Iterable[Runtime]) -> Runtime | None:
    """The runtime of a stream made of others, None where none of them has one."""
    distinct = tuple(dict.fromkeys(runtimes))
    return _Joint(distinct) if len(distinct) > 1 else next(iter(distinct), None)


@attrs.frozen
class _Joint:
    """The runtimes of several feeds, for a stream made of all of them; the first one takes the errors."""

    members: tuple[Runtime, ...]

    @property
    def scheduler(self) -> abc.SchedulerBase:
        return self.members[0].scheduler

    def in_thread(self, action: Callable[[], T]) -> T:
        for member in self.members:
            action = partial(member.in_thread, action)  # one inside the other: feeds of different threads refuse
        return action()

    def subscriber_raised(self, error: Exception) -> None:
        self.members[0].subscriber_raised(error)

    def unhandled(self, error: Exception) -> None:
        self.members[0].unhandled(error)

    def tell(self, make: Callable[[int], Status]) -> None:
        self.members[0].tell(make)

    @property
    def waits(self) -> bool:
        return all(member.waits for member in self.members)

    def begin(self) -> None:
        for member in self.members:
            member.begin()

    def after(self, delay_s: float, action: Callable[[], None]) -> abc.DisposableBase:
        return self.members[0].after(delay_s, action)

    def hold(self) -> None:
        for member in self.members:
            member.hold()

    def release(self) -> None:
        for member in self.members:
            member.release()
