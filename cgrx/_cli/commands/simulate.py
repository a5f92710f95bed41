"""`cgrx simulate`: the simulator as a server of its own, until Ctrl-C or for some seconds."""

import zlib
from contextlib import AsyncExitStack

import attrs
import trio

from cgrx import on_drain
from cgrx._cli.terminal.command import run_command
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import beside
from cgrx._cli.terminal.text import counted
from cgrx.testing import Fault, Generation, Generator, JsonLines, Plan, Simulator

_STATUS_EVERY_S = 5.0
_UNREADABLE = (OSError, EOFError, zlib.error)
"""What reading a file may raise that is damaged, cut short or not there."""


@attrs.frozen(kw_only=True)
class Simulate:
    """What to serve, and where."""

    host: str
    port: int
    source: Generator | JsonLines
    speed: float
    generation: Generation
    plan: Plan
    keys: tuple[str, ...]
    faults: tuple[Fault, ...]
    seconds: float


async def simulate(request: Simulate, terminal: Terminal) -> int:
    """Run the command, and return its exit code."""
    simulator: Simulator | None = None

    async def work() -> None:
        nonlocal simulator
        try:
            _require_events(request.source)
            simulator = _simulator(request)
            await _serve(simulator, request, terminal)
        except ValueError as error:  # a line of the file that is no event
            raise CommandError(Exit.USAGE, str(error)) from error
        except _UNREADABLE as error:  # a file that is not there, or damaged
            raise CommandError(Exit.USAGE, f"cannot read {_name(request.source)}: {_why(error)}") from error

    async def conclude(exit_code: int) -> int:
        if simulator is not None and exit_code == Exit.DONE:
            terminal.say(_status(simulator))
        return exit_code

    return await run_command(work, terminal, conclude=conclude)


def _simulator(request: Simulate) -> Simulator:
    return Simulator(
        request.source,
        speed=request.speed,
        generation=request.generation,
        plan=request.plan,
        keys=request.keys or None,
        faults=request.faults,
        host=request.host,
        port=request.port,
    )


def _require_events(source: Generator | JsonLines) -> None:
    """Look at the beginning of a file before anybody connects."""
    if next(iter(source), None) is None:
        raise CommandError(Exit.USAGE, f"{_name(source)} holds no event")


def _name(source: Generator | JsonLines) -> str:
    return str(source.path) if isinstance(source, JsonLines) else repr(source)


def _why(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


async def _serve(simulator: Simulator, request: Simulate, terminal: Terminal) -> None:
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(simulator)
        except OSError as error:
            where = f"{request.host} port {request.port}"
            raise CommandError(Exit.USAGE, f"cannot listen on {where}: {_why(error)}") from error
        accepted = counted(len(request.keys), "key") if request.keys else "any key"
        terminal.say(f"serving {simulator.url} (plan {request.plan}, {accepted} accepted); Ctrl-C ends")
        terminal.say(f"try: cgrx watch liquidations --url {simulator.url}")
        with trio.move_on_after(request.seconds) as serving, on_drain(serving.cancel):
            async with beside(lambda: _say_status(simulator, terminal)):
                await simulator.wait_finished()
                terminal.say("the events have come to their end; clients stay connected")
                await trio.sleep_forever()


async def _say_status(simulator: Simulator, terminal: Terminal) -> None:
    while True:
        await trio.sleep(_STATUS_EVERY_S)
        terminal.say(_status(simulator))


def _status(simulator: Simulator) -> str:
    stats = simulator.stats
    return (
        f"{counted(stats.connections, 'client')}, {counted(sum(stats.subscriptions.values()), 'subscription')},"
        f" {counted(stats.events, 'event')} sent, {counted(stats.connections_total, 'connection')} so far,"
        f" {stats.refused:,} refused"
    )
