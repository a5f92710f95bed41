"""For the tests of your own pipelines: signals in, results out; and a server to try a feed on.

A pipeline is a pure function of its signals, so a test needs no sleeping:

    from cgrx.testing import alive, batch, liquidation, play
    assert play(ops.side("long"), [batch(liquidation("long"), liquidation("short")), alive("15s")]) == [...]
"""

from cgrx._faults import ArrivalFault as ArrivalFault
from cgrx._faults import Binary as Binary
from cgrx._faults import Close as Close
from cgrx._faults import CloseAtOnce as CloseAtOnce
from cgrx._faults import Drip as Drip
from cgrx._faults import Drop as Drop
from cgrx._faults import DropInFrame as DropInFrame
from cgrx._faults import Duplicate as Duplicate
from cgrx._faults import Fault as Fault
from cgrx._faults import Fragmented as Fragmented
from cgrx._faults import FrameFault as FrameFault
from cgrx._faults import Garbage as Garbage
from cgrx._faults import HalfFrame as HalfFrame
from cgrx._faults import HangConnect as HangConnect
from cgrx._faults import HangHandshake as HangHandshake
from cgrx._faults import Huge as Huge
from cgrx._faults import Late as Late
from cgrx._faults import LineFault as LineFault
from cgrx._faults import NoPong as NoPong
from cgrx._faults import RawBytes as RawBytes
from cgrx._faults import Refuse as Refuse
from cgrx._faults import Stall as Stall
from cgrx._faults import WrongTypes as WrongTypes
from cgrx._generator import Generator as Generator
from cgrx._generator import symbol_of as symbol_of
from cgrx._marbles import marbles as marbles
from cgrx._marbles import to_marbles as to_marbles
from cgrx._playing import Timeline as Timeline
from cgrx._playing import play as play
from cgrx._playing import play_signals as play_signals
from cgrx._playing import play_timeline as play_timeline
from cgrx._samples import alive as alive
from cgrx._samples import batch as batch
from cgrx._samples import dropped as dropped
from cgrx._samples import gap as gap
from cgrx._samples import liquidation as liquidation
from cgrx._samples import trade as trade
from cgrx._samples import watermark as watermark
from cgrx._simulator import Simulator as Simulator
from cgrx._simulator_log import Client as Client
from cgrx._simulator_log import Connected as Connected
from cgrx._simulator_log import Ended as Ended
from cgrx._simulator_log import Happened as Happened
from cgrx._simulator_log import LogEntry as LogEntry
from cgrx._simulator_log import Refused as Refused
from cgrx._simulator_log import Said as Said
from cgrx._simulator_log import SimulatorStats as SimulatorStats
from cgrx._sources import JsonLines as JsonLines

__all__ = [
    "ArrivalFault",
    "Binary",
    "Client",
    "Close",
    "CloseAtOnce",
    "Connected",
    "Drip",
    "Drop",
    "DropInFrame",
    "Duplicate",
    "Ended",
    "Fault",
    "Fragmented",
    "FrameFault",
    "Garbage",
    "Generator",
    "HalfFrame",
    "HangConnect",
    "HangHandshake",
    "Happened",
    "Huge",
    "JsonLines",
    "Late",
    "LineFault",
    "LogEntry",
    "NoPong",
    "RawBytes",
    "Refuse",
    "Refused",
    "Said",
    "Simulator",
    "SimulatorStats",
    "Stall",
    "Timeline",
    "WrongTypes",
    "alive",
    "batch",
    "dropped",
    "gap",
    "liquidation",
    "marbles",
    "play",
    "play_signals",
    "play_timeline",
    "symbol_of",
    "to_marbles",
    "trade",
    "watermark",
]
