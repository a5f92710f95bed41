"""For the tests of your own pipelines: signals in, results out; and a server to try a feed on.

A pipeline is a pure function of its signals, so a test needs no sleeping:

    from cgrx.testing import alive, batch, liquidation, play
    assert play(ops.side("long"), [batch(liquidation("long"), liquidation("short")), alive("15s")]) == [...]
"""

from cgrx._simulator.access import BadKey as BadKey
from cgrx._simulator.access import Plan as Plan
from cgrx._simulator.client import Overflow as Overflow
from cgrx._simulator.faults import ArrivalFault as ArrivalFault
from cgrx._simulator.faults import Binary as Binary
from cgrx._simulator.faults import Close as Close
from cgrx._simulator.faults import CloseAtOnce as CloseAtOnce
from cgrx._simulator.faults import Drip as Drip
from cgrx._simulator.faults import Drop as Drop
from cgrx._simulator.faults import DropInFrame as DropInFrame
from cgrx._simulator.faults import Duplicate as Duplicate
from cgrx._simulator.faults import Fault as Fault
from cgrx._simulator.faults import Fragmented as Fragmented
from cgrx._simulator.faults import FrameFault as FrameFault
from cgrx._simulator.faults import Garbage as Garbage
from cgrx._simulator.faults import HalfFrame as HalfFrame
from cgrx._simulator.faults import HangConnect as HangConnect
from cgrx._simulator.faults import HangHandshake as HangHandshake
from cgrx._simulator.faults import Huge as Huge
from cgrx._simulator.faults import Late as Late
from cgrx._simulator.faults import LineFault as LineFault
from cgrx._simulator.faults import NoPong as NoPong
from cgrx._simulator.faults import RawBytes as RawBytes
from cgrx._simulator.faults import Refuse as Refuse
from cgrx._simulator.faults import Stall as Stall
from cgrx._simulator.faults import WrongTypes as WrongTypes
from cgrx._simulator.journal import Client as Client
from cgrx._simulator.journal import Connected as Connected
from cgrx._simulator.journal import Ended as Ended
from cgrx._simulator.journal import Happened as Happened
from cgrx._simulator.journal import LogEntry as LogEntry
from cgrx._simulator.journal import Refused as Refused
from cgrx._simulator.journal import Said as Said
from cgrx._simulator.journal import SimulatorStats as SimulatorStats
from cgrx._simulator.market import Generator as Generator
from cgrx._simulator.market import symbol_of as symbol_of
from cgrx._simulator.routes import Generation as Generation
from cgrx._simulator.simulator import InMemory as InMemory
from cgrx._simulator.simulator import Simulator as Simulator
from cgrx._simulator.sources import JsonLines as JsonLines
from cgrx._testing.marbles import marbles as marbles
from cgrx._testing.marbles import to_marbles as to_marbles
from cgrx._testing.playing import Timeline as Timeline
from cgrx._testing.playing import play as play
from cgrx._testing.playing import play_signals as play_signals
from cgrx._testing.playing import play_timeline as play_timeline
from cgrx._testing.running import run as run
from cgrx._testing.samples import alive as alive
from cgrx._testing.samples import batch as batch
from cgrx._testing.samples import dropped as dropped
from cgrx._testing.samples import gap as gap
from cgrx._testing.samples import liquidation as liquidation
from cgrx._testing.samples import trade as trade
from cgrx._testing.samples import watermark as watermark

__all__ = [
    "ArrivalFault",
    "BadKey",
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
    "Generation",
    "Generator",
    "HalfFrame",
    "HangConnect",
    "HangHandshake",
    "Happened",
    "Huge",
    "InMemory",
    "JsonLines",
    "Late",
    "LineFault",
    "LogEntry",
    "NoPong",
    "Overflow",
    "Plan",
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
    "run",
    "symbol_of",
    "to_marbles",
    "trade",
    "watermark",
]
