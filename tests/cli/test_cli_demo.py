"""`cgrx demo`: simulator and client in one process, and every event accounted for."""

import errno
import io
import os
import re
import signal

import pytest

from cgrx._cli.commands.demo import Demo, demo
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.view.windows import Windowing
from cgrx._simulator.faults import Drop, Fault, HalfFrame, Refuse, WrongTypes
from tests.cli.rows import windowing
from tests.cli.terminals import Heard, exit_code_of


def shown(
    heard: Heard,
    *faults: Fault,
    seconds: float = 0.4,
    rate: float = 500.0,
    live: bool = False,
    window: Windowing | None = None,
) -> int:
    async def main() -> int:
        request = Demo(seconds=seconds, seed=3, rate=rate, faults=faults, window=window)
        return await demo(request, heard.terminal(live=live))

    return exit_code_of(main)


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
    assert counted(heard.text, "missing") == 0
    events = [line for line in heard.lines if line.endswith(" USD") and not line.startswith("largest")]
    assert events
    assert all(float(line.split()[-2].replace(",", "")) >= 10_000 for line in events)
    assert [line.split()[0] for line in heard.lines[len(events) :]] == [
        "sent",
        "received",
        *heard.lines[-4].split()[:1],
        "missing",
        "exchanges",
        "largest",
    ]
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
    """Small ones too: none is lost between the simulator and the rows, which the end cuts short."""
    heard = Heard()
    assert shown(heard, window=windowing("1m", by=("exchange", "symbol"), running=True)) == Exit.DONE
    header, *rows = heard.lines[: next(i for i, line in enumerate(heard.lines) if line.startswith("sent "))]
    assert header.startswith("start ")
    latest = {tuple(row.split()[:4]): row.split() for row in rows}
    assert sum(int(cells[10].replace(",", "")) for cells in latest.values()) == counted(heard.text, "sent")
    assert all(" running: gap " in row for row in rows)
    assert counted(heard.text, "missing") == 0
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
    assert counted(heard.text, "missing") == counted(heard.text, "sent") - counted(heard.text, "received") > 0
    assert "lost by faults or under way at the end" in heard.text


def test_nothing_at_all() -> None:
    """Too short for a single event, and for a pong."""
    heard = Heard()
    assert shown(heard, seconds=0.001, rate=1.0) == Exit.DONE
    assert heard.lines[0] == "sent       0 events in 0 frames over a loopback socket"
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
