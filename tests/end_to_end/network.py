"""A network of two namespaces, joined by a virtual cable: a simulator in one, a feed in the other.

    unshare --map-root-user --net python -m tests.end_to_end.network FAULT

No packet leaves the machine, and no rights are needed but those that a user has in a namespace of his own.
"""

import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

import cgrx
from cgrx.testing import Generator, Simulator

OURS, THEIRS, PORT = "10.77.0.1", "10.77.0.2", 8765
LIMITS = cgrx.Limits(
    connect_s=0.5,
    handshake_s=0.5,
    ping_every_s=0.3,
    pong_within_s=3.0,
    close_s=0.2,
    backoff_first_s=0.1,
    backoff_most_s=0.3,
)
WITHIN_S = 40.0


def sh(command: str) -> None:
    subprocess.run(command.split(), check=True, capture_output=True, timeout=10)


@attrs.define
class Server:
    """A simulator at the other end of the cable, in a namespace that a process holds which does nothing else."""

    holder: int
    process: trio.Process | None = None

    @property
    def inside(self) -> str:
        """What a command begins with that runs there."""
        return f"nsenter --target {self.holder} --net"

    async def start(self) -> None:
        command = [*self.inside.split(), sys.executable, "-m", __spec__.name, "serve"]
        self.process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert await self.process.stdout.receive_some() == b"ready\n"

    async def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def server() -> AsyncGenerator[Server, None]:
    """Plug a cable in, and start one at its other end. The cable goes with its namespace."""
    holder = await trio.lowlevel.open_process(
        ["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        await holder.stdin.send_all(b"there")
        assert await holder.stdout.receive_some() == b"there"  # so the namespace is
        started = Server(holder.pid)
        sh(f"ip link add name ours type veth peer name theirs netns {holder.pid}")
        sh(f"ip addr add {OURS}/24 dev ours")
        sh(f"{started.inside} ip addr add {THEIRS}/24 dev theirs")
        sh("ip link set ours up")
        sh(f"{started.inside} ip link set theirs gso_max_segs 1 up")  # each packet is one, as on a real cable
        await started.start()
        try:
            yield started
        finally:
            await started.kill()
    finally:
        holder.kill()
        await holder.wait()


async def serve() -> None:
    """Run the simulator, and say when it can be reached."""
    async with Simulator(Generator(rate=200), host="0.0.0.0", port=PORT, frame_events=20) as simulator:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await simulator.wait_connections(10_000)


@attrs.define
class Watched:
    """A feed through the cable, and what it told."""

    feed: cgrx.Feed
    gaps: list[cgrx.Gap] = attrs.field(factory=list[cgrx.Gap])
    reasons: list[str] = attrs.field(factory=list[str])
    _changed: trio.Event = attrs.field(factory=trio.Event)

    def take(self, signal: cgrx.Signal[cgrx.Liquidation]) -> None:
        if isinstance(signal, cgrx.Gap):
            self.gaps.append(signal)
        self._tell()

    def on_status(self, status: cgrx.Status) -> None:
        if isinstance(status, cgrx.Disconnected):
            self.reasons.append(str(status.error))
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self._changed.wait()

    async def more_events(self) -> None:
        before = self.feed.stats.events
        await self.until(lambda: self.feed.stats.events > before)

    async def lost(self) -> None:
        before = len(self.reasons)
        await self.until(lambda: len(self.reasons) > before)


async def link_down(watched: Watched, _: Server) -> None:
    """Nobody tells either end: only the missing pong does."""
    sh("ip link set ours down")
    await watched.lost()
    assert watched.reasons[-1].startswith("no pong within"), watched.reasons
    sh("ip link set ours up")


async def black_hole(watched: Watched, _: Server) -> None:
    """A link that drops what is larger than it says: the handshake passes, the events do not."""
    sh("ip link set ours mtu 256")
    await watched.lost()
    assert watched.reasons[-1].startswith("no pong within"), watched.reasons
    sh("ip link set ours mtu 1500")


async def reset(watched: Watched, server: Server) -> None:
    """The other end dies with unread data and the cable pulled; plugged in again, it answers with RST."""
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    watched.feed.futures_trades("Binance", "BTCUSDT", min_volume=0).subscribe(print)
    await wait_all_tasks_blocked()
    sh(f"{server.inside} ip link set theirs down")
    await server.kill()
    sh(f"{server.inside} ip link set theirs up")
    await watched.lost()
    assert "the connection broke" in watched.reasons[-1], watched.reasons
    await server.start()


FAULTS: dict[str, Callable[[Watched, Server], Awaitable[None]]] = {
    "link_down": link_down,
    "black_hole": black_hole,
    "reset": reset,
}


async def check(fault: str) -> None:
    """The feed notices, comes back, and its subscriber gets the gap."""
    url = f"ws://{THEIRS}:{PORT}/ws-api"
    with trio.fail_after(WITHIN_S):
        async with server() as other, cgrx.connect(url=url, api_key="any-key-will-do", limits=LIMITS) as feed:
            watched = Watched(feed)
            feed.status.subscribe(watched.on_status)
            feed.liquidations().signals().subscribe(watched.take)
            await watched.more_events()
            await FAULTS[fault](watched, other)
            await watched.until(lambda: len(watched.gaps) == 2)
            await watched.more_events()
            assert watched.gaps[1].reason != watched.gaps[0].reason == "subscribed", watched.gaps
            assert watched.gaps[1].start_ms < watched.gaps[1].end_ms


if __name__ == "__main__":
    (what,) = sys.argv[1:]
    trio.run(serve) if what == "serve" else trio.run(check, what)
