"""`cgrx publish`: what it publishes, what it says, how it ends."""

from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from cgrx import API_KEY_VARIABLE, FuturesTrades, LiquidationOrders
from cgrx._cli.app import publish_command, run
from cgrx._cli.arguments import channels_in
from cgrx._cli.commands.publish import Publish, publish_feed
from cgrx._cli.targets import target
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._simulator.simulator import Simulator
from cgrx._sinks.kafka import KafkaWriter
from cgrx.sinks import SinkRefusedError
from tests.cli.terminals import Heard, exit_code_of
from tests.log.logs import L, Log, events
from tests.simulator.simulating import liquidation
from tests.support import run as run_trio

EVENTS = [liquidation(number) for number in range(1, 6)]
NOWHERE = "kafka://127.0.0.1:1/x"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)


def published(heard: Heard, where: str, **request: Any) -> int:
    """The exit code of publishing what a simulator sends, which ends with the events."""

    async def main() -> int:
        async with Simulator(listen=True) as simulator, trio.open_nursery() as nursery:

            async def send() -> None:
                await simulator.wait_subscribed(L)
                await simulator.send(EVENTS)

            nursery.start_soon(send)
            asked = Publish(url=simulator.url, channels=(L,), to=target(where), seconds=0.6, connect_timeout_s=5.0)
            exit_code = await publish_feed(attrs.evolve(asked, **request), heard.terminal())
            nursery.cancel_scope.cancel()
        return exit_code

    return exit_code_of(main)


def test_what_came_stands_on_the_log(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The accounts are told from time to time, and at the end."""
    monkeypatch.setattr("cgrx._cli.commands.publish._STATUS_EVERY_S", 0.2)
    heard = Heard()
    assert published(heard, log.target) == Exit.DONE
    found = [record.signal for each in run_trio(log.records) for record in each]
    assert events(found) == EVENTS
    assert heard.has_said(f"publishing 1 channel to kafka {log.topic} at {log.broker.servers}")
    assert f"in {len(found)}, out {len(found)}, superseded 0, dropped 0, dead 0" in heard.last_words
    assert len([line for line in heard.said if "dropped 0" in line]) > 1


def test_what_is_given_up_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the brokers are away until the end, which does not wait for them for ever."""
    monkeypatch.setattr("cgrx._sinks.kafka.KAFKA_CONNECT_S", 0.05)
    monkeypatch.setattr("cgrx._delivery.options.DRAIN", "0s")
    heard = Heard()
    assert published(heard, NOWHERE, shard="1/1") == Exit.FAILED
    assert heard.has_said("left before they were delivered")


def test_a_share_that_is_empty_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._sinks.kafka.KAFKA_CONNECT_S", 0.05)
    monkeypatch.setattr("cgrx._delivery.options.DRAIN", "0s")
    heard = Heard()
    codes = {published(heard, NOWHERE, shard=f"{number}/2", seconds=0.1) for number in (1, 2)}
    assert heard.has_said("publishing 1 channel, of them the share 2/2, to kafka x at 127.0.0.1:1")
    assert Exit.DONE in codes


@pytest.mark.parametrize(
    ("request_", "exit_code", "message"),
    [
        ({"shard": "9/8"}, Exit.USAGE, "shard='9/8' cannot be read"),
        ({"to": target("redis://host/0")}, Exit.USAGE, "this is no target that records go to"),
        ({"dead_letters": Path("/none/such")}, Exit.USAGE, f"--to {NOWHERE}: [Errno 2]"),
    ],
)
def test_what_cannot_be_used(request_: dict[str, Any], exit_code: Exit, message: str) -> None:
    heard = Heard()
    assert published(heard, NOWHERE, **request_) == exit_code
    assert heard.has_said(message)


def test_what_the_brokers_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise SinkRefusedError("no such topic")

    monkeypatch.setattr(KafkaWriter, "open", refuse)
    heard = Heard()
    assert published(heard, NOWHERE) == Exit.REFUSED
    assert heard.has_said(f"--to {NOWHERE}: no such topic")


def test_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str) -> None:
        return None

    monkeypatch.setattr("cgrx._extras.find_spec", nothing)
    heard = Heard()
    assert published(heard, NOWHERE) == Exit.NO_EXTRA
    assert heard.has_said('pip install "cgrx[kafka]"')


def test_a_file_of_channels(tmp_path: Path) -> None:
    file = tmp_path / "channels.txt"
    file.write_text(
        "# the big ones\n\nliquidations   # of all exchanges\nfutures_trades@Binance_BTCUSDT@10000\n"
        "trades:binance:BTCUSDT:10000\ntrades:OKX:BTC-USDT-SWAP:1k\n"
    )
    assert channels_in(file) == (
        LiquidationOrders(),
        FuturesTrades("Binance", "BTCUSDT", 10_000),
        FuturesTrades("OKX", "BTC-USDT-SWAP", 1_000),
    )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "channels.txt"
    with pytest.raises(CommandError, match=r"channels\.txt cannot be read: .*No such file"):
        channels_in(file)
    file.write_text("liquidations\ntrades:OKX\n")
    with pytest.raises(CommandError, match=r"channels\.txt, line 2: 'OKX' is no instrument: .*; or its wire name"):
        channels_in(file)


def test_its_options_become_a_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Publish] = []

    async def remember(request: Publish, *_: object) -> int:
        await trio.lowlevel.checkpoint()
        asked.append(request)
        return 0

    monkeypatch.setattr("cgrx._cli.app.publish_feed", remember)
    file = tmp_path / "channels.txt"
    file.write_text("liquidations\n")
    options = ("--shard", "3/8", "--partition-by", "base_asset", "--spill", "waiting", "--seconds", "5")
    assert run(["publish", "trades:OKX:BTC-USDT-SWAP:1", "--channels", str(file), "--to", NOWHERE, *options]) == 0
    (request,) = asked
    assert request.channels == (FuturesTrades("OKX", "BTC-USDT-SWAP", 1), LiquidationOrders())
    assert (request.shard, request.partition_by, request.spill) == ("3/8", "base_asset", Path("waiting"))
    assert publish_command.__doc__


def test_nothing_to_publish(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["publish", "--to", NOWHERE]) == Exit.USAGE
    assert "there is nothing to publish: name channels, or give --channels FILE" in capsys.readouterr().err
