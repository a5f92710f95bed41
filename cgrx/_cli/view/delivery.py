"""`--to`: what is shown goes into other systems too, each by a sink of its own."""

import re
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import attrs
from reactivex import abc
from reactivex.disposable import Disposable

from cgrx import Batch, EventStream, sinks
from cgrx._cli.terminal.exits import CommandError, Exit


@attrs.frozen
class Place:
    """Where something goes."""

    named: str
    """As it stands on the command line, without a secret: `duckdb:demo.db`, `env:ALERTS`."""
    text: str = attrs.field(repr=False)
    """All of it."""


Open: TypeAlias = Callable[[Place, EventStream[Any], sinks.DeliveryOptions], AbstractAsyncContextManager[sinks.Sink]]
"""Makes the sink of a target. Raises ValueError where the text is none, ImportError where an extra is missing."""


def _open(
    target: Place, items: EventStream[Any], options: sinks.DeliveryOptions
) -> AbstractAsyncContextManager[sinks.Sink]:
    return sinks.to(target.text, items, **options)


@attrs.frozen(kw_only=True)
class Deliveries:
    """What is to be delivered where."""

    targets: tuple[Place, ...] = ()
    dead_letters: Path | None = None
    """The file for what a system refuses."""
    spill: Path | None = None
    """The folder in which each target has one for what waits."""
    open: Open = _open

    def options(self, target: Place) -> sinks.DeliveryOptions:
        """Those of the sink of a target."""
        found = sinks.DeliveryOptions(dead_letters=self.dead_letters)
        if self.spill is not None:
            found["spill"] = self.spill / re.sub(r"[^\w.-]+", "-", target.named)
        return found


NOWHERE = Deliveries()


class Delivery:
    """The sinks of one run, and how items come to them: exactly those that are shown."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._observers: list[Any] = []
        self.sinks: dict[str, sinks.Sink] = {}
        """By their targets."""

    @asynccontextmanager
    async def opened(self, source: EventStream[Any], kinds: Iterable[type] | None) -> AsyncGenerator[None, None]:
        """Deliver in the body, and for as long as it takes on leaving it.

        Args:
            source: what the items are made of; a replay waits for the sinks.
            kinds: their classes, where they are known.

        Raises:
            CommandError: a target cannot be used, needs an extra, or refuses.
        """
        items: EventStream[Any] = EventStream(
            self._connect, event_types=None if kinds is None else frozenset(kinds), runtime=source.runtime
        )
        async with AsyncExitStack() as stack:
            for target in self._deliveries.targets:
                options = self._deliveries.options(target)
                try:
                    sink = await stack.enter_async_context(self._deliveries.open(target, items, options))
                except ImportError as error:
                    raise CommandError(Exit.NO_EXTRA, f"--to {target.named}: {error}") from error
                except (ValueError, TypeError, OSError) as error:
                    raise CommandError(Exit.USAGE, f"--to {target.named}: {error}") from error
                except sinks.SinkRefusedError as error:
                    raise CommandError(Exit.REFUSED, f"--to {target.named}: {error}") from error
                self.sinks[target.named] = sink
            yield

    def put(self, items: Sequence[Any]) -> None:
        """Deliver these."""
        if items:
            batch = Batch(None, 0, tuple(items))
            for observer in self._observers:
                observer.on_signal(batch)

    @property
    def words(self) -> list[str]:
        """The accounts of each sink as a line."""
        return [account(sink) for sink in self.sinks.values()]

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits for a system."""
        return not any(sink.stats.queued or sink.stats.in_flight for sink in self.sinks.values())

    @property
    def has_lost(self) -> bool:
        """Whether something was given up."""
        return any(sink.stats.dropped or sink.stats.dead for sink in self.sinks.values())

    def _connect(self, observer: Any, _: abc.SchedulerBase | None) -> abc.DisposableBase:
        self._observers.append(observer)
        return Disposable(lambda: self._observers.remove(observer))


def account(sink: sinks.Sink) -> str:
    """The accounts of a sink as a line."""
    stats = sink.stats
    kept = f", {stats.queued:,} kept for later" if stats.queued else ""
    return (
        f"{sink.name}: in {stats.received:,}, out {stats.delivered:,}, superseded {stats.superseded:,},"
        f" dropped {stats.dropped:,}, dead {stats.dead:,}{kept}"
    )
