"""Keys of the live tables of events and of rows, in this process: what they do to the picture, and that `q` ends."""

import os
import re
from collections.abc import Generator

import attrs
import pytest
import trio

from cgrx import API_KEY_VARIABLE
from cgrx._cli.commands.choice import Choice, liquidations
from cgrx._cli.commands.watch import Watch, watch
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.keyboard import Keyboard
from cgrx._cli.view.viewer import Show
from cgrx._simulator.simulator import Simulator
from tests.cli.rows import windowing
from tests.cli.terminals import Heard, exit_code_of
from tests.simulator.simulating import liquidation

STYLE = re.compile(r"\x1b\[[\d;]*m")

pytest.importorskip("termios", reason="there are no pseudo-terminals on this system")


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[int, int]]:
    """Our side of a pseudo-terminal, and that of the command."""

    def group(_: int) -> int:
        return os.getpgrp()

    monkeypatch.setattr(os, "tcgetpgrp", group)
    ours, theirs = os.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def watched(pair: tuple[int, int], show: Show, steps: tuple[tuple[str, str], ...]) -> Heard:
    """What is drawn of a steady stream; each step types keys and waits for a text, and at last `q` is typed."""
    heard = Heard()
    ours, theirs = pair

    async def send(simulator: Simulator) -> None:
        await simulator.wait_subscribed("liquidationOrders")
        for number in range(1, 10_000):
            await simulator.send(liquidation(number, volume_usd=1_000.0 * (number % 7 + 1)))
            await trio.sleep(0.01)

    async def press() -> None:
        for keys, text in (*steps, ("q", "\x1b[?1049l")):
            at = len(heard.drawn.getvalue())
            os.write(ours, keys.encode())
            while text not in STYLE.sub("", heard.drawn.getvalue()[at:]):  # noqa: ASYNC110 - a text that grows
                await trio.sleep(0.01)

    async def main() -> int:
        async with Simulator() as simulator, trio.open_nursery() as nursery:
            nursery.start_soon(send, simulator)
            nursery.start_soon(press)
            request = Watch(url=simulator.url, choice=Choice(liquidations), connect_timeout_s=5.0)
            terminal = attrs.evolve(heard.terminal(live=True), keyboard=Keyboard(theirs))
            exit_code = await watch(request, show, terminal)
            nursery.cancel_scope.cancel()
        return exit_code

    assert exit_code_of(main) == Exit.DONE
    return heard


STEPS = (
    ("", "q end   space stop"),
    (" ", "‖ stopped"),
    ("?", "Ctrl-C does the same"),
    ("? ", "/ filter   ? help"),
    ("/okx", "/okx"),
    ("\r", "/ filter: okx (Esc shows all)"),
    ("\x1b", "/ filter   ? help"),
)


def test_keys_of_events(pair: tuple[int, int]) -> None:
    show = Show(title="x", min_volume=2_000.0, shows_all="--min-volume 0")
    heard = watched(pair, show, (*STEPS, ("s", "s order: largest")))
    assert "shown from 2,000 USD on (--min-volume 0 shows all)" in heard.drawn.getvalue()
    assert " events in " in heard.last_words


def test_keys_of_rows(pair: tuple[int, int]) -> None:
    window = windowing("1h", by=("exchange", "symbol"))
    sorts = tuple(("s", f"s order: {sort}") for sort in ("delta", "events", "name", "volume"))
    heard = watched(pair, Show(title="x", window=window), (*STEPS, *sorts))
    assert "Shorts" in heard.drawn.getvalue()
