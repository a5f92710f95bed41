"""Keys and Ctrl-Z in this process: what is read, what is left alone, and that the terminal is given back."""

import io
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import suppress

import pytest
import trio
import trio.testing
from rich.console import Console

from cgrx._cli.terminal import screen as screens
from cgrx._cli.terminal.keyboard import Keyboard, keys_of
from cgrx._cli.terminal.screen import screen
from tests.support import run

termios = pytest.importorskip("termios", reason="there are no pseudo-terminals on this system")


@pytest.fixture
def pair() -> Generator[tuple[int, int]]:
    """Our side of a pseudo-terminal, and the other one."""
    ours, theirs = os.openpty()
    yield ours, theirs
    for fd in (ours, theirs):
        with suppress(OSError):
            os.close(fd)


def ours_is(offset: int) -> Callable[[int], int]:
    """In place of `os.tcgetpgrp`: the group of this process, or another one."""

    def group(_: int) -> int:
        return os.getpgrp() + offset

    return group


@pytest.fixture
def foreground(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every terminal be that of this process."""
    monkeypatch.setattr(os, "tcgetpgrp", ours_is(0))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("qs/ ", ["q", "s", "/", " "]),
        ("\r\n\x1b", ["enter", "enter", "escape"]),
        ("\x7f\x08", ["backspace", "backspace"]),
        ("\x1b[A\x1b[1;5C\x1bOPx\x1b[3~", ["x"]),
        ("\x1bx", ["escape", "x"]),
        ("é\x00\x05漢", ["é", "漢"]),
    ],
)
def test_what_is_a_key(text: str, keys: list[str]) -> None:
    assert list(keys_of(text)) == keys


def test_what_has_a_keyboard(pair: tuple[int, int]) -> None:
    with open(pair[1], closefd=False) as terminal:
        found = Keyboard.of(terminal)
    assert found is not None
    assert found.fd == pair[1]
    assert Keyboard.of(None) is None
    assert Keyboard.of(io.StringIO()) is None


@pytest.mark.usefixtures("foreground")
def test_keys_come_at_once_and_the_terminal_is_given_back(pair: tuple[int, int]) -> None:
    """Those of a character that comes in two parts, too; nothing is echoed."""
    ours, theirs = pair
    before = termios.tcgetattr(theirs)
    keys: list[str] = []

    async def main() -> None:
        keyboard = Keyboard(theirs)
        with keyboard.typing():
            keyboard.begin()  # once more does nothing
            async with trio.open_nursery() as nursery:
                nursery.start_soon(keyboard.read, keys.append)
                os.write(ours, "q\u00e9".encode()[:-1])
                while keys != ["q"]:  # noqa: ASYNC110 - a list tells nobody that it grows
                    await trio.sleep(0.01)
                os.write(ours, "\u00e9".encode()[-1:])
                while len(keys) < 2:  # noqa: ASYNC110 - likewise
                    await trio.sleep(0.01)
                nursery.cancel_scope.cancel()
        keyboard.end()

    run(main)
    assert keys == ["q", "\u00e9"]
    assert termios.tcgetattr(theirs) == before


def test_in_the_background_nothing_is_touched(pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed is for the shell; there would be a signal that stops the process."""
    ours, theirs = pair
    monkeypatch.setattr(os, "tcgetpgrp", ours_is(1))
    before, keys = termios.tcgetattr(theirs), list[str]()

    async def main() -> None:
        keyboard = Keyboard(theirs)
        with keyboard.typing(), trio.move_on_after(0.3):
            assert termios.tcgetattr(theirs) == before
            os.write(ours, b"ls\n")
            await keyboard.read(keys.append)

    run(main)
    assert keys == []
    assert os.read(theirs, 10) == b"ls\n"


@pytest.mark.usefixtures("foreground")
def test_a_terminal_that_somebody_else_reads_and_one_that_is_gone(
    pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pair
    read, keys = os.read, list[str]()
    answers = [b"", b"q"]

    def reading(fd: int, count: int) -> bytes:
        if fd != theirs:
            return read(fd, count)
        read(fd, count)
        if not answers:
            raise OSError
        return answers.pop(0)

    async def main() -> None:
        keyboard = Keyboard(theirs)
        monkeypatch.setattr(os, "read", reading)
        with keyboard.typing():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(keyboard.read, keys.append)
                while len(answers) or not keys:
                    os.write(ours, b"x")
                    await trio.sleep(0.05)
                os.write(ours, b"x")
        os.close(theirs)
        keyboard.begin()  # neither of these fails
        with keyboard.typing():
            pass

    run(main)
    assert keys == ["q"]


# --- Ctrl-Z ---------------------------------------------------------------------------------------------------------


def drawn_with_keys(theirs: int, act: "list[str]") -> tuple[str, list[str]]:
    """What is drawn, and the keys, where signals of these names come meanwhile."""
    out, keys = io.StringIO(), list[str]()
    console = Console(file=out, force_terminal=True, width=40, height=5)

    async def main() -> None:
        async with screen(console, lambda _, __: "picture", Keyboard(theirs), keys.append):
            await trio.testing.wait_all_tasks_blocked(0.01)
            for name in act:
                signal.raise_signal(signal.Signals[name])
                await trio.testing.wait_all_tasks_blocked(0.01)

    run(main)
    return out.getvalue(), keys


@pytest.mark.usefixtures("foreground")
def test_ctrl_z_leaves_the_screen_before_it_stops(pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """And takes it again: the alternate screen, the cursor, the keys."""
    _, theirs = pair
    before, seen = termios.tcgetattr(theirs), list[object]()
    monkeypatch.setattr(screens, "_stop", lambda: seen.append(termios.tcgetattr(theirs)))
    drawn, _ = drawn_with_keys(theirs, ["SIGTSTP", "SIGCONT"])
    assert seen == [before]
    assert drawn.count("\x1b[?1049h") == drawn.count("\x1b[?1049l") == 2
    assert termios.tcgetattr(theirs) == before


@pytest.mark.usefixtures("foreground")
def test_where_ctrl_z_is_ignored_it_stays_ignored(pair: tuple[int, int]) -> None:
    ours = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    try:
        drawn, _ = drawn_with_keys(pair[1], ["SIGTSTP"])
    finally:
        signal.signal(signal.SIGTSTP, ours)
    assert drawn.count("\x1b[?1049h") == 1


@pytest.mark.usefixtures("foreground")
def test_a_key_draws_the_picture_anew(pair: tuple[int, int]) -> None:
    ours, theirs = pair
    os.write(ours, b"s")
    assert drawn_with_keys(theirs, [])[1] == ["s"]


def test_stopping_is_what_the_system_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own handler, which is ours again behind it."""
    seen: list[object] = []

    def kill(_: int, number: int) -> None:
        seen.append((number, signal.getsignal(signal.SIGTSTP)))

    monkeypatch.setattr(signal, "pthread_kill", kill)
    before = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    try:
        screens._stop()
        assert signal.getsignal(signal.SIGTSTP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTSTP, before)
    assert seen == [(signal.SIGTSTP, signal.SIG_DFL)]
    assert sys.platform != "win32"
