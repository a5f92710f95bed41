"""`cgrx demo`: simulator and client in one process, and every event accounted for."""

import errno
import io
import os
import re
import signal

import attrs
import pytest
import trio

from cgrx import Batch, Gap, LiquidationOrders
from cgrx._cli.app import run as program
from cgrx._cli.commands.demo import Demo, demo
from cgrx._cli.commands.demo_story import Market as Made
from cgrx._cli.commands.demo_story import is_asked_for
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.view import market as seen
from cgrx._cli.view.windows import Windowing
from cgrx._simulator.faults import Drop, Duplicate, Fault, HalfFrame, Refuse, WrongTypes
from cgrx._simulator.market import Generator
from tests.cli.rows import windowing
from tests.cli.terminals import Heard, exit_code_of
from tests.cli.test_cli_table import VIEW, plain
from tests.cli.test_cli_table import drawn as lines_of
from tests.support import run_fast

FAST = 10.0
"""How much faster trio's clock goes where a test is about what takes time."""


def shown(
    heard: Heard,
    *faults: Fault,
    seconds: float = 0.4,
    rate: float = 500.0,
    live: bool = False,
    window: Windowing | None = None,
    clock_rate: float | None = None,
) -> int:
    async def main() -> int:
        request = Demo(seconds=seconds, seed=3, rate=rate, faults=faults, window=window)
        return await demo(request, heard.terminal(live=live))

    return exit_code_of(main) if clock_rate is None else run_fast(clock_rate, main)


def counted(summary: str, name: str) -> int:
    found = re.search(rf"^{name} +([\d,]+) event", summary, flags=re.MULTILINE)
    assert found is not None, summary
    return int(found[1].replace(",", ""))


def test_lines_and_a_summary_that_adds_up() -> None:
    """What was sent was received; the lines are those of at least 10,000 US dollars."""
    heard = Heard()
    assert shown(heard) == Exit.DONE
    sent = counted(heard.text, "sent")
    assert sent > 10
    assert counted(heard.text, "received") == sent
    assert counted(heard.text, "lost") == 0
    events = [line for line in heard.lines if line.endswith(" USD") and not line.startswith("largest")]
    assert events
    assert all(float(line.split()[-2].replace(",", "")) >= 10_000 for line in events)
    names = [line.split()[0] for line in heard.lines[len(events) :] if not line.startswith(" ")]
    assert names == ["sent", "received", "lost", "exchanges", "largest"]
    assert "connected" in heard.said[0]


def test_the_live_table() -> None:
    """Standard output gets the summary alone, after the screen has been left."""
    heard = Heard()
    assert shown(heard, live=True) == Exit.DONE
    drawn = heard.drawn.getvalue()
    assert drawn.startswith("\x1b[?1049h")
    assert drawn.endswith("\x1b[?1049l")
    assert "cgrx demo" in drawn
    assert heard.text.startswith("sent ")


def test_rows_of_windows_hold_every_event() -> None:
    """Small ones too: none is lost between the simulator and the rows, which the end cuts short.

    Trades and liquidations of an instrument are counted apart.
    """
    heard = Heard()
    assert shown(heard, window=windowing("1m", by=("exchange", "symbol"), running=True)) == Exit.DONE
    header, *rows = heard.lines[: next(i for i, line in enumerate(heard.lines) if line.startswith("sent "))]
    assert header.startswith("start ")
    latest = {tuple(row.split()[:4]): row.split() for row in rows}
    counts = [int(cells[at].replace(",", "")) for cells in latest.values() for at in (10, 13)]
    assert sum(counts) == counted(heard.text, "sent")
    assert all(" running: gap " in row for row in rows)
    assert counted(heard.text, "lost") == 0
    assert ", 0 rows, 0 gaps" in heard.text


def test_rows_in_the_live_table() -> None:
    heard = Heard()
    assert shown(heard, live=True, window=windowing("200ms", by=("exchange",))) == Exit.DONE
    assert "200ms by exchange" in heard.drawn.getvalue()
    assert "shown from" not in heard.drawn.getvalue()
    assert heard.text.startswith("sent ")
    assert not heard.has_said("left out")


def test_with_faults() -> None:
    """It goes on, and counts what they did."""
    heard = Heard()
    assert shown(heard, WrongTypes(after=0.05), Drop(after=0.5), seconds=1.5) == Exit.DONE
    assert heard.has_said("malformed input")
    assert heard.has_said("trying again in")
    received = next(line for line in heard.lines if line.startswith("received"))
    assert "1 reconnect" in received
    assert " 0 malformed" not in received


def test_what_never_arrives_is_missing() -> None:
    """It is waited for, but not for ever."""
    heard = Heard()
    assert shown(heard, HalfFrame(after=0.1), seconds=0.2) == Exit.DONE
    assert counted(heard.text, "lost") == counted(heard.text, "sent") - counted(heard.text, "received") > 0
    assert "all on their way, or held back, as a connection ended" in heard.text


def test_nothing_at_all() -> None:
    """Too short for a single event, and for a pong."""
    heard = Heard()
    assert shown(heard, seconds=0.001, rate=1.0) == Exit.DONE
    assert heard.lines[0] == "sent       0 events by the simulated server, of 7 channels"
    assert heard.lines[-1] == "exchanges  none"


def test_status_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._cli.commands.demo._STATUS_EVERY_S", 0.1)
    heard = Heard()
    shown(heard)
    assert heard.has_said("events in 0.")


def test_a_client_that_is_refused() -> None:
    """There is nothing to sum up then."""
    heard = Heard()
    assert shown(heard, Refuse(how=401)) == Exit.KEY_REFUSED
    assert heard.text == ""
    assert "refused the API key" in heard.last_words


# --- the story ------------------------------------------------------------------------------------------------------


def test_the_story_and_its_accounts() -> None:
    """Large prints, a cascade, a connection that breaks off: at the end in numbers that agree."""
    heard = Heard()

    async def main() -> int:
        return await demo(Demo(seconds=20.0, seed=0, rate=200.0, faults=(), tells_story=True), heard.terminal())

    assert run_fast(FAST, main) == Exit.DONE
    assert heard.has_said("connection closed with code 1012: service restart")
    sent, received, lost = (counted(heard.text, name) for name in ("sent", "received", "lost"))
    assert sent == received + lost
    assert lost > 0
    assert re.search(r"lost +\d+ events, (all|\d+) while the client was away", heard.text)
    told = re.search(r"told +as a gap in each channel: (\S+) to (\S+) \((\d+\.\d) s\)\n", heard.text)
    assert told is not None
    assert float(told[3]) >= 2.0
    windows = re.search(r"windows +of 1 s: (\d+) complete, (\d+) marked incomplete", heard.text)
    assert windows is not None
    assert int(windows[1]) >= 1
    spans = re.findall(r"(\S+) to (\S+) \(the gap\)", heard.text)
    assert spans[0][0] <= told[1] < told[2]
    assert "(the beginning)" in heard.text
    assert re.search(r"cascade +\d\.\dM USD of longs in \d+ liquidations over \d\.\d s: ETH", heard.text)
    assert heard.text.endswith("trade of 1,832,543 USD: Binance ETHUSDT sell\n")


def test_the_story_on_the_screen() -> None:
    """Twice a second of it: the large prints, the cascade while it runs and when it is over, the gap."""
    market, now_s, drawn = seen.Market(10_000), [0.0], list[str]()
    watched = seen.Watched(market, lambda: now_s[0])
    events = list(Made(Generator(seed=0, rate=200.0, start_ms=0), 20.0, tells_story=True))
    for step in range(1, 41):
        now_s[0] = 0.5 * step
        for event in events:
            if now_s[0] - 0.5 <= event.time_ms / 1e3 < now_s[0] and not 11.5 <= now_s[0] < 14.0:
                watched.see(Batch(None, event.time_ms, (event,)))
        if now_s[0] == 14.0:
            watched.mark(Gap(LiquidationOrders(), 11_500, 13_700, "disconnected"))
        drawn.append(" ".join(plain(lines_of(market, attrs.evolve(VIEW, now_s=now_s[0])))))
    shown_at = {
        told: [step / 2 for step, text in enumerate(drawn, 1) if told in text]
        for told in ("CASCADE", "cascade over", "GAP")
    }
    spans = [(min(times), max(times)) for times in shown_at.values()]
    assert spans == [pytest.approx((7.5, 11.5), abs=0.5), pytest.approx((12.0, 20.0), abs=0.5), (14.0, 20.0)]
    assert "1.8M" in drawn[9]


def test_the_story_is_the_same_each_time_and_has_its_time() -> None:
    """And what is not asked for is not counted as sent."""
    markets = [Made(Generator(seed=4, rate=100.0), 12.0, tells_story=True) for _ in range(2)]
    first, second = (list(market) for market in markets)
    assert first == second
    assert [event.time_ms for event in first] == sorted(event.time_ms for event in first)
    plain = list(Made(Generator(seed=4, rate=100.0), 12.0, tells_story=False))
    added = [event for event in first if event not in plain]
    assert len(first) - len(plain) == len(added) == 72
    assert all(is_asked_for(event) for event in added)
    assert markets[0].sent == sum(map(is_asked_for, first)) < len(first)


@pytest.mark.parametrize(
    ("arguments", "story"),
    [
        ([], True),
        (["--seed", "5"], True),
        (["--rate", "200"], False),
        (["--fault", "drop@5s"], False),
    ],
)
def test_what_is_asked_for_is_all_that_happens(
    arguments: list[str], story: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Demo] = []

    async def heard(request: Demo, *_: object) -> int:
        asked.append(request)
        await trio.lowlevel.checkpoint()
        return Exit.DONE

    monkeypatch.setattr("cgrx._cli.app.demo", heard)
    assert program(["demo", *arguments]) == Exit.DONE
    assert [request.tells_story for request in asked] == [story]


def test_losses_of_two_kinds() -> None:
    """Some while the client was away, some on their way: each is named."""
    heard = Heard()
    faults = (HalfFrame(after=0.2), Drop(after=0.7), Refuse(how=503, retry_after=0.5, after=0.7))
    assert shown(heard, *faults, seconds=2.0, clock_rate=FAST) == Exit.DONE
    sent, received, lost = (counted(heard.text, name) for name in ("sent", "received", "lost"))
    assert sent == received + lost
    found = re.search(r"lost +\d+ events, (\d+) while the client was away, (\d+) on their way, or held", heard.text)
    assert found is not None
    assert int(found[1]) + int(found[2]) == lost


def test_what_comes_twice() -> None:
    """It is no loss, and hides none."""
    heard = Heard()
    assert shown(heard, Duplicate(after=0.1)) == Exit.DONE
    sent, received, twice = (counted(heard.text, name) for name in ("sent", "received", "twice"))
    assert (counted(heard.text, "lost"), twice) == (0, 1)
    assert received == sent + 1


def test_each_gap_has_its_times() -> None:
    heard = Heard()
    assert shown(heard, Drop(after=1.0), Drop(after=4.0), seconds=6.0, clock_rate=FAST) == Exit.DONE
    sent, received, lost = (counted(heard.text, name) for name in ("sent", "received", "lost"))
    assert sent == received + lost
    (told,) = [line for line in heard.lines if line.startswith("told ")]
    assert told.count(" s)") in (1, 2)  # one where the client was still away


class InterruptedDrawing(io.StringIO):
    """Ctrl-C arrives while the first picture is drawn."""

    def write(self, text: str) -> int:
        if "cgrx demo" in text:
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


def test_ctrl_c_in_the_live_table() -> None:
    """The screen is left, and the summary printed all the same."""
    heard = Heard(drawn=InterruptedDrawing())
    assert shown(heard, seconds=20, live=True) == 130
    assert heard.drawn.getvalue().endswith("\x1b[?1049l")
    assert "\nreceived " in heard.text


def test_ctrl_c_among_lines() -> None:
    """The line that is being written is written."""
    text = bytearray()

    def write(data: bytes) -> int:
        if data and not text:
            signal.raise_signal(signal.SIGINT)
        text.extend(data)
        return len(data)

    assert shown(Heard(on_data=write), seconds=20) == 130
    lines = text.decode().splitlines()
    assert lines[0].endswith(" USD")
    assert any(line.startswith("received ") for line in lines)


def test_a_reader_that_leaves() -> None:
    def closed(data: bytes) -> int:
        if data:
            raise BrokenPipeError
        return 0

    heard = Heard(on_data=closed)
    assert shown(heard, seconds=20) == Exit.DONE
    assert heard.has_said("connected")
    assert len(heard.said) == 1


def test_a_summary_that_cannot_be_written() -> None:
    def full(data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert shown(Heard(on_data=full), seconds=0.2, live=True) == Exit.FAILED
