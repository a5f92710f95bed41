"""The feed over real sockets on loopback: drops, refusals, names, certificates, and what is left behind."""

import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

import cgrx
from cgrx._simulator.faults import Close, Drop, DropInFrame, HangHandshake, Refuse
from cgrx._simulator.simulator import Simulator
from tests.feed.certificates import EXPIRED, Authority
from tests.feed.feeding import KEY, Record, Statuses, connected_times, eventually, record
from tests.simulator.simulating import liquidation
from tests.support import run, run_fast

QUICK = cgrx.Limits(backoff_first_s=0.001, backoff_most_s=0.005, close_s=1)
"""Retries that do not keep a test waiting."""

DESCRIPTORS = Path("/proc/self/fd")


@asynccontextmanager
async def feed_on(simulator: Simulator, **options: Any) -> AsyncGenerator[cgrx.Feed, None]:
    arguments: dict[str, Any] = {"url": simulator.url, "api_key": KEY, "limits": QUICK} | options
    async with cgrx.connect(**arguments) as feed:
        yield feed


async def never_connects(url: str, **options: Any) -> cgrx.ConnectError:
    """The error of a `connect` that gives up after a tenth of a second."""
    arguments: dict[str, Any] = {"url": url, "api_key": KEY, "limits": QUICK, "connect_timeout": 0.1} | options
    with pytest.raises(cgrx.ConnectError) as caught:
        async with cgrx.connect(**arguments):
            raise AssertionError("the body was entered")
    return caught.value


def closed_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_events_come_through_and_the_close_is_orderly() -> None:
    """From a real server to a subscriber."""

    async def main() -> None:
        async with Simulator() as simulator:
            async with feed_on(simulator) as feed:
                seen = record(feed.liquidations())
                await simulator.wait_subscribed("liquidationOrders")
                for number in range(100):
                    await simulator.send(liquidation(number))
                await eventually(lambda: len(seen.events) == 100)
                assert seen.events == [liquidation(number) for number in range(100)]
            assert seen.end == "completed"
            await simulator.wait_connections(0)

    run(main)


@pytest.mark.parametrize("fault", [Drop(), DropInFrame(), Close(code=1011)], ids=repr)
def test_a_lost_connection_is_replaced(fault: Any) -> None:
    """A TCP reset, one in the middle of a frame, and a close."""

    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            statuses, seen = Statuses(feed), record(feed.liquidations())
            await simulator.wait_subscribed("liquidationOrders")
            await eventually(lambda: seen.gaps)
            simulator.script([fault])
            await simulator.send(liquidation(1))
            await simulator.wait_for(lambda stats: stats.connections_total == 2)
            await simulator.wait_subscribed("liquidationOrders")
            await simulator.send(liquidation(2))
            await eventually(lambda: liquidation(2) in seen.events)
            assert len(statuses.of(cgrx.Disconnected)) == 1
            assert len(seen.gaps) == 2

    run(main)


def test_a_refused_connect_is_retried_until_somebody_listens() -> None:
    """A server that is not up yet."""

    async def main() -> None:
        port = closed_port()
        async with trio.open_nursery() as nursery:
            refused = trio.Event()

            async def dial(address: Any) -> trio.abc.Stream:
                try:
                    return await trio.open_tcp_stream(address.host, address.port)
                except OSError:
                    refused.set()
                    raise

            async def serve() -> None:
                await refused.wait()
                async with Simulator(port=port) as simulator:
                    await simulator.wait_connections(1)
                    await simulator.wait_connections(0)

            nursery.start_soon(serve)
            async with cgrx.connect(url=f"ws://127.0.0.1:{port}/ws-api", api_key=KEY, limits=QUICK, dial=dial) as feed:
                assert feed.stats.attempts >= 2

    run(main)


def test_a_refused_connect_is_the_cause_when_time_is_up() -> None:
    """Typed, with host, port and the reason in words."""

    async def main() -> None:
        port = closed_port()
        error = await never_connects(f"ws://127.0.0.1:{port}")
        assert isinstance(error.last, cgrx.UnreachableError)
        assert (error.last.host, error.last.port) == ("127.0.0.1", port)
        assert "refused" in error.last.reason

    run(main)


def test_a_name_that_does_not_resolve_is_the_cause_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As reported by the resolver; no name server is asked in this test."""

    class Resolver(trio.abc.HostnameResolver):
        async def getaddrinfo(self, host: object, port: object, *_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        async def getnameinfo(self, sockaddr: object, flags: int) -> Any:
            raise AssertionError("not used")

    async def main() -> None:
        trio.socket.set_custom_hostname_resolver(Resolver())
        error = await never_connects("ws://name.invalid")
        assert isinstance(error.last, cgrx.UnreachableError)
        assert "not known" in error.last.reason

    run(main)


def test_a_server_that_never_answers_the_handshake_is_given_up() -> None:
    """It accepts the connection, as a port does behind which something hangs."""

    async def main() -> None:
        async with Simulator(faults=[HangHandshake(connections=99)]) as simulator:
            limits = cgrx.Limits(handshake_s=0.02, backoff_first_s=0.001, backoff_most_s=0.001)
            error = await never_connects(simulator.url, limits=limits, connect_timeout=0.5)
            assert isinstance(error.last, cgrx.HandshakeError)
            assert "no answer within 0.02 s" in str(error.last)
            assert error.attempts > 1

    run(main)


def test_a_port_that_speaks_no_websocket_is_given_up() -> None:
    """Another kind of server."""

    async def greet(stream: trio.SocketStream) -> None:
        await stream.send_all(b"220 mail.example ESMTP\r\n")
        await stream.aclose()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, greet, listeners)
            port = listeners[0].socket.getsockname()[1]
            error = await never_connects(f"ws://127.0.0.1:{port}")
            assert isinstance(error.last, cgrx.HandshakeError)
            assert "does not speak HTTP" in str(error.last)
            nursery.cancel_scope.cancel()

    run(main)


@pytest.mark.parametrize("status", [429, 503])
def test_http_refusals_are_retried(status: int) -> None:
    """The third attempt gets in."""

    async def main() -> None:
        async with Simulator(faults=[Refuse(how=status, connections=2)]) as simulator, feed_on(simulator) as feed:
            assert feed.stats.attempts == 3

    run(main)


# TLS


def test_over_tls_a_trusted_certificate_is_accepted() -> None:
    """With an `ssl_context` of the user's."""

    async def main() -> None:
        authority = Authority()
        async with (
            Simulator(ssl_context=authority.server()) as simulator,
            feed_on(simulator, ssl_context=authority.client()) as feed,
        ):
            seen = record(feed.liquidations())
            await simulator.wait_subscribed("liquidationOrders")
            await simulator.send([liquidation(number) for number in range(1_000)])
            await eventually(lambda: len(seen.events) == 1_000)

    run(main)


def certificate_errors(authority: Authority, context: ssl.SSLContext | None, host: str = "127.0.0.1") -> str:
    """Why the certificate is not accepted."""
    reasons: list[str] = []

    async def main() -> None:
        async with Simulator(ssl_context=authority.server()) as simulator:
            url = simulator.url.replace("127.0.0.1", host)
            error = await never_connects(url, ssl_context=context, connect_timeout=0.05)
            assert isinstance(error.last, cgrx.CertificateError)
            assert error.last.host == host
            assert error.attempts > 1, "it may be renewed"
            reasons.append(error.last.reason)
            assert simulator.stats.connections_total == 0

    run_fast(1.0, main)  # the attempts are within the time, however busy the machine
    return reasons[0]


def test_an_expired_certificate_is_refused() -> None:
    """Verification is on."""
    authority = Authority(not_after=EXPIRED)
    assert "expired" in certificate_errors(authority, authority.client())


def test_a_self_signed_certificate_is_refused_by_default() -> None:
    """The system's authorities do not know it."""
    reason = certificate_errors(Authority(), None)
    assert "self-signed" in reason or "self signed" in reason or "unable to get local issuer" in reason


def test_the_certificate_of_another_host_is_refused() -> None:
    """Names are checked too."""
    authority = Authority(("another.example",))
    assert "mismatch" in certificate_errors(authority, authority.client()) or "not valid for" in certificate_errors(
        authority, authority.client()
    )


# What is left behind


def open_files() -> int:
    return len(list(DESCRIPTORS.iterdir()))


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="counts the descriptors in /proc/self/fd, which Linux has")
@pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])
def test_fifty_reconnects_leave_no_socket_and_no_task(tls: bool) -> None:
    """By close and by drop in turn; the subscription survives them all."""

    async def main() -> None:
        authority = Authority()
        options: dict[str, Any] = {"ssl_context": authority.client()} if tls else {}
        async with Simulator(ssl_context=authority.server() if tls else None, start="now") as simulator:
            before = open_files()
            tasks_before = trio.lowlevel.current_statistics().tasks_living
            async with feed_on(simulator, **options) as feed:
                seen = Record()
                feed.liquidations().subscribe_signals(seen)
                files: list[int] = []
                for number in range(51):
                    await connected_times(simulator, number + 1)
                    await simulator.wait_subscribed("liquidationOrders")
                    await simulator.send(liquidation(number))
                    await eventually(lambda: len(seen.events) == number + 1)  # noqa: B023 - used at once
                    files.append(open_files())
                    if number % 2:
                        simulator.drop_all()
                    else:
                        await simulator.close_all()
                assert seen.events == [liquidation(number) for number in range(51)]
                assert max(files) <= before + 2, "one socket on either side"
                assert feed.stats.connections >= 51
            await simulator.wait_connections(0)
            await eventually(lambda: trio.lowlevel.current_statistics().tasks_living == tasks_before)
            assert open_files() == before

    run(main)
