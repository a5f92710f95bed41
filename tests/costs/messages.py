"""What a server's bytes cost: frames, messages of each kind, names, and floods of them on one connection."""

import json
from collections.abc import Callable

from trio.testing import wait_all_tasks_blocked

from cgrx._feed.names import Names
from cgrx._model.channels import FuturesTrades
from cgrx._wire.codec import decode, encode_frame
from cgrx._wire.frames import FrameParser
from cgrx._wire.handshake import AnswerHead
from cgrx._wire.messages import Notice
from cgrx._wire.secret import Secret, Texts
from tests.costs.counting import Input, instructions, work
from tests.feed.feeding import KEY
from tests.feed.sessions import bench, frame
from tests.simulator.simulating import liquidation
from tests.support import run_mock
from tests.wire import wires

# Bytes


def _parsed(data: Callable[[int], bytes], piece: int = 2**30) -> Callable[[int], int]:
    """The cost of cutting messages out of these bytes, read in pieces."""

    def cost(size: int) -> int:
        parser, sent = FrameParser(2**20), data(size)
        return instructions(lambda: [parser.feed(sent[at : at + piece]) for at in range(0, len(sent), piece)])

    return cost


def _answered(head: Callable[[int], bytes], piece: int = 2**30) -> Callable[[int], int]:
    """The cost of reading the answer to a handshake, in pieces."""

    def cost(size: int) -> int:
        answer, sent = AnswerHead(), head(size)
        return instructions(lambda: [answer.feed(sent[at : at + piece]) for at in range(0, len(sent), piece)])

    return cost


BYTES = (
    Input("frames of text", _parsed(lambda size: wires.frame(wires.TEXT, b"{}") * size), 500),
    Input("empty frames", _parsed(lambda size: wires.frame(wires.BINARY) * size), 500),
    Input("pings", _parsed(lambda size: wires.frame(wires.PING, b"x") * size), 500),
    Input("fragments", _parsed(lambda size: wires.frame(1, fin=False) + wires.frame(0, b"x", fin=False) * size), 500),
    Input("a long frame in small reads", _parsed(lambda size: wires.frame(1, b"x" * size), piece=100), 70_000),
    Input("frames in small reads", _parsed(lambda size: wires.frame(1, b"x" * 50) * size, piece=7), 200),
    Input("informational answers", _answered(lambda size: b"HTTP/1.1 100 \n\n" * size), 500),
    Input("a long head in small reads", _answered(lambda size: b"HTTP/1.1 101 " + b"x" * size, piece=10), 2_000),
)


# Messages


def _decoded(text: Callable[[int], str]) -> Callable[[int], int]:
    """The cost of decoding one message, and of reading it as a plan notice."""

    def cost(size: int) -> int:
        payload = text(size).encode()

        def read() -> None:
            message = decode(payload)
            if isinstance(message, Notice):
                assert message.plan_channel != ""

        return work(read)

    return cost


def _with(**fields: str) -> str:
    """A frame of one liquidation; `fields` are JSON texts that replace its own."""
    (event,) = json.loads(frame(1))["data"]
    listed = {name: json.dumps(value) for name, value in event.items()} | fields
    inner = ",".join(f'"{name}":{value}' for name, value in listed.items())
    return f'{{"channel":"liquidationOrders","data":[{{{inner}}}]}}'


def _redacted(size: int) -> int:
    """The cost of hiding the key, and parts of it, in a text."""
    said = (KEY[:7] + "-" + KEY) * size
    return work(lambda: Secret([KEY]).redact(said))


MESSAGES = (
    Input("events", _decoded(lambda size: frame(*range(size)).decode()), 200),
    Input("events that are malformed", _decoded(lambda size: frame(*range(size)).decode().replace("60000", "-1")), 100),
    Input("exchanges", _decoded(lambda size: _named(size).decode()), 100),
    Input("digits of a number", _decoded(lambda size: _with(price="1" * size)), 20_000),
    Input("digits of a text", _decoded(lambda size: _with(price=f'"{"1" * size}x"')), 20_000),
    Input("a symbol", _decoded(lambda size: _with(symbol=f'"{"x" * size}"', price="0")), 20_000),
    Input("a channel", _decoded(lambda size: f'{{"channel":"futures_trades@{"_@" * size}","data":[]}}'), 20_000),
    Input("depth", _decoded(lambda size: "[" * size + "]" * size), 20_000),
    Input("unknown keys", _decoded(lambda size: json.dumps({f"k{n}": n for n in range(size)})), 2_000),
    Input("no JSON", _decoded(lambda size: "{" + "x" * size), 20_000),
    Input("a notice", _decoded(lambda size: "word " * size), 5_000),
    Input("a notice like a plan's", _decoded(lambda size: "x needs upgrade " * size), 5_000),
    Input("spaces like a plan's", _decoded(lambda size: "x need" + " " * size + "upgrade plan"), 20_000),
    Input("the key in a text", _redacted, 200),
)


def _named(size: int) -> bytes:
    return encode_frame("liquidationOrders", [liquidation(0, exchange=f"E{number}") for number in range(size)])


# Floods on a connection


def _flood(message: Callable[[int], bytes], *, subscribed: bool = False) -> Callable[[int], int]:
    """The cost of so many messages of one read; with `subscribed`, while as many channels are subscribed to."""

    def cost(size: int) -> int:
        async def main() -> None:
            async with bench() as b:
                b.join()
                for number in range(size if subscribed else 0):
                    b.join(FuturesTrades("Binance", f"A{number}USDT", 0))
                b.transport.push(b"pong")
                await wait_all_tasks_blocked()
                b.transport.push(*map(message, range(size)))
                await wait_all_tasks_blocked()
                assert b.tally.messages == size + 1
                assert not b.ended

        return instructions(lambda: run_mock(main))

    return cost


def _subscribed(size: int) -> int:
    """The cost of subscribing to so many channels, and of their proof."""

    async def main() -> None:
        async with bench() as b:
            for number in range(size):
                b.join(FuturesTrades("Binance", f"A{number}USDT", 0))
            await wait_all_tasks_blocked()
            b.transport.push(b"pong", b"pong")
            await wait_all_tasks_blocked()
            assert len(b.hub.desired) == size

    return instructions(lambda: run_mock(main))


def _found(size: int) -> int:
    """The cost of finding so many names, known ones and others, while as many channels are subscribed to."""
    names = Names([FuturesTrades("Binance", f"A{number}USDT", 0) for number in range(size)])

    def find() -> None:
        for number in range(size):
            names.find(f"futures_trades@Nobody_X{number}@0")
            names.find(f"futures_trades@binance_a{number}usdt@0.0")
            names.in_plan_notice(f"futures_trades@OKX_X{number}")

    return instructions(find)


def _events_of(size: int) -> int:
    """The cost of looking for the key in texts that are all new."""
    texts = Texts(Secret([KEY]))
    events = [liquidation(0, exchange=f"Exchange {number}") for number in range(size)]
    return work(lambda: list(map(texts.cleaned, events)))


FLOODS = (
    Input("frames", _flood(frame), 150),
    Input("empty messages", _flood(lambda _: b""), 150),
    Input("pongs", _flood(lambda _: b"pong"), 150),
    Input("pongs, with many subscriptions", _flood(lambda _: b"pong", subscribed=True), 200),
    Input("notices", _flood(lambda _: b"what?"), 150),
    Input("plan notices", _flood(lambda _: b"x need upgrade plan"), 150),
    Input("messages that are no JSON", _flood(lambda _: b"{"), 150),
    Input("messages with the key", _flood(lambda _: b"{" + KEY.encode()), 50),
    Input("frames without data", _flood(lambda _: b'{"channel":"liquidationOrders"}'), 150),
    Input("unknown channels", _flood(lambda number: b'{"channel":"c%d","data":[]}' % number), 150),
    Input(
        "unclaimed channels, with many subscriptions",
        _flood(lambda number: encode_frame(f"futures_trades@X_{number}@0", []), subscribed=True),
        150,
    ),
    Input("subscriptions", _subscribed, 100),
    Input("names of channels, with many subscriptions", _found, 500),
    Input("names of exchanges", _events_of, 200),
)

INPUTS = (*BYTES, *MESSAGES, *FLOODS)
