"""What does `import cgrx` cost, and how long does a program take from its start to its first event?

Each measurement is a new interpreter, timed from outside by wall-clock time, in milliseconds; `cpu_ms` is the processor
time that it used. "dependencies alone" imports what cgrx is built on, "nothing" just starts and ends: both are limits.
The programs to the first event are the shortest that their libraries allow; a sender waits on loopback. All modules are
compiled before the first measurement, in a folder of this run.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal, TypeAlias

import attrs

from benchmarks._harness.scenario import AbsentError, Case, Contest, Results, Rival, Role, Sample, Scenario
from benchmarks._senders.server import Load, Servers, servers

What: TypeAlias = Literal["import", "first event"]
_WITHIN_S = 30.0

CGRX = """
import sys, json, cgrx, msgspec, trio
async def main():
    async with cgrx.connect(url=sys.argv[1], api_key="any-key-will-do") as feed:
        async with cgrx.stream(feed.futures_trades("Binance", "BTCUSDT", min_volume=0)) as events:
            async for event in events:
                print(json.dumps([event.symbol, event.price, event.volume_usd]), flush=True)
                return
trio.run(main)
"""
TRIO_WEBSOCKET = """
import sys, json, trio, trio_websocket
async def main():
    async with trio_websocket.open_websocket_url(sys.argv[1]) as connection:
        await connection.send_message("{}")
        event = json.loads(await connection.get_message())["data"][0]
        print(json.dumps([event["symbol"], event["price"], event["volUsd"]]), flush=True)
trio.run(main)
"""
WEBSOCKETS = """
import sys, json, asyncio, orjson
from websockets.asyncio.client import connect
async def main():
    async with connect(sys.argv[1], compression=None, proxy=None) as connection:
        await connection.send("{}")
        event = orjson.loads(await connection.recv())["data"][0]
        print(json.dumps([event["symbol"], event["price"], event["volUsd"]]), flush=True)
asyncio.run(main())
"""
PICOWS = """
import sys, json, msgspec, picows, uvloop
class Listener(picows.WSListener):
    def on_ws_connected(self, transport):
        transport.send(picows.WSMsgType.TEXT, b"{}")
    def on_ws_frame(self, transport, frame):
        if frame.msg_type == picows.WSMsgType.TEXT:
            event = msgspec.json.decode(frame.get_payload_as_memoryview())["data"][0]
            print(json.dumps([event["symbol"], event["price"], event["volUsd"]]), flush=True)
            transport.disconnect()
async def main():
    transport, _ = await picows.ws_connect(Listener, sys.argv[1])
    await transport.wait_disconnected()
uvloop.run(main())
"""
DEPENDENCIES = "import attrs, msgspec, reactivex, reactivex.operators, trio, trio_websocket"


@attrs.frozen
class Surroundings:
    """The sender, and a folder."""

    servers: Servers
    compiled: str


@attrs.frozen
class Program:
    """What an interpreter is told to run, and on what address."""

    code: str
    url: str | None
    compiled: str
    """Where its compiled modules are."""

    def results(self) -> Results:
        """The first event, where there is one. This run compiles."""
        printed = self._run()[1]
        return None if self.url is None else [tuple(json.loads(printed))]

    def measure(self) -> Sample:
        """See `Contest`."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall_s, _ = self._run()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Sample(wall_s * 1e3, {"cpu_ms": cpu_s * 1e3})

    def _run(self) -> tuple[float, str]:
        """Until its end, or until its first line where it prints one."""
        command = [sys.executable, "-c", self.code, *([] if self.url is None else [self.url])]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = self.compiled
        started_s = time.perf_counter()
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            printed = child.stdout.readline()
            until_line_s = time.perf_counter() - started_s
            try:
                code = child.wait(_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.kill()
                raise
        assert code == 0, f"{self.code!r} ended with {code}"
        return (time.perf_counter() - started_s if self.url is None else until_line_s), printed


def _rival(name: str, imports: str, program: str | None = None, role: Role = "rival") -> Rival[What]:
    """One that imports, and gets a first event unless it has no `program` for that."""

    def prepare(what: What, around: Surroundings) -> Contest:
        if what == "import":
            return Program(imports, None, around.compiled)
        if program is None:
            raise AbsentError("imports only")
        return Program(program, around.servers.url(Load(1, 1), tls=False), around.compiled)

    return Rival(name, prepare, role)


@contextmanager
def _surroundings() -> Generator[Surroundings, None, None]:
    with servers() as found, tempfile.TemporaryDirectory() as compiled:
        yield Surroundings(found, compiled)


def _cases(_: bool) -> list[Case[What]]:
    return [Case("import", "import"), Case("to the first event", "first event")]


SCENARIO = Scenario(
    name="start",
    question=(__doc__ or "").partition("\n")[0],
    unit="ms",
    cases=_cases,
    surroundings=_surroundings,
    share=1.5,
    rivals=(
        _rival("cgrx", "import cgrx", CGRX, "ours"),
        _rival("trio-websocket + json", "import json, trio, trio_websocket", TRIO_WEBSOCKET),
        _rival("websockets on asyncio + orjson", "import asyncio, orjson, websockets.asyncio.client", WEBSOCKETS),
        _rival("picows on uvloop + msgspec", "import msgspec, picows, uvloop", PICOWS),
        _rival("cgrx's dependencies alone", DEPENDENCIES, role="limit"),
        _rival("nothing", "pass", role="limit"),
    ),
)
