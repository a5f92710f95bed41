"""Tasks beside a command, and the screen: the body's exceptions leave plain, and everything is undone."""

import io

import pytest
import trio
from rich.console import Console
from rich.text import Text

from cgrx._cli.terminal.exits import CommandError
from cgrx._cli.terminal.redrawing import REFRESH_S
from cgrx._cli.terminal.screen import screen
from cgrx._cli.terminal.tasks import beside
from tests.support import run_mock


def test_a_task_ends_with_the_body() -> None:
    async def main() -> None:
        ended = False

        async def task() -> None:
            nonlocal ended
            try:
                await trio.sleep_forever()
            finally:
                ended = True

        async with beside(task):
            await trio.testing.wait_all_tasks_blocked()
            assert not ended
        assert ended

    run_mock(main)


def test_the_body_goes_on_behind_a_task_that_ended() -> None:
    async def main() -> None:
        async with beside(trio.lowlevel.checkpoint):
            await trio.sleep(5)
        assert trio.current_time() >= 5

    run_mock(main)


def test_the_body_raises_plainly() -> None:
    async def main() -> None:
        with pytest.raises(KeyError):
            async with beside(trio.sleep_forever):
                raise KeyError

    run_mock(main)


def test_a_task_that_raises_ends_the_body() -> None:
    async def task() -> None:
        raise KeyError

    async def main() -> None:
        with pytest.raises(KeyError):
            async with beside(task):
                await trio.sleep_forever()

    run_mock(main)


# --- the screen -----------------------------------------------------------------------------------------------------


def test_the_screen_is_drawn_again_and_left_as_it_was() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=40, height=10)

    async def main() -> None:
        sizes: list[tuple[int, int]] = []

        def draw(width: int, height: int) -> Text:
            sizes.append((width, height))
            return Text(f"picture {len(sizes)}")

        async with screen(console, draw):
            await trio.sleep(REFRESH_S * 2.5)
        assert set(sizes) == {(40, 10)}
        assert len(sizes) >= 3

    run_mock(main)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert text.index("\x1b[?1049h") < text.index("picture 2") < text.index("\x1b[?1049l")
    assert text.rindex("\x1b[?25l") < text.rindex("\x1b[?25h")


def test_the_screen_is_left_when_the_body_raises() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=40, height=10)

    async def main() -> None:
        with pytest.raises(KeyError):
            async with screen(console, lambda width, height: Text("x")):
                raise KeyError

    run_mock(main)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().endswith("\x1b[?25h\x1b[?1049l")


def test_a_terminal_that_goes_away() -> None:
    class Gone(io.StringIO):
        calls = 0

        def write(self, text: str) -> int:
            self.calls += 1
            if self.calls > 2:
                raise OSError(5, "Input/output error")
            return super().write(text)

    console = Console(file=Gone(), force_terminal=True, width=40, height=10)

    async def main() -> None:
        with pytest.raises(CommandError, match="cannot write to the terminal: Input/output error"):
            async with screen(console, lambda width, height: Text("x")):
                await trio.sleep_forever()

    run_mock(main)
