"""What browsers are told, and what becomes of those that are slow, silent, rude or too many."""

import logging
import socket
from collections.abc import Collection, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed

import cgrx
from cgrx._board import audience, conversation, line, listening
from cgrx._board.bounds import HELLO_S, MESSAGES_A_SECOND, SILENCE_S
from cgrx._board.messages import Update
from cgrx._board.views import Views
from cgrx.testing import Generator
from tests.board.boards import CHANNELS, begun, said
from tests.board.serving import RATE, Served, Shown, ended, shown, until, upgrade
from tests.feed.feeding import START_MS
from tests.replay.replaying import Log
from tests.simulator.simulating import liquidation
from tests.support import run, run_fast


def test_a_snapshot_then_what_is_new() -> None:
    """Four times a second at most while something comes, once a second at least while nothing does."""

    async def main() -> None:
        async with shown() as there:
            async with there.browser() as browser:
                assert (await browser.hear())["kind"] == "snapshot"
                await there.simulator.wait_subscribed("liquidationOrders")
                while (await browser.hear("update"))["windows"]:
                    pass  # the connection has given no proof yet
                quiet = [await browser.hear("update") for _ in range(3)]
                assert quiet[-1]["at"] - quiet[0]["at"] >= 1_500
                began = trio.current_time()
                for number in range(1, 9):
                    await there.simulator.send(liquidation(number))
                    await trio.sleep(0.125)
                ids: list[int] = []
                heard = 0
                while len(ids) < 8:
                    ids += [each["id"] for each in (await browser.hear("update"))["tape"]]
                    heard += 1
                assert ids == list(range(1, 9))
                assert heard <= 1 + (trio.current_time() - began) / 0.25
                assert there.board.browsers == 1
            await until(lambda: there.board.browsers == 0)

    run_fast(RATE, main)


def test_another_asset_is_another_snapshot() -> None:
    async def main() -> None:
        async with shown() as there, there.browser({"asset": "ETH"}) as browser, there.browser() as other:
            assert (await browser.hear("snapshot"))["asset"] == "ETH"
            await browser.say(kind="pick", asset="BTC")
            assert (await browser.hear("snapshot"))["asset"] == "BTC"
            await there.simulator.wait_subscribed("liquidationOrders")
            await there.simulator.send(liquidation(1))
            for each in (browser, other):
                while not (update := await each.hear("update"))["tape"]:
                    pass
                assert update["tape"][0]["asset"] == "BTC"

    run_fast(RATE, main)


def test_what_cannot_be_is_said_in_words() -> None:
    """To the browser that has asked."""

    async def main() -> None:
        async with shown() as there, there.browser() as browser:
            await browser.say(kind="play", paused=True)
            assert "cannot be paused" in (await browser.hear("refused"))["text"]

    run_fast(RATE, main)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "no message of this protocol: "),
        (b"\x00", "no message of this protocol: "),
        ("[]", "no message of this protocol: Expected `object`, got `array`"),
        ('{"kind":"nonsense"}', "no message of this protocol: Invalid value 'nonsense'"),
        ('{"kind":"pick","asset":7}', "no message of this protocol: Expected `str | null`, got `int`"),
        ('{"kind":"play","speed":"fast"}', "no message of this protocol: "),
    ],
)
def test_a_wrong_message_ends_the_conversation(message: str | bytes, reason: str) -> None:
    async def main() -> None:
        async with shown() as there, there.browser() as browser:
            await browser.socket.send_message(message)
            code, said = await browser.closed()
            assert (code, said[: len(reason)]) == (1008, reason)

    run_fast(RATE, main)


def test_a_long_message_ends_it() -> None:
    async def main() -> None:
        async with shown() as there, there.browser() as browser:
            await browser.say(kind="pick", asset="x" * 5_000)
            assert (await browser.closed())[0] == 1009

    run_fast(RATE, main)


def test_more_messages_than_people_make_end_it() -> None:
    async def main() -> None:
        async with shown() as there, there.browser() as browser:
            for _ in range(MESSAGES_A_SECOND):
                await browser.say(kind="seen")
            assert await browser.closed() == (1008, f"more than {MESSAGES_A_SECOND} messages in a second")

    run(main)


def test_another_version_is_told_to_load_the_page_anew() -> None:
    async def main() -> None:
        async with shown() as there, there.browser({"version": 0}) as browser:
            code, reason = await browser.closed()
            assert (code, reason[-18:]) == (1008, "load the page anew")

    run_fast(RATE, main)


@pytest.mark.parametrize(
    ("hello", "reason"), [({"kind": "hello"}, "no Seen within 45 s"), (None, "no Hello within 5 s")]
)
def test_who_says_nothing_is_gone(hello: dict[str, Any] | None, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "HELLO_S", HELLO_S)
    monkeypatch.setattr(conversation, "SILENCE_S", SILENCE_S)

    async def main() -> None:
        async with shown() as there, there.conversation(hello) as browser:
            began = trio.current_time()
            assert await browser.closed() == (1013, reason)
            assert trio.current_time() - began >= (HELLO_S if hello is None else SILENCE_S) - 1

    run_fast(20, main)


def test_more_browsers_than_seats_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "SEATS", 1)

    async def main() -> None:
        async with shown() as there, there.browser() as one:
            await one.hear()
            async with there.browser() as other:
                code, reason = await other.closed()
                assert (code, reason[-15:]) == (1013, "try again later")

    run_fast(RATE, main)


def test_more_connections_than_are_taken_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "CONNECTIONS", 2)

    async def main() -> None:
        async with shown() as there, there.browser() as one, there.browser() as two:
            await one.hear()
            await two.hear()
            async with await trio.open_tcp_stream("127.0.0.1", there.board.port) as third:
                assert await ended(third)

    run_fast(RATE, main)


@pytest.mark.thorough  # it takes seconds
def test_a_hundred_browsers_and_one_that_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left behind; the others and the feed go on; and it has a snapshot when it returns."""
    monkeypatch.setattr(line, "SEND_S", 15.0)
    much = "x" * 100_000  # so that sockets fill up soon

    async def main() -> None:
        async with shown(title=much) as there, trio.open_nursery() as nursery:
            heard = [0] * 99

            async def look(number: int) -> None:
                async with there.browser() as browser:
                    while True:
                        await browser.hear("update")
                        heard[number] += 1

            for number in range(99):
                nursery.start_soon(look, number)
            await until(lambda: there.board.browsers == 99)
            stuck = await trio.open_tcp_stream("127.0.0.1", there.board.port)
            stuck.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            async with trio.open_nursery() as held:
                browser = await there.greeted(held, stuck)
                await until(lambda: there.board.browsers == 100)
                with suppress(ConnectionClosed):
                    for _ in range(60):  # snapshots that it does not read
                        await browser.say(kind="pick", asset=None)
                        await trio.sleep(0.1)
                await until(lambda: there.board.browsers == 99)
                held.cancel_scope.cancel()
            await trio.aclose_forcefully(stuck)
            before = sum(heard)
            await until(lambda: sum(heard) > before + 99)
            assert min(heard) > 0
            assert there.feed.state is cgrx.State.CONNECTED
            async with there.browser() as again:
                assert (await again.hear())["kind"] == "snapshot"
            nursery.cancel_scope.cancel()

    run_fast(RATE, main)


def test_who_is_too_slow_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind what its socket has taken, where that takes the sentence at last."""
    monkeypatch.setattr(audience, "BEHIND", 1)  # a snapshot
    monkeypatch.setattr(line, "SEND_S", 100.0)

    async def main() -> None:
        async with shown(title="x" * 500_000) as there, there.browser() as browser:
            await until(lambda: there.board.browsers)
            while there.board.browsers:  # it hears nothing
                await browser.say(kind="pick", asset=None)
                await trio.sleep(0.1)
            assert await browser.closed() == (1013, "too slow: what was missed is in the snapshot that follows")

    run_fast(RATE, main)


def test_a_jump_in_a_recording_is_a_snapshot_for_all() -> None:
    events = list(islice(Generator(seed=3, start_ms=START_MS), 2_000))

    async def main() -> None:
        async with cgrx.board(Log([*begun(*CHANNELS), *said(events)]), speed=1.0) as board:
            there = Served(board)
            async with there.browser() as browser, there.browser() as other:
                first = await browser.hear("snapshot")
                await other.hear("snapshot")
                await browser.say(kind="play", time=first["replay"]["start"] + 5_000)
                for each in (browser, other):
                    assert (await each.hear("snapshot"))["at"] >= first["replay"]["start"] + 5_000

    run_fast(RATE, main)


def test_behind_the_body_browsers_are_told_and_nothing_is_left() -> None:
    """In bounded time, also where one takes nothing in."""

    async def main() -> None:
        before = trio.lowlevel.current_statistics().tasks_living
        async with trio.open_nursery() as nursery:
            said: list[tuple[int, str]] = []
            left = trio.Event()

            async def look(there: Shown) -> None:
                async with there.browser() as browser:
                    said.append(await browser.closed())

            async def serve() -> None:
                async with shown() as there:
                    nursery.start_soon(look, there)
                    await until(lambda: there.board.browsers == 1)
                    half = await trio.open_tcp_stream("127.0.0.1", there.board.port)
                    await half.send_all(upgrade(there))  # and no Hello, nor an answer to the close
                    await trio.sleep(0.5)
                    began = trio.current_time()
                assert trio.current_time() - began < 5
                assert await ended(half)
                await half.aclose()
                left.set()

            nursery.start_soon(serve)
            await left.wait()
        assert said == [(1001, "the board has ended")]
        assert trio.lowlevel.current_statistics().tasks_living == before

    run_fast(RATE, main)


def test_an_error_of_the_body_is_its_own() -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError, match="the body's own"):
            async with shown():
                raise ZeroDivisionError("the body's own")

    run_fast(RATE, main)


def test_a_fault_of_the_board_does_not_end_the_feed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the next tick may be well."""
    faults = [ZeroDivisionError("a fault of ours")]
    changes = Views.changes

    def faulty(views: Views, assets: Collection[str | None]) -> Mapping[str | None, Update]:
        if assets and faults:
            raise faults.pop()
        return changes(views, assets)

    monkeypatch.setattr(Views, "changes", faulty)

    async def main() -> None:
        async with shown() as there, there.browser() as browser:
            await browser.hear("update")
            assert there.feed.state is cgrx.State.CONNECTED

    with caplog.at_level(logging.ERROR):
        run_fast(RATE, main)
    assert [record.getMessage() for record in caplog.records] == ["the board could not be brought up to date"]


def test_a_fault_of_one_connection_does_not_end_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with shown() as there, there.browser() as browser:
            await browser.hear()
            monkeypatch.setattr(listening, "Server", None)
            async with await trio.open_tcp_stream("127.0.0.1", there.board.port) as stream:
                assert await ended(stream)
            await browser.hear("update")

    with caplog.at_level(logging.ERROR):
        run_fast(RATE, main)
    assert [record.getMessage() for record in caplog.records] == ["a connection of the board has failed"]
