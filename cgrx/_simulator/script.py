"""When scripted faults happen: by time, by events sent, by the number of a connection."""

from collections.abc import Callable, Mapping

import attrs

from cgrx._simulator.client import Peer, PeerFault
from cgrx._simulator.due import Alarms, Moments
from cgrx._simulator.faults import ArrivalFault, Fault
from cgrx._simulator.journal import Counters


@attrs.define
class _Arrivals:
    """An arrival fault whose moment has come, and to how many connections it still happens."""

    fault: ArrivalFault
    left: int


class Script:
    """The faults of a simulator that have not happened yet."""

    def __init__(self, peers: Mapping[int, Peer], counters: Counters, alarms: Alarms) -> None:
        self.moments = Moments()
        """The faults that wait for `counters.events` to reach a number."""
        self._peers = peers
        self._counters = counters
        self._alarms = alarms
        self._for_next: list[PeerFault] = []
        self._for_number: dict[int, list[PeerFault]] = {}
        self._arrivals: list[_Arrivals] = []

    def add(self, fault: Fault) -> None:
        """Let the fault happen at its moment."""
        if isinstance(fault, ArrivalFault):
            self._at_its_moment(fault, lambda: self._arrivals.append(_Arrivals(fault, fault.connections)))
        elif fault.connection is None:
            self._at_its_moment(fault, lambda: self._to_all(fault))
        elif fault.connection in self._peers:
            self._peers[fault.connection].schedule(fault)
        else:
            self._for_number.setdefault(fault.connection, []).append(fault)

    def arrival(self, number: int) -> ArrivalFault | None:
        """The fault that happens to this connection, which arrives now: of several the one scripted first."""
        for arrivals in self._arrivals:
            if number >= (arrivals.fault.connection or 0):
                arrivals.left -= 1
                if not arrivals.left:
                    self._arrivals.remove(arrivals)
                return arrivals.fault
        return None

    def opened(self, peer: Peer) -> None:
        """A connection's handshake is done: faults that waited for it happen, or their moments are counted from now."""
        for_next, self._for_next = self._for_next, []
        for fault in for_next:
            peer.apply(fault)
        for fault in self._for_number.pop(peer.number, ()):
            peer.schedule(fault)

    def _at_its_moment(self, fault: Fault, action: Callable[[], None]) -> None:
        if fault.after_events is not None:
            self.moments.add(self._counters.events + fault.after_events, action)
        elif fault.after:
            self._alarms.after(fault.after, action)
        else:
            action()

    def _to_all(self, fault: PeerFault) -> None:
        if not self._peers:
            self._for_next.append(fault)
        for peer in self._peers.values():
            peer.apply(fault)
