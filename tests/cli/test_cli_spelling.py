"""Misspelt names on the command line: a line at once, and the command goes on."""

import pytest
import trio

from cgrx._cli.commands.choice import Choice, trades
from cgrx._cli.commands.watch import Watch, watch
from cgrx._cli.options import WatchOptions
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.view.viewer import Show
from cgrx._model.channels import FuturesTrades
from cgrx._simulator.simulator import Simulator
from tests.cli.terminals import Heard
from tests.support import run


def test_a_misspelt_channel_is_told_at_once() -> None:
    """With the name that was probably meant; it is watched all the same."""
    heard, channel = Heard(), FuturesTrades("Binnance", "BTCUSDT", 0)

    async def main() -> None:
        async with Simulator() as simulator, trio.open_nursery() as nursery:
            nursery.start_soon(heard.wait_said, f"'Binnance': did you mean Binance? (channel {channel.name})")
            asked = Watch(url=simulator.url, choice=Choice(trades([channel])), connect_timeout_s=5.0)
            assert await watch(asked, Show(title="x", format="jsonl", seconds=0.1), heard.terminal()) == Exit.DONE
            assert heard.has_said(f"listening to {channel.name}")

    run(main)


def test_a_misspelt_name_is_a_line_on_standard_error(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """One for each name, without the place in the code that Python's own text would hold."""
    assert WatchOptions(exchange=("Binnance", "OKX", "Krakn"), base_asset=("BTCUSDT",)).filters(None)
    assert capfdbinary.readouterr().err.decode().splitlines() == [
        "cgrx: exchange: 'Binnance': did you mean Binance?",
        "cgrx: exchange: 'Krakn': did you mean Kraken?",
        "cgrx: base_asset: 'BTCUSDT': did you mean BTC?",
    ]
