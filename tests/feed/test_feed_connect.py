"""Opening a feed: its arguments, what is retried and for how long, what is final at once."""

import errno
import math
import ssl
from typing import Any

import pytest
import trio

import cgrx
from cgrx import API_KEY_VARIABLE, COINGLASS_URL
from cgrx._simulator.faults import HangConnect, HangHandshake, Refuse
from cgrx._simulator.journal import Refused
from cgrx._simulator.simulator import Simulator
from cgrx._wire.address import Address
from tests.feed.feeding import KEY, Statuses, feed_on
from tests.support import run_mock


async def fails(simulator: Simulator, error: type[Exception], **options: Any) -> Any:
    """The error with which `connect` fails."""
    with pytest.raises(error) as caught:
        async with feed_on(simulator, **options):
            raise AssertionError("the body was entered")
    assert type(caught.value) is error
    return caught.value


# Arguments


def test_without_a_key_the_real_endpoint_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable, and what needs no key."""
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)

    async def main() -> None:
        with pytest.raises(ValueError, match=f"pass api_key=.* or set {API_KEY_VARIABLE} .*cgrx demo"):
            cgrx.connect()
        monkeypatch.setenv(API_KEY_VARIABLE, "")
        with pytest.raises(ValueError, match="no API key"):
            cgrx.connect()
        with pytest.raises(ValueError, match="no API key"):
            cgrx.connect(api_key="")

    run_mock(main)


@pytest.mark.parametrize(("argument", "expected"), [(None, "from-the-environment"), ("argument", "argument")])
def test_the_key_comes_from_the_argument_or_the_environment(
    monkeypatch: pytest.MonkeyPatch, argument: str | None, expected: str
) -> None:
    """It travels in the query."""
    monkeypatch.setenv(API_KEY_VARIABLE, "from-the-environment")
    dialled: list[Address] = []

    async def main() -> None:
        async with Simulator(listen=False) as simulator:

            async def dial(address: Address) -> trio.abc.Stream:
                dialled.append(address)
                return await simulator.dial(address)

            async with cgrx.connect(url=COINGLASS_URL.replace("wss", "ws"), api_key=argument, dial=dial):
                pass

    run_mock(main)
    assert [address.resource for address in dialled] == [f"/ws-api?cg-api-key={expected}"]


def test_an_empty_variable_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that needs none can be used."""
    monkeypatch.setenv(API_KEY_VARIABLE, "")

    async def main() -> None:
        async with (
            Simulator(listen=False, on_bad_key="ignore") as simulator,
            cgrx.connect(url=simulator.url, dial=simulator.dial) as feed,
        ):
            assert feed.state is cgrx.State.CONNECTED

    run_mock(main)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_subscriber_error": "ignore"}, "on_subscriber_error='ignore' is neither"),
        ({"connect_timeout": "soon"}, "connect_timeout='soon' is not a duration"),
        ({"connect_timeout": -1}, "connect_timeout=-1 must not be negative"),
        ({"url": "http://localhost"}, "its scheme is neither ws nor wss"),
        ({"url": "ws://"}, "it names no host"),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused_at_the_call(options: dict[str, Any], message: str) -> None:
    """Typed, and before anything is tried."""

    async def main() -> None:
        arguments: dict[str, Any] = {"url": "ws://localhost", "api_key": KEY} | options
        with pytest.raises(ValueError, match=message):
            cgrx.connect(**arguments)

    run_mock(main)


def test_an_ssl_context_for_an_address_without_tls_is_refused() -> None:
    """Once it is entered: nothing is retried."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            error = await fails(simulator, ValueError, ssl_context=ssl.create_default_context())
            assert "ssl_context cannot be used" in str(error)

    run_mock(main)


# It enters


def test_it_enters_after_the_first_handshake() -> None:
    """Connected, once."""

    async def main() -> None:
        states: list[cgrx.State] = []
        async with Simulator(listen=False, keys={KEY}) as simulator:
            async with feed_on(simulator) as feed:
                states.append(feed.state)
                assert (feed.stats.connections, feed.stats.attempts) == (1, 1)
                assert simulator.stats.connections == 1
            states.append(feed.state)
        assert states == [cgrx.State.CONNECTED, cgrx.State.CLOSED]

    run_mock(main)


def test_nothing_is_subscribed_to_before_a_stream_is() -> None:
    """Asking for a stream costs nothing."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            feed.liquidations()
            feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
            await trio.sleep(110)
            assert simulator.said() == ()
            assert simulator.stats.pings == 6, "at 0, 20, 40, 60, 80 and 100 s"

    run_mock(main)


@pytest.mark.parametrize("symbol", ["", "BTC@USDT"])
def test_a_channel_that_cannot_be_named_is_refused(symbol: str) -> None:
    """As early as it is asked for."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            with pytest.raises(ValueError, match=f"symbol='{symbol}'"):
                feed.futures_trades("Binance", symbol, min_volume=0)

    run_mock(main)


# What may pass is retried


@pytest.mark.parametrize("status", [429, 500, 502, 503, 302])
def test_a_refusal_that_may_pass_is_retried(status: int) -> None:
    """With the delays of the backoff: 0.5 s and 1 s here, without jitter."""

    async def main() -> None:
        async with (
            Simulator(listen=False, faults=[Refuse(how=status, connections=2)]) as simulator,
            feed_on(simulator) as feed,
        ):
            assert trio.current_time() == 1.5
            assert (feed.stats.connections, feed.stats.attempts) == (1, 3)

    run_mock(main)


def test_a_refused_connect_is_retried() -> None:
    """As while the server restarts."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[Refuse(connections=2)]) as simulator, feed_on(simulator):
            assert trio.current_time() == 1.5

    run_mock(main)


def test_a_hanging_connect_is_given_up_and_retried() -> None:
    """After `connect_s`."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[HangConnect()]) as simulator, feed_on(simulator):
            assert trio.current_time() == 10.5

    run_mock(main)


def test_a_hanging_handshake_is_given_up_and_retried() -> None:
    """After `handshake_s`."""

    async def main() -> None:
        limits = cgrx.Limits(handshake_s=4)
        async with Simulator(listen=False, faults=[HangHandshake()]) as simulator, feed_on(simulator, limits=limits):
            assert trio.current_time() == 4.5

    run_mock(main)


def test_a_name_that_does_not_resolve_is_retried() -> None:
    """The network may come back."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[Refuse(how="dns", connections=3)]) as simulator, feed_on(simulator):
            assert trio.current_time() == 0.5 + 1 + 2

    run_mock(main)


@pytest.mark.parametrize(("asked", "waited"), [(7, 7.0), (299, 299.0), (3_600, 300.0), (0, 0.5)])
def test_retry_after_is_obeyed_up_to_five_minutes(asked: float, waited: float) -> None:
    """A server that asks for no delay at all still gets the backoff's."""

    async def main() -> None:
        faults = [Refuse(how=429, retry_after=asked)]
        async with Simulator(listen=False, faults=faults) as simulator, feed_on(simulator, connect_timeout=math.inf):
            assert trio.current_time() == waited

    run_mock(main)


def test_while_it_waits_the_status_says_for_how_long() -> None:
    """The attempts in a row are numbered."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            simulator.script([Refuse(how=429, retry_after=9), Refuse(how=503)])
            await simulator.close_all(1001, "away")
            await trio.sleep(60)
            assert [
                (type(each).__name__, round(time, 3))
                for each, time in zip(statuses.all, statuses_times(statuses), strict=True)
            ] == [
                ("Connected", 0),
                ("Disconnected", 0),
                ("Connecting", 0.5),
                ("Disconnected", 0.5),
                ("Connecting", 9.5),
                ("Disconnected", 9.5),
                ("Connecting", 11.5),
                ("Connected", 11.5),
            ]
            assert [each.attempt for each in statuses.of(cgrx.Connecting)] == [1, 2, 3]
            assert [each.retry_in_s for each in statuses.of(cgrx.Disconnected)] == [0.5, 9, 2]

    run_mock(main)


def statuses_times(statuses: Statuses) -> list[float]:
    return [statuses.times(type(each))[statuses.of(type(each)).index(each)] for each in statuses.all]


# How long


@pytest.mark.parametrize(
    ("how", "cause"),
    [("tcp", cgrx.UnreachableError), ("dns", cgrx.UnreachableError), (503, cgrx.HandshakeError)],
)
def test_without_a_handshake_in_time_it_gives_up(how: Any, cause: type[Exception]) -> None:
    """With the last cause, exactly at the time-out."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[Refuse(how=how, connections=99)]) as simulator:
            error = await fails(simulator, cgrx.ConnectError, connect_timeout="20s")
            assert trio.current_time() == 20
            assert type(error.__cause__) is cause
            assert error.__cause__ is error.last
            assert error.timeout_s == 20
            assert error.attempts == 6, "at 0, 0.5, 1.5, 3.5, 7.5 and 15.5 s"

    run_mock(main)


def test_the_time_out_is_half_a_minute_by_default() -> None:
    """Also where a single attempt hangs."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[HangConnect(connections=99)]) as simulator:
            limits = cgrx.Limits(connect_s=math.inf)
            error = await fails(simulator, cgrx.ConnectError, limits=limits)
            assert trio.current_time() == 30
            assert (error.attempts, error.last) == (1, None)

    run_mock(main)


def test_a_service_waits_for_ever() -> None:
    """`math.inf`: here until the server is back, an hour later."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:

            async def dial(address: Address) -> trio.abc.Stream:
                if trio.current_time() < 3_600:
                    raise OSError(errno.ENETUNREACH, "unreachable")
                return await simulator.dial(address)

            async with feed_on(simulator, dial=dial, connect_timeout=math.inf) as feed:
                assert 3_600 <= trio.current_time() < 3_631
                assert feed.stats.attempts > 100

    run_mock(main)


# What is final


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_final_at_once(status: int) -> None:
    """One attempt, plain, without the key."""

    async def main() -> None:
        async with Simulator(listen=False, keys={"another"}, on_bad_key=status) as simulator:
            error = await fails(simulator, cgrx.AuthError)
            assert error.status == status
            assert trio.current_time() == 0
            assert len([each for each in simulator.log if isinstance(each, Refused)]) == 1

    run_mock(main)


def test_an_address_without_a_service_is_final_at_once() -> None:
    """HTTP 404: the path is wrong."""

    async def main() -> None:
        async with Simulator(listen=False, path="/other") as simulator:
            error = await fails(simulator, cgrx.AddressError, url="ws://localhost/ws-api")
            assert error.url == "ws://localhost:80/ws-api"

    run_mock(main)


def test_a_refusal_after_trouble_is_final_too() -> None:
    """In the middle of the retries."""

    async def main() -> None:
        faults = [Refuse(how=503, connections=2), Refuse(how=403)]
        async with Simulator(listen=False, faults=faults) as simulator:
            await fails(simulator, cgrx.AuthError)
            assert trio.current_time() == 1.5

    run_mock(main)


def test_three_connections_closed_at_once_are_final() -> None:
    """The server accepts, says why, and closes: most likely the key is not valid."""

    async def main() -> None:
        async with Simulator(listen=False, keys={"another"}, on_bad_key="notice") as simulator:
            with pytest.raises(cgrx.RejectedError) as caught:
                async with feed_on(simulator, connect_timeout=math.inf) as feed:
                    await feed.run()
            assert (caught.value.attempts, caught.value.code) == (3, 1008)
            assert caught.value.notice == "invalid api key"

    run_mock(main)


def test_delays_are_jittered_by_default() -> None:
    """Full jitter from a generator that nobody has to pass."""

    async def main() -> None:
        async with (
            Simulator(listen=False, faults=[Refuse(connections=4)]) as simulator,
            feed_on(simulator, rng=None),
        ):
            assert 0 < trio.current_time() < 0.5 + 1 + 2 + 4

    run_mock(main)
