"""Standard output: whole lines, a reader that is slow or gone, and an end that is bounded."""

import errno
import io
import os
import sys
import threading

import pytest
import trio

from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.output import Output, ReaderGoneError
from cgrx._cli.terminal.streams import Terminal
from tests.support import run


def failing(code: int) -> Output:
    def write(_: bytes) -> int:
        raise OSError(code, os.strerror(code))

    return Output(write)


def test_everything_is_written() -> None:
    """Also where a write takes only a part, or nothing for a moment."""
    taken = bytearray()
    answers = iter([2, None, 1, None, 3])

    def write(data: bytes) -> int | None:
        count = next(answers)
        taken.extend(data[: count or 0])
        return count

    async def main() -> None:
        await Output(write).write(b"abcdef")
        await Output(write).write(b"")

    run(main)
    assert taken == b"abcdef"


def test_a_reader_that_is_gone() -> None:
    """It is no failure: nothing is said, and the exit code is 0."""

    async def main() -> None:
        with pytest.raises(ReaderGoneError) as caught:
            await failing(errno.EPIPE).write(b"x")
        assert caught.value.exit == Exit.DONE
        assert str(caught.value) == ""

    run(main)


def test_a_disk_that_is_full() -> None:
    async def main() -> None:
        with pytest.raises(CommandError, match="cannot write to standard output: No space left on device") as caught:
            await failing(errno.ENOSPC).write(b"x")
        assert caught.value.exit == Exit.FAILED

    run(main)


def test_a_reader_that_takes_nothing_holds_up_until_the_end() -> None:
    """The event loop goes on meanwhile, a cancellation waits for the lines, and `finish_by` bounds that."""
    leave, entered = threading.Event(), threading.Event()

    def stuck(data: bytes) -> int:
        entered.set()
        leave.wait()
        return len(data)

    async def main() -> None:
        output = Output(stuck)
        async with trio.open_nursery() as nursery:

            async def write() -> None:
                with pytest.raises(CommandError, match="takes nothing"):
                    await output.write(b"x")

            nursery.start_soon(write)
            await trio.to_thread.run_sync(entered.wait)
            nursery.cancel_scope.cancel()
            output.finish_by(trio.current_time() + 0.02)

    run(main)
    leave.set()


def test_the_deadline_can_be_set_anew() -> None:
    """For what is to be said at the very end."""
    taken = bytearray()

    def write(data: bytes) -> int:
        taken.extend(data)
        return len(data)

    async def main() -> None:
        output = Output(write)
        output.finish_by(trio.current_time() - 1)
        with pytest.raises(CommandError, match="the last lines are lost"):
            await output.write(b"too late")
        output.finish_by(trio.current_time() + 10)
        await output.write(b"summary")

    run(main)
    assert taken.endswith(b"summary")


def test_cancelled_it_still_ends_its_lines() -> None:
    leave, entered = threading.Event(), threading.Event()
    taken = bytearray()

    def slow(data: bytes) -> int:
        entered.set()
        leave.wait()
        taken.extend(data)
        return len(data)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Output(slow).write, b"a line\n")
            await trio.to_thread.run_sync(entered.wait)
            nursery.cancel_scope.cancel()
            leave.set()

    run(main)
    assert taken == b"a line\n"


# --- the process's own streams --------------------------------------------------------------------------------------


class Tty(io.TextIOWrapper):
    """A terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return True


def test_a_terminal_is_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Tty())
    monkeypatch.setattr(sys, "stderr", Tty())
    terminal = Terminal.of_process()
    assert terminal.is_live
    assert terminal.is_shared


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stdout", Tty())
    assert not Terminal.of_process().is_live


def test_pipes_get_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever asks for colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO()))
    terminal = Terminal.of_process()
    assert not terminal.is_live
    assert not terminal.is_shared


def test_lines_are_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line whatever is in the text, in whatever encoding the terminal has."""
    err = Tty("ascii")
    monkeypatch.setattr(sys, "stderr", err)
    Terminal.of_process().say("a\nb \x1b[2J [red]é")
    assert err.bytes.getvalue() == b"cgrx: a b \\x1b[2J [red]\\xe9\n"


def test_data_goes_out_unbuffered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The raw stream below the buffer, where there is one."""
    raw = io.BytesIO()

    class Buffer(io.BytesIO):
        def __init__(self) -> None:
            super().__init__()
            self.raw = raw

    buffer = Buffer()
    stdout = io.TextIOWrapper(buffer)
    monkeypatch.setattr(sys, "stdout", stdout)

    async def main() -> None:
        await Terminal.of_process().output.write(b"x")

    run(main)
    assert raw.getvalue() == b"x"
    assert buffer.getvalue() == b""


def test_without_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed by the shell: data has no reader, words go nowhere."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    terminal = Terminal.of_process()
    assert not terminal.is_live
    terminal.say("unheard")

    async def main() -> None:
        with pytest.raises(ReaderGoneError):
            await terminal.output.write(b"x")

    run(main)


def test_a_broken_standard_error_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that nobody can read is tried, and then forgotten."""
    tried: list[object] = []

    class Broken(io.BytesIO):
        def write(self, data: object) -> int:
            tried.append(data)
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(Broken()))
    Terminal.of_process().say("x")
    assert tried == [b"cgrx: x\n"]
