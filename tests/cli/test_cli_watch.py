"""`cgrx watch` against a simulator over loopback: data, words, exit codes, and the first five minutes."""

import json
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
import trio

from cgrx import API_KEY_VARIABLE, COINGLASS_URL
from cgrx import operators as ops
from cgrx._cli.commands.choice import Choice, liquidations
from cgrx._cli.commands.watch import Watch, watch
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.view.event_text import FormatName, event_formats
from cgrx._cli.view.row_text import row_formats
from cgrx._cli.view.viewer import Show
from cgrx._model.channels import LiquidationOrders
from cgrx._simulator.faults import CloseAtOnce
from cgrx._simulator.simulator import Simulator
from cgrx._trio.clock import WallClock
from tests.cli.rows import windowing
from tests.cli.terminals import Heard, exit_code_of
from tests.simulator.simulating import liquidation
from tests.support import run, run_fast

CHANNEL = LiquidationOrders()
EVENTS = [liquidation(number, volume_usd=1_000.0 * number) for number in range(1, 6)]

Script = Callable[[Simulator], Awaitable[None]]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)


async def send_events(simulator: Simulator) -> None:
    await simulator.wait_subscribed(CHANNEL)
    await simulator.send(EVENTS)


def watched(
    heard: Heard,
    script: Script = send_events,
    *,
    show: Show | None = None,
    request: dict[str, Any] | None = None,
    terminal: dict[str, Any] | None = None,
    clock_rate: float | None = None,
    **simulated: Any,
) -> int:
    """The exit code of a watch of a simulator that does what `script` says."""

    async def main() -> int:
        async with Simulator(**simulated) as simulator, trio.open_nursery() as nursery:
            asked = Watch(url=simulator.url, choice=Choice(liquidations), connect_timeout_s=5.0)
            nursery.start_soon(script, simulator)
            exit_code = await watch(
                attrs.evolve(asked, **(request or {})),
                show or Show(title="liquidations", format="jsonl", count=len(EVENTS)),
                heard.terminal(**(terminal or {})),
            )
            nursery.cancel_scope.cancel()
        return exit_code

    return exit_code_of(main) if clock_rate is None else run_fast(clock_rate, main)


async def do_nothing(simulator: Simulator) -> None:
    await trio.lowlevel.checkpoint()


# --- data -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_name", ["table", "jsonl", "csv"])
def test_events_to_data_words_to_standard_error(format_name: FormatName) -> None:
    heard = Heard()
    chosen = event_formats()[format_name]
    assert watched(heard, show=Show(title="x", format=format_name, count=5)) == Exit.DONE
    assert heard.text == chosen.header + chosen.lines(EVENTS).decode()
    assert [line[15:] for line in heard.said[:2]] == ["connected\n", "listening to liquidationOrders\n"]
    assert heard.last_words.startswith("5 events in 0.")
    assert heard.last_words.endswith("0 gaps, 0 malformed, 0 reconnects")


def test_a_number_of_events() -> None:
    """Not one more, although a frame held more."""
    heard = Heard()
    assert watched(heard, show=Show(title="x", format="jsonl", count=2), frame_events=5) == Exit.DONE
    assert len(heard.lines) == 2


def test_a_number_of_seconds() -> None:
    """From the first connection on; what had arrived is shown."""
    heard = Heard()
    assert watched(heard, show=Show(title="x", format="jsonl", seconds=0.3), clock_rate=1.0) == Exit.DONE
    assert len(heard.lines) == 5
    assert heard.last_words.startswith("5 events in 0.3 s")


def test_filters() -> None:
    heard = Heard()
    request = {"choice": Choice(liquidations, (ops.side("long"), ops.min_volume(4_000)))}
    watched(heard, show=Show(title="x", format="jsonl", count=2), request=request)
    assert [json.loads(line)["volume_usd"] for line in heard.lines] == [4_000, 5_000]


def test_only_big_events_are_shown_but_all_are_counted() -> None:
    heard = Heard()
    watched(heard, show=Show(title="x", count=5, min_volume=4_500))
    assert len(heard.lines) == 1
    assert heard.last_words.startswith("5 events")
    assert not heard.has_said("shown from")
    watched(heard, show=Show(title="x", count=5, min_volume=4_500, shows_all="--min-volume 0"))
    assert heard.has_said("cgrx: shown from 4,500 USD on (--min-volume 0 shows all); all are counted")


# --- windows --------------------------------------------------------------------------------------------------------


FAST = 10.0
"""Windows close by the time at which events are received, so tests that wait for rows let trio's clock run faster."""


async def send_steadily(simulator: Simulator) -> None:
    """Events of the moment, two a second, from five seconds after the subscription on.

    By then the gap with which a subscription begins is over, and also the two seconds by which rows take it wider.
    """
    await simulator.wait_subscribed(CHANNEL)
    clock = WallClock()
    await trio.sleep(5)
    while True:
        await simulator.send(liquidation(clock.now_ms() // 1000))
        await trio.sleep(0.5)


async def send_ahead(simulator: Simulator) -> None:
    """Events a second apart, from a minute ahead on."""
    await simulator.wait_subscribed(CHANNEL)
    start = WallClock().now_ms() // 1000 + 60
    await simulator.send([liquidation(start + number) for number in range(6)])


@pytest.mark.parametrize("format_name", ["table", "jsonl", "csv"])
def test_rows_of_windows(format_name: FormatName) -> None:
    """Final ones, as soon as no more can come; those of the time before the first connection are incomplete."""
    heard = Heard()
    window = windowing("1s", by=("exchange", "symbol"))

    async def script(simulator: Simulator) -> None:
        await send_events(simulator)
        await send_steadily(simulator)

    show = Show(title="x", format=format_name, count=7, window=window)
    assert watched(heard, script, show=show, clock_rate=FAST) == Exit.DONE
    header = row_formats(window.row)[format_name].header
    assert heard.text.startswith(header)
    rows = heard.text.removeprefix(header).splitlines()
    assert len(rows) == 7
    incomplete, complete = {
        "table": ("INCOMPLETE: gap 1.0 s", "  complete"),
        "jsonl": ('"final":true,"complete":false}', '"final":true,"complete":true}'),
        "csv": (",1000,0,0,true,false", ",0,0,0,true,true"),
    }[format_name]
    assert [(row.endswith(incomplete), row.endswith(complete)) for row in rows] == 5 * [(True, False)] + 2 * [
        (False, True)
    ]
    assert ", 7 rows (5 incomplete), 0 gaps" in heard.last_words


def test_rows_that_the_end_cuts_short() -> None:
    """They are no lines, but that is said; unless they were asked for."""
    heard = Heard()
    show = Show(title="x", format="jsonl", seconds=0.3, window=windowing("1h", by=("exchange",)))
    assert watched(heard, send_ahead, show=show) == Exit.DONE
    assert heard.text == ""
    assert heard.has_said("left out 1 row of windows that the end cut short: --running shows them")
    heard = Heard()
    show = attrs.evolve(show, window=windowing("1h", by=("exchange",), running=True))
    assert watched(heard, send_ahead, show=show) == Exit.DONE
    rows = [json.loads(line) for line in heard.lines]
    assert [row["count"] for row in rows] == sorted(row["count"] for row in rows)
    assert (rows[-1]["count"], {row["final"] for row in rows}) == (6, {False})
    assert not heard.has_said("left out")


def test_late_events_are_counted() -> None:
    heard = Heard()

    async def script(simulator: Simulator) -> None:
        await send_ahead(simulator)
        await send_events(simulator)
        await send_ahead(simulator)

    assert watched(heard, script, show=Show(title="x", seconds=0.3, window=windowing("1s"))) == Exit.DONE
    assert " late events, " in heard.last_words


def test_rows_in_the_live_table() -> None:
    """Running rows are there without being asked for."""
    heard = Heard()
    show = Show(title="liquidations", seconds=12, window=windowing("2s", every="1s", by=("exchange", "symbol")))
    assert watched(heard, send_steadily, show=show, terminal={"live": True}, clock_rate=FAST) == Exit.DONE
    drawn = heard.drawn.getvalue()
    assert "2s every 1s by exchange, symbol" in drawn
    assert "final" in drawn
    assert "running" in drawn
    assert heard.text == ""
    assert not heard.has_said("left out")


def test_a_window_behind_filters() -> None:
    heard = Heard()
    request = {"choice": Choice(liquidations, (ops.min_volume(4_000),))}
    show = Show(title="x", format="jsonl", seconds=0.3, window=windowing("1h", running=True))
    watched(heard, request=request, show=show)
    assert json.loads(heard.lines[-1])["volume"] == 9_000
    assert heard.last_words.startswith("2 events")


# --- the live table -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [True, False])
def test_the_live_table(shared: bool) -> None:
    """On the alternate screen; meanwhile words stand in the table, elsewhere only if that spoils nothing."""
    heard = Heard()
    show = Show(title="liquidations", seconds=0.5)
    assert watched(heard, show=show, terminal={"live": True, "shared": shared}) == Exit.DONE
    drawn = heard.drawn.getvalue()
    assert drawn.startswith("\x1b[?1049h")
    assert drawn.endswith("\x1b[?1049l")
    assert "listening to liquidationOrders" in drawn
    assert "5,000" in drawn
    assert heard.has_said("listening to") is not shared
    assert heard.text == ""
    assert heard.last_words.startswith("5 events")


def test_a_format_makes_lines_on_a_terminal_too() -> None:
    heard = Heard()
    watched(heard, terminal={"live": True})
    assert heard.drawn.getvalue() == ""
    assert len(heard.lines) == 5


# --- trouble --------------------------------------------------------------------------------------------------------


def test_a_lost_connection_is_told_and_survived() -> None:
    heard = Heard()

    async def script(simulator: Simulator) -> None:
        await send_events(simulator)
        await simulator.flush()
        simulator.drop_all()
        await simulator.wait_connections(0)
        await send_events(simulator)

    assert watched(heard, script, show=Show(title="x", format="jsonl", count=10)) == Exit.DONE
    assert heard.has_said("trying again in")
    assert heard.has_said("gap: events of liquidationOrders may be missing between")
    assert heard.last_words.endswith("1 gap, 0 malformed, 1 reconnect")


def test_malformed_input_and_notices_are_told() -> None:
    """In one line each, whatever they hold."""
    heard = Heard()

    async def script(simulator: Simulator) -> None:
        await simulator.wait_subscribed(CHANNEL)
        await simulator.send_raw('{"channel":"liquidationOrders","data":[{"\\u001b[2J":1}]}')
        await simulator.send_raw("maintenance\r\nat [red]noon")
        await simulator.send(EVENTS)

    assert watched(heard, script) == Exit.DONE
    assert heard.has_said("malformed input at $.data[0]")
    assert heard.has_said("the server says: maintenance at [red]noon")
    assert all(line.count("\n") == 1 and line[:-1].isprintable() for line in heard.said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("live", [True, False])
def test_a_signal_ends_it_with_a_summary(number: signal.Signals, live: bool) -> None:
    heard = Heard()

    async def script(simulator: Simulator) -> None:
        await simulator.wait_subscribed(CHANNEL)
        signal.raise_signal(number)

    assert watched(heard, script, show=Show(title="x"), terminal={"live": live}) == 128 + number
    assert heard.last_words.startswith("0 events in")
    assert not live or heard.drawn.getvalue().endswith("\x1b[?1049l")


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    def closed(data: bytes) -> int:
        raise BrokenPipeError

    heard = Heard(on_data=closed)
    assert watched(heard, show=Show(title="x", format="csv")) == Exit.DONE
    assert not heard.has_said("events in")


# --- the first five minutes -----------------------------------------------------------------------------------------


def test_no_key() -> None:
    """Nothing is dialled; the line names the variable, and what needs no key."""
    heard = Heard()
    assert watched(heard, do_nothing, request={"url": COINGLASS_URL}) == Exit.NO_KEY
    assert heard.said == ["cgrx: no API key: set the environment variable COINGLASS_API_KEY; `cgrx demo` needs none\n"]


def test_the_key_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(API_KEY_VARIABLE, "good-key")
    assert watched(Heard(), keys={"good-key"}) == Exit.DONE


def test_a_refused_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(API_KEY_VARIABLE, "hush-hush")
    heard = Heard()
    assert watched(heard, do_nothing, keys={"good-key"}) == Exit.KEY_REFUSED
    assert heard.said == ["cgrx: the server refused the API key in COINGLASS_API_KEY (HTTP 401)\n"]


def test_a_key_that_is_thrown_out() -> None:
    heard = Heard()
    faults = [CloseAtOnce(code=1008, notice="invalid api key", connections=3)]
    assert watched(heard, do_nothing, faults=faults) == Exit.KEY_REFUSED
    assert heard.has_said("closed 3 connections in a row")
    assert heard.last_words.endswith("most likely the API key is not valid")


def test_a_plan_that_is_too_low() -> None:
    heard = Heard()
    assert watched(heard, do_nothing, plan="startup") == Exit.PLAN
    assert heard.last_words == "the plan of this API key does not include liquidationOrders: it needs Standard or above"


def test_nobody_there() -> None:
    """Each attempt is told, then it gives up."""

    async def main() -> None:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]
        await listener.aclose()
        url = f"ws://127.0.0.1:{port}/"
        request = Watch(url=url, choice=Choice(liquidations), connect_timeout_s=0.2)
        heard = Heard()
        assert await watch(request, Show(title="x"), heard.terminal()) == Exit.NO_CONNECTION
        reason = f"cannot reach 127.0.0.1:{port}: Connection refused"
        assert f"{reason}; trying again in" in heard.said[0]
        assert heard.last_words.startswith("gave up after 0.2 s and ")
        assert heard.last_words.endswith(reason)

    run(main)


def test_a_port_that_speaks_no_websocket() -> None:
    async def greet(stream: trio.SocketStream) -> None:
        await stream.send_all(b"SSH-2.0-OpenSSH_9.6\r\n")
        await stream.receive_some()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, greet, listeners)
            url = f"ws://127.0.0.1:{listeners[0].socket.getsockname()[1]}/"
            request = Watch(url=url, choice=Choice(liquidations), connect_timeout_s=0.2)
            heard = Heard()
            assert await watch(request, Show(title="x"), heard.terminal()) == Exit.NO_CONNECTION
            assert heard.last_words.endswith("no WebSocket handshake: the peer does not speak HTTP")
            nursery.cancel_scope.cancel()

    run(main)


def test_an_unknown_path() -> None:
    async def main() -> None:
        async with Simulator() as simulator:
            url = simulator.url.replace("ws-api", "other")
            request = Watch(url=url, choice=Choice(liquidations), connect_timeout_s=5)
            heard = Heard()
            assert await watch(request, Show(title="x"), heard.terminal()) == Exit.NO_CONNECTION
            assert heard.last_words == f"no WebSocket service at {url} (HTTP 404)"

    run(main)


def test_a_url_that_cannot_be_used() -> None:
    heard = Heard()
    assert watched(heard, do_nothing, request={"url": "https://example.test/"}) == Exit.USAGE
    assert heard.last_words.startswith("url='https://example.test/' cannot be used: its scheme is neither ws nor wss")
