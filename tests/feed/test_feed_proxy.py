"""A feed through real proxies over loopback: TLS to the server, reconnects, refusals, the environment, the password."""

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

import cgrx
from cgrx._simulator.faults import Close, Drop
from cgrx._simulator.simulator import Simulator
from tests.feed.certificates import Authority
from tests.feed.feeding import KEY, Statuses, eventually, record
from tests.feed.proxies import OneTarget, listening, no_proxies, port_of, pproxy
from tests.feed.test_feed_secret import Shown
from tests.simulator.simulating import liquidation
from tests.support import run
from tests.wire.wires import hold

QUICK = cgrx.Limits(backoff_first_s=0.001, backoff_most_s=0.005, close_s=1)
PASSWORD = "S3CRET-word"
USER = f"user:{PASSWORD}@"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    no_proxies(monkeypatch)


def options(url: str, **others: Any) -> dict[str, Any]:
    return {"url": url, "api_key": KEY, "limits": QUICK} | others


async def never_connects(within_s: float = 0.5, **arguments: Any) -> cgrx.ConnectError:
    with pytest.raises(cgrx.ConnectError) as caught:
        async with cgrx.connect(**arguments, connect_timeout=within_s):
            raise AssertionError("the body was entered")
    return caught.value


# The whole path


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize("user", ["", f"user:{PASSWORD}"], ids=["open", "with password"])
@pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])
def test_through_a_real_proxy(scheme: str, user: str, *, tls: bool) -> None:
    """Events come, the connection drops, and the next one leads through the proxy too."""

    async def main() -> None:
        authority = Authority(("localhost",))
        dialled: list[int] = []

        async def dial(address: Any) -> trio.abc.Stream:
            dialled.append(address.port)
            return await trio.open_tcp_stream(address.host, address.port)

        async with (
            pproxy(scheme.removesuffix("h"), user) as port,
            Simulator(host="127.0.0.1", ssl_context=authority.server() if tls else None) as simulator,
        ):
            url = simulator.url.replace("127.0.0.1", "localhost")
            proxy = f"{scheme}://{user}{'@' if user else ''}127.0.0.1:{port}"
            secure = {"ssl_context": authority.client()} if tls else {}
            async with cgrx.connect(**options(url, proxy=proxy, dial=dial, **secure)) as feed:
                statuses, seen = Statuses(feed), record(feed.liquidations())
                faults: list[Any] = [Drop(), Close(code=1011)]
                for number, fault in enumerate(faults, start=1):
                    await simulator.wait_subscribed("liquidationOrders")
                    await simulator.send(liquidation(number))
                    await eventually(lambda: liquidation(number) in seen.events)  # noqa: B023 - used at once
                    simulator.script([fault])
                    await simulator.wait_for(lambda stats: stats.connections_total > number)  # noqa: B023 - as above
                await simulator.wait_subscribed("liquidationOrders")
                await simulator.send([liquidation(number) for number in range(100, 1_100)])
                await eventually(lambda: len(seen.events) == 1_002)
                assert len(statuses.of(cgrx.Disconnected)) == 2
            assert dialled == [port] * 3

    run(main)


def test_the_certificate_must_be_the_servers() -> None:
    """One that is made out to the proxy's address does not do."""

    async def main() -> None:
        authority = Authority(("127.0.0.1",))
        async with Simulator(ssl_context=authority.server()) as simulator:
            target = OneTarget(port_of(simulator))
            async with listening(target.serve) as port:
                error = await never_connects(
                    **options(
                        "wss://open.example/ws-api", proxy=f"http://127.0.0.1:{port}", ssl_context=authority.client()
                    )
                )
        assert isinstance(error.last, cgrx.CertificateError)
        assert error.last.host == "open.example"
        assert set(target.asked) == {"CONNECT open.example:443 HTTP/1.1"}

    run(main)


# TLS to the proxy itself


@pytest.mark.parametrize(
    ("names", "trusted", "speaks_tls", "reason"),
    [
        (("localhost",), True, True, None),
        (("localhost",), False, True, "its certificate does not verify: "),
        (("other.example",), True, True, "its certificate does not verify: "),
        (("localhost",), True, False, "it does not speak TLS"),
    ],
)
def test_a_proxy_over_tls(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    names: tuple[str, ...],
    reason: str | None,
    *,
    trusted: bool,
    speaks_tls: bool,
) -> None:
    """Its certificate is verified against the system's authorities; the server's TLS goes through that of the proxy."""
    at_proxy, at_server = Authority(names), Authority(("open.example",))
    (at_proxy if trusted else at_server).write_to(tmp_path / "authorities.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))

    async def main() -> None:
        async with Simulator(ssl_context=at_server.server()) as simulator:
            target = OneTarget(port_of(simulator), at_proxy.server() if speaks_tls else None)
            async with listening(target.serve) as port:
                proxy = f"https://localhost:{port}"
                arguments = options("wss://open.example/ws-api", proxy=proxy, ssl_context=at_server.client())
                if reason is not None:
                    error = await never_connects(**arguments)
                    assert isinstance(error.last, cgrx.UnreachableError)
                    assert error.last.reason.startswith(f"proxy {proxy}: {reason}")
                    return
                async with cgrx.connect(**arguments) as feed:
                    seen = record(feed.liquidations())
                    await simulator.wait_subscribed("liquidationOrders")
                    await simulator.send([liquidation(number) for number in range(1_000)])
                    await eventually(lambda: len(seen.events) == 1_000)

    run(main)


# Refusals


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_wrong_password_is_told_and_shown_nowhere(caplog: pytest.LogCaptureFixture, scheme: str) -> None:
    """Retried until the time is up, as other trouble is."""
    shown = Shown()

    async def main() -> None:
        async with pproxy(scheme, "user:another") as port, Simulator() as simulator:
            error = await never_connects(**options(simulator.url, proxy=f"{scheme}://{USER}127.0.0.1:{port}"))
            shown.add_error(error)
            assert error.attempts > 1
            assert isinstance(error.last, cgrx.UnreachableError)
            assert f"proxy {scheme}://127.0.0.1:{port}: " in str(error)
            assert ("HTTP status 407" if scheme == "http" else "the connection ended before the answer") in str(error)
            assert simulator.stats.connections_total == 0

    caplog.set_level(logging.DEBUG)
    run(main)
    shown.texts += [record.getMessage() for record in caplog.records]
    everything = "\n".join(shown.texts)
    assert len(everything) > 200
    assert PASSWORD not in everything
    assert "user" not in everything.replace("the user and the password", "")


def test_the_password_is_in_nothing_that_a_feed_shows(caplog: pytest.LogCaptureFixture) -> None:
    shown = Shown()

    async def main() -> None:
        async with pproxy("http", f"user:{PASSWORD}") as port, Simulator() as simulator:
            opening = cgrx.connect(**options(simulator.url, proxy=f"http://{USER}127.0.0.1:{port}"))
            shown.add(opening)
            async with opening as feed:
                statuses = Statuses(feed)
                simulator.script([Drop()])
                await simulator.wait_for(lambda stats: stats.connections_total == 2)
                shown.add([feed, feed.stats, feed.liquidations(), statuses.all, vars(feed)])

    caplog.set_level(logging.DEBUG)
    run(main)
    shown.texts += [record.getMessage() for record in caplog.records]
    assert PASSWORD not in "\n".join(shown.texts)


def test_a_proxy_that_is_not_there() -> None:
    async def main() -> None:
        async with listening(trio.aclose_forcefully) as port:
            error = await never_connects(**options("ws://open.example", proxy=f"http://127.0.0.1:{port}"))
            assert "the connection ended before the answer" in str(error)
        error = await never_connects(**options("ws://open.example", proxy=f"http://127.0.0.1:{port}"))
        assert isinstance(error.last, cgrx.UnreachableError)
        assert (error.last.host, error.last.port) == ("open.example", 80)
        assert error.last.reason == f"proxy http://127.0.0.1:{port}: Connection refused"

    run(main)


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_a_proxy_that_says_nothing_costs_no_more_than_the_connect_may(scheme: str) -> None:
    """TLS to the proxy included."""

    async def main() -> None:
        async with listening(hold) as port:
            limits = attrs.evolve(QUICK, connect_s=0.05)
            error = await never_connects(  # the first attempt over TLS loads what it trusts, before time is counted
                1.0, url="ws://open.example", api_key=KEY, limits=limits, proxy=f"{scheme}://127.0.0.1:{port}"
            )
        assert error.attempts > 1
        assert f"proxy {scheme}://127.0.0.1:{port}: no connection within 0.05 s" in str(error)

    run(main)


# The environment


@pytest.mark.parametrize("url", ["ws://open.example/ws-api", "wss://open.example/ws-api"])
@pytest.mark.parametrize("value", ["http://127.0.0.1:{port}/", "127.0.0.1:{port}"])
def test_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch, url: str, value: str) -> None:
    """Asked for by name; a value that is host and port is an HTTP proxy."""

    async def main() -> None:
        authority = Authority(("open.example",))
        tls = url.startswith("wss")
        async with Simulator(ssl_context=authority.server() if tls else None) as simulator:
            target = OneTarget(port_of(simulator))
            async with listening(target.serve) as port:
                monkeypatch.setenv("HTTPS_PROXY" if tls else "HTTP_PROXY", value.format(port=port))
                secure = {"ssl_context": authority.client()} if tls else {}
                async with cgrx.connect(**options(url, proxy="env", **secure)) as feed:
                    assert feed.state is cgrx.State.CONNECTED
        assert target.asked == [f"CONNECT open.example:{443 if tls else 80} HTTP/1.1"]

    run(main)


def opened(**arguments: Any) -> None:
    """Call `connect`, and leave it at that."""

    async def main() -> None:
        await trio.lowlevel.checkpoint()
        cgrx.connect(**options("wss://open.example", **arguments))

    run(main)


@pytest.mark.parametrize("asked", [None, "env"])
def test_no_proxy_in_the_environment(caplog: pytest.LogCaptureFixture, asked: str | None) -> None:
    """Nothing to use, and nothing to say."""

    async def main() -> None:
        async with Simulator() as simulator, cgrx.connect(**options(simulator.url, proxy=asked)):
            pass

    with caplog.at_level(logging.WARNING):
        run(main)
    assert caplog.records == []


def test_a_proxy_of_the_environment_that_is_not_asked_for_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for each `connect`, without the value; none where the variable is no matter."""
    monkeypatch.setenv("ALL_PROXY", f"http://{USER}proxy.example:3128")
    opened()
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line == (
        'the environment variable ALL_PROXY names a proxy, which is not used: ask for it with proxy="env"'
        " (--proxy env), or list open.example in NO_PROXY"
    )
    caplog.clear()
    opened(proxy="env")
    opened(proxy="http://proxy.example")
    monkeypatch.setenv("NO_PROXY", "open.example")
    opened()
    assert caplog.records == []


@pytest.mark.parametrize(
    ("url", "proxy", "told"),
    [
        ("wss://open.example", "http://proxy.example", False),
        ("wss://127.0.0.1", "http://proxy.example", False),
        ("ws://open.example", "https://proxy.example", True),
        ("ws://127.0.0.1", "http://proxy.example", True),
        ("ws://127.0.0.1", None, False),
    ],
)
def test_a_key_that_the_proxy_reads_is_warned_of(
    caplog: pytest.LogCaptureFixture, url: str, proxy: str | None, *, told: bool
) -> None:
    """Whatever the address means where the proxy stands."""

    async def main() -> None:
        await trio.lowlevel.checkpoint()
        cgrx.connect(**options(url, proxy=proxy))

    run(main)
    assert ["without encryption" in record.getMessage() for record in caplog.records] == [True] * told


@pytest.mark.parametrize(
    ("proxy", "variable", "message"),
    [
        ("ftp://proxy.example", "", "^proxy cannot be used: its scheme is none of http, https, socks5, socks5h; give "),
        ("ENV", "", "^proxy cannot be used: .*; give "),
        (3128, "", "^proxy cannot be used: it is of type int; give "),
        ("env", f"socks4://{USER}proxy.example", "^HTTPS_PROXY cannot be used: its scheme is none of http"),
    ],
)
def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, proxy: Any, variable: str, message: str) -> None:
    """Said at once."""
    monkeypatch.setenv("HTTPS_PROXY", variable)
    with pytest.raises(ValueError, match=message) as caught:
        opened(proxy=proxy)
    assert PASSWORD not in str(caught.value)


def find_nothing(name: str) -> None:
    """In place of `find_spec`."""


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said at once, with what to install; without a proxy nothing is needed."""
    monkeypatch.setattr("cgrx._extras.find_spec", find_nothing)
    with pytest.raises(ImportError, match=r'a proxy needs the package python_socks: pip install "cgrx\[proxy\]"'):
        opened(proxy="http://proxy.example")
    opened()
    opened(proxy="env")


def test_the_library_is_imported_when_it_is_used() -> None:
    """Not with cgrx."""
    program = "import cgrx, sys; sys.exit('python_socks' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
