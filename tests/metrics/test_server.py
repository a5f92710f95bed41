"""`/metrics`, `/healthz` and `/readyz` over real sockets, beside a feed."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import trio
from prometheus_client import CollectorRegistry, Counter
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

import cgrx
import cgrx.metrics
from cgrx._metrics import server as serving
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import feed_on, raises
from tests.metrics.asking import ask, said
from tests.simulator.simulating import liquidation
from tests.support import run


def test_the_three_paths() -> None:
    """In the form that the client asks for; any other path names them."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            feed.liquidations().subscribe(print)
            await simulator.wait_subscribed("liquidationOrders")
            async with cgrx.metrics.serve(feed, port=0) as server:
                assert server.url == f"http://127.0.0.1:{server.port}"
                await simulator.send(liquidation(1))
                while not feed.stats.events:
                    await trio.lowlevel.checkpoint()
                status, text = await ask(server.port, "/metrics")
                assert status == 200
                assert 'cgrx_events_total{channel="liquidation_orders"} 1.0' in text
                assert "process_cpu_seconds_total" in text
                status, text = await ask(
                    server.port, "/metrics?x=1", Accept="application/openmetrics-text; version=1.0.0"
                )
                assert text.endswith("# EOF\n")
                assert await ask(server.port, "/healthz") == (200, "live: the event loop comes round\n")
                status, text = await ask(server.port, "/readyz")
                assert (status, text[:33]) == (200, "ready: connected, the last proof ")
                assert await ask(server.port, "/") == (404, "there are /metrics, /healthz, /readyz\n")
                assert (await said(server.port, b"POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n")).startswith(
                    b"HTTP/1.1 405 "
                )

    run(main)


def test_a_server_may_be_there_before_the_feed() -> None:
    """It is live and not ready; later it shows the feed that it is told to watch, and then another one."""

    async def main() -> None:
        async with cgrx.metrics.serve(port=0) as server, Simulator(listen=False) as simulator:
            assert (await ask(server.port, "/healthz"))[0] == 200
            assert await ask(server.port, "/readyz") == (503, "not ready: there is no feed yet\n")
            assert "cgrx" not in (await ask(server.port, "/metrics"))[1]
            async with feed_on(simulator) as feed:
                server.watch(feed)
                assert await ask(server.port, "/readyz") == (
                    503,
                    "not ready: connected, but nothing has been heard yet\n",
                )
            assert await ask(server.port, "/readyz") == (503, "not ready: the feed was closed\n")
            assert (await ask(server.port, "/healthz"))[0] == 200
            async with feed_on(simulator) as feed:
                server.watch(cgrx.metrics.Collector(feed, pipelines={"all": feed.liquidations()}))
                assert 'cgrx_open_keys{pipeline="all"} 0.0' in (await ask(server.port, "/metrics"))[1]

    run(main)


def test_a_registry_of_ones_own_is_served_and_left_as_it_was() -> None:
    async def main() -> None:
        registry = CollectorRegistry()
        Counter("orders", "Theirs.", registry=registry)
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            async with cgrx.metrics.serve(feed, port=0, registry=registry) as server:
                text = (await ask(server.port, "/metrics"))[1]
                assert "orders_total 0.0" in text
                assert "cgrx_pings_total" in text
                assert "process_" not in text
                with raises(ValueError, "Duplicated"):
                    async with cgrx.metrics.serve(feed, port=0, registry=registry):
                        pass
            async with cgrx.metrics.serve(feed, port=0, registry=registry):
                pass
        assert [metric.name for metric in registry.collect()] == ["orders"]

    run(main)


def test_a_collector_that_raises_costs_one_answer(caplog: pytest.LogCaptureFixture) -> None:
    """The feed and the server go on."""

    class Raising:
        def collect(self) -> Iterator[Any]:
            raise LookupError("theirs")

    async def main() -> None:
        registry = CollectorRegistry()
        async with cgrx.metrics.serve(port=0, registry=registry) as server:
            registry.register(Raising())
            assert await ask(server.port, "/metrics") == (500, "LookupError: theirs\n")
            assert (await ask(server.port, "/healthz"))[0] == 200
        assert caplog.messages == ["/metrics could not be answered"]

    run(main)


def test_a_loop_that_does_not_come_round_is_not_live() -> None:
    """Here one turn takes six seconds."""
    clock = MockClock()

    class Blocked(trio.abc.Instrument):
        turns = 0

        def after_io_wait(self, timeout: float) -> None:
            self.turns += 1
            if self.turns == 2:  # between the two steps of the task that measures
                clock.jump(6)

    async def main() -> None:
        endpoints = serving.Endpoints(CollectorRegistry(), 45.0)
        client, server = memory_stream_pair()
        await client.send_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")

        trio.lowlevel.add_instrument(Blocked())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoints.serve, server)
            text = bytes(await client.receive_some())
            nursery.cancel_scope.cancel()
        assert text.endswith(b"not live: the event loop took 6.0 s for one turn\n")

    trio.run(main, clock=clock)


def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than there may be is closed unanswered; those that are there are served."""
    monkeypatch.setattr(serving, "_MOST_CONNECTIONS", 2)

    async def main() -> None:
        async with cgrx.metrics.serve(port=0) as server:
            slow = [await trio.open_tcp_stream("127.0.0.1", server.port) for _ in range(2)]
            for stream in slow:
                await stream.send_all(b"GET /healthz HTTP/1.1\r\n")
            await wait_all_tasks_blocked(0.01)
            assert await refused(server)
            for stream in slow:
                await stream.send_all(b"Host: a\r\n\r\n")
                assert b"200" in await stream.receive_some()
                await stream.aclose()
            await wait_all_tasks_blocked(0.01)
            assert (await ask(server.port, "/healthz"))[0] == 200

    run(main)


async def refused(server: cgrx.metrics.Server) -> bool:
    try:
        return await said(server.port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") == b""
    except trio.BrokenResourceError:
        return True


def test_leaving_frees_the_port_and_raises_what_the_body_did() -> None:
    """Plain, also while a connection is open."""

    async def main() -> None:
        streams: list[trio.SocketStream] = []
        ports: list[int] = []
        with raises(LookupError, "theirs"):
            async with cgrx.metrics.serve(port=0) as server:
                ports.append(server.port)
                streams.append(await trio.open_tcp_stream("127.0.0.1", server.port))
                raise LookupError("theirs")
        assert await streams[0].receive_some() == b""
        await streams[0].aclose()
        async with cgrx.metrics.serve(port=ports[0], host="localhost") as again:
            assert again.port == ports[0]

    run(main)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_address_of_the_other_kind() -> None:
    async def main() -> None:
        async with cgrx.metrics.serve(port=0, host="::1") as server:
            assert server.url == f"http://[::1]:{server.port}"

    run(main)


def test_what_cannot_be_served_is_refused() -> None:
    """As early as it can be known; each names the argument."""

    async def main() -> None:
        ports: list[Any] = [-1, 65_536, True, "9464"]
        for port in ports:
            with pytest.raises(ValueError, match=r"port=.* takes a port from 1 to 65535, or 0"):
                cgrx.metrics.serve(port=port)
        with pytest.raises(ValueError, match="ready_within"):
            cgrx.metrics.serve(port=0, ready_within="soon")
        nothing: Any = 1
        with pytest.raises(TypeError, match="feed=1 is no feed"):
            cgrx.metrics.serve(nothing, port=0)
        async with cgrx.metrics.serve(port=0) as server:
            with raises(OSError):
                async with cgrx.metrics.serve(port=server.port):
                    pass

    run(main)
    with pytest.raises(cgrx.NotInTrioError, match=r"metrics\.serve\(\)"):
        cgrx.metrics.serve(port=0)
