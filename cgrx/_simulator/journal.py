"""What a test reads from a simulator: the log of its connections and faults, in order, and the counters."""

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import attrs
import trio

from cgrx._simulator.faults import Fault


@attrs.frozen
class Connected:
    """A client completed its handshake; `at_s` is seconds since the simulator began.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with (
        ...     Simulator() as simulator,
        ...     cgrx.connect(url=simulator.url, api_key="made-up-key") as feed,
        ... ):
        ...     print(simulator.log[0].connection)
        1
    """

    connection: int
    at_s: float


@attrs.frozen
class Refused:
    """A connection ended before or by its handshake.

    `why` is `"tcp"`, `"dns"`, `"hang"`, `"no handshake"` or an HTTP status.

    Examples:
        >>> from cgrx.testing import Refuse, Refused, Simulator
        >>> async with Simulator(faults=[Refuse(how=503)]) as simulator:
        ...     async with cgrx.connect(
        ...         url=simulator.url, api_key="made-up-key"
        ...     ) as feed:
        ...         print(
        ...             [
        ...                 each.why
        ...                 for each in simulator.log
        ...                 if isinstance(each, Refused)
        ...             ]
        ...         )
        ['503']
    """

    connection: int
    at_s: float
    why: str


@attrs.frozen
class Said:
    """A client sent a text message other than `ping`; binary ones are shown as their repr.

    Examples:
        >>> from cgrx import testing
        >>> testing.Said(
        ...     1, 0.2, '{"method":"subscribe","channels":["liquidationOrders"]}'
        ... ).connection
        1
    """

    connection: int
    at_s: float
    text: str


@attrs.frozen
class Happened:
    """A scripted fault happened to a connection.

    Examples:
        >>> from cgrx import testing
        >>> testing.Happened(1, 30.0, testing.Drop(after="30s")).fault
        Drop(after=30.0, after_events=None, connection=None)
    """

    connection: int
    at_s: float
    fault: Fault


@attrs.frozen
class Ended:
    """A connection that had completed its handshake is over; `code` is 1006 where there was no close frame.

    Examples:
        >>> from cgrx import testing
        >>> testing.Ended(1, 30.0, 1006).code
        1006
    """

    connection: int
    at_s: float
    code: int


LogEntry: TypeAlias = Connected | Refused | Said | Happened | Ended
"""What stands in `simulator.log`.

Examples:
    >>> from cgrx import testing
    >>> log: list[testing.LogEntry] = [
    ...     testing.Connected(1, 0.1),
    ...     testing.Ended(1, 30.0, 1006),
    ... ]
    >>> [each.at_s for each in log if isinstance(each, testing.Ended)]
    [30.0]
"""


@attrs.frozen
class Client:
    """A connection as it is now.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with Simulator([liquidation()]) as simulator:
        ...     async with cgrx.connect(
        ...         url=simulator.url, api_key="made-up-key"
        ...     ) as feed:
        ...         async with cgrx.stream(feed.liquidations()) as events:
        ...             event = await anext(events)
        ...             print(simulator.clients)
        (Client(connection=1, subscriptions=('liquidationOrders',), events=1),)
    """

    connection: int
    """Its number, from 1, in the order of arrival."""
    subscriptions: tuple[str, ...]
    """The names of its channels as the client wrote them, in the order subscribed."""
    events: int
    """Events sent to it."""


def _frozen_copy(counts: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType(dict(counts))


@attrs.frozen(kw_only=True)
class SimulatorStats:
    """A snapshot: counters since the simulator began, and the connections and subscriptions of the moment.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with Simulator([liquidation()]) as simulator:
        ...     async with cgrx.connect(
        ...         url=simulator.url, api_key="made-up-key"
        ...     ) as feed:
        ...         async with cgrx.stream(feed.liquidations()) as events:
        ...             event = await anext(events)
        ...             print(
        ...                 simulator.stats.connections,
        ...                 simulator.stats.events,
        ...                 simulator.stats.slow_clients,
        ...             )
        1 1 0
    """

    connections: int
    """Connections that are open now, their handshake done."""
    connections_total: int
    """Handshakes completed so far."""
    refused: int
    """Connections that ended before or by their handshake."""
    subscriptions: Mapping[str, int] = attrs.field(converter=_frozen_copy)
    """Clients subscribed now, per channel as it is named in frames."""
    events: int
    """Events that somebody was subscribed to."""
    events_per_channel: Mapping[str, int] = attrs.field(converter=_frozen_copy)
    """Per channel as it is named in frames; with two trade channels of one instrument an event counts in both."""
    events_unheard: int
    """Events that nobody was subscribed to."""
    events_withheld: int
    """Events not sent to a client because a fault had silenced its connection, or because it was too slow."""
    frames: int
    """Event frames handed to connections."""
    commands: int
    """Well-formed commands."""
    commands_ignored: int
    """Messages that were not answered because they are no well-formed command, or their client is ignored."""
    names_ignored: int
    """Names in well-formed commands that name no channel."""
    notices: int
    """Plan and key notices sent."""
    pings: int
    """Text pings received."""
    pongs: int
    """Text pongs sent."""
    slow_clients: int
    """Clients disconnected because they read too slowly."""
    finished: bool
    """The events have come to an end (never true of an endless source)."""


@attrs.define
class Counters:
    """The counters of `SimulatorStats` that the server increments as it runs."""

    connections_total: int = 0
    refused: int = 0
    events: int = 0
    events_unheard: int = 0
    events_withheld: int = 0
    frames: int = 0
    commands: int = 0
    commands_ignored: int = 0
    names_ignored: int = 0
    notices: int = 0
    pings: int = 0
    pongs: int = 0
    slow_clients: int = 0
    finished: bool = False


LOG_ENTRIES = 100_000
"""The log keeps this many entries, the latest."""


class Journal:
    """The log and the counters, and a place to wait for them to change. Create it inside trio."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.entries: deque[LogEntry] = deque(maxlen=LOG_ENTRIES)
        self.changed = trio.lowlevel.ParkingLot()
        self._start = trio.current_time()

    def now_s(self) -> float:
        """Seconds since the simulator began."""
        return trio.current_time() - self._start

    def write(self, entry: LogEntry) -> None:
        """Add an entry and wake the tasks that wait for a change."""
        self.entries.append(entry)
        self.changed.unpark_all()

    def happened(self, connection: int, fault: Fault) -> None:
        """Log a fault."""
        self.write(Happened(connection, self.now_s(), fault))
