"""How connections end: by the server, by the wire, by us; and what the body of `open_transport` may raise meanwhile."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio
import trio.testing

from cgrx._model.errors import DisconnectedError
from cgrx._wire.transport import DEFAULT_LIMITS, Limits, Transport, open_transport
from tests.support import run, run_mock
from tests.wire.wires import (
    CLOSE,
    CONTINUATION,
    MEMORY,
    PING,
    PONG,
    TEXT,
    ScriptedServer,
    Story,
    accept_head,
    client_frames,
    close_frame,
    frame,
    hold,
    idle,
    listen,
    memory_dial,
    raw_server,
    read_request,
    tell,
)

both_paths = pytest.mark.parametrize("plain", [False, True], ids=["tap", "plain"])


@both_paths
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (frame(TEXT, b"a") + close_frame(1000), Story([b"a"], 1000, "")),
        (close_frame(1001, b"away"), Story([], 1001, "away")),
        (close_frame(1008, b"bad key SECRET55"), Story([], 1008, "bad key ***")),
        (close_frame(1011) + frame(TEXT, b"late"), Story([], 1011, "")),
        (frame(TEXT, b"a") + frame(TEXT, b"b") + close_frame(1012), Story([b"a", b"b"], 1012, "")),
        (close_frame(None), Story([], 1005, "")),
        (frame(TEXT, b"a") + frame(TEXT, masked=True), Story([b"a"], 1002, "client received unexpected masked frame")),
    ],
    ids=["1000", "1001", "1008", "1011", "1012", "no code", "protocol error"],
)
def test_the_server_ends_it(data: bytes, expected: Story, *, plain: bool) -> None:
    """The code and the text of its close frame, without the key, after all messages before it."""
    assert run_mock(partial(tell, plain=plain), ScriptedServer(data)) == expected


@both_paths
@pytest.mark.parametrize(
    "rest", [b"", b"\x81", b"\x81\x05hel", b"\x01\x02ab", b"\x89\x05", frame(TEXT, b"1", fin=False)]
)
def test_an_abrupt_end(rest: bytes, *, plain: bool) -> None:
    """Between frames or within one, or within a message: 1006, and what was whole is delivered."""
    ended = run_mock(partial(tell, plain=plain), ScriptedServer(frame(TEXT, b"a") + rest))
    assert ended == Story([b"a"], 1006, "the peer ended the connection without a close frame")
    reset = run_mock(partial(tell, plain=plain), ScriptedServer(frame(TEXT, b"a") + rest, end="reset"))
    assert reset == Story([b"a"], 1006, "the connection broke")


def test_a_dropped_socket() -> None:
    """The same over a real one: the server resets it within a frame."""

    async def serve(stream: trio.SocketStream) -> None:
        await stream.send_all(accept_head(await read_request(stream)) + frame(TEXT, b"a") + b"\x81\x05hel")
        # Close with a reset instead of an end.
        stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    async def main() -> None:
        async with raw_server(serve) as port:
            address = MEMORY.__class__("127.0.0.1", port, tls=False, resource="/")
            async with open_transport(address) as transport:
                story = await listen(transport)
        assert (story.messages, story.code) == ([b"a"], 1006)

    run(main)


async def with_server(
    serve: Callable[[trio.abc.Stream], Awaitable[None]],
    use: Callable[[Transport], Awaitable[None]],
    limits: Limits = DEFAULT_LIMITS,
    *,
    plain: bool = False,
) -> None:
    """Use a connection to a server in memory that has answered the handshake; wait until the server has ended."""

    async def answer(stream: trio.abc.Stream) -> None:
        await stream.send_all(accept_head(await read_request(stream)))
        await serve(stream)
        await hold(stream)
        await stream.aclose()

    async with (
        trio.open_nursery() as nursery,
        open_transport(MEMORY, dial=memory_dial(answer, nursery), limits=limits, plain=plain) as transport,
    ):
        await use(transport)


@both_paths
def test_we_end_it(*, plain: bool) -> None:
    """With a close frame, and the server's own is waited for; pings and messages meanwhile do not disturb."""
    got: list[tuple[int, bytes]] = []

    async def serve(stream: trio.abc.Stream) -> None:
        got.extend(client_frames(bytes(await stream.receive_some())))
        if not plain:
            await stream.send_all(frame(PING, b"?") + frame(TEXT, b"late") + frame(TEXT, bytes(200)))
        await trio.sleep(1)
        await stream.send_all(close_frame(1000))

    async def main() -> None:
        started = trio.current_time()
        await with_server(serve, idle, plain=plain)
        assert trio.current_time() - started == 1

    run_mock(main)
    assert got == [(CLOSE, (1000).to_bytes(2, "big"))]


@both_paths
def test_a_close_that_is_never_answered(*, plain: bool) -> None:
    """It is given `close_s`, also while the server floods us, then the socket is closed."""

    async def serve(stream: trio.abc.Stream) -> None:
        try:
            while True:
                await stream.send_all(frame(TEXT, bytes(100)) * 10)
                await trio.sleep(0.1)
        except trio.BrokenResourceError:
            pass

    async def main() -> None:
        started = trio.current_time()
        await with_server(serve, idle, Limits(close_s=2), plain=plain)
        assert 2 <= trio.current_time() - started < 2.2

    run_mock(main)


def test_a_ping_that_crosses_our_close() -> None:
    """wsproto forbids the pong, which makes trio-websocket's reader fail: the connection is closed then, no more.

    The two pings are read at once, and our close frame goes out while the first pong does.
    """

    async def main() -> None:
        server = ScriptedServer(frame(PING, b"1") + frame(PING, b"2") + frame(PING, b"3"), end="silence")
        started = trio.current_time()
        async with open_transport(MEMORY, dial=server.dial):
            while not server.answers:
                await trio.lowlevel.checkpoint()
        assert trio.current_time() == started
        assert server.closed

    run_mock(main)


@both_paths
@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("mine"), ExceptionGroup("mine", [OSError()]), StopAsyncIteration("mine"), KeyboardInterrupt()],
)
def test_what_the_body_raises_passes_unchanged(error: BaseException, *, plain: bool) -> None:
    """The very object, with nothing behind it; the closing handshake is done all the same."""
    got: list[tuple[int, bytes]] = []
    caught: list[BaseException] = []

    async def serve(stream: trio.abc.Stream) -> None:
        await stream.send_all(accept_head(await read_request(stream)))
        got.extend(client_frames(bytes(await stream.receive_some())))
        await stream.send_all(close_frame(1000))
        await hold(stream)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            try:
                async with open_transport(MEMORY, dial=memory_dial(serve, nursery), plain=plain):
                    raise error
            except BaseException as raised:  # noqa: BLE001  # it is to be compared, whatever it is
                caught.append(raised)

    run_mock(main)
    assert caught == [error]
    assert caught[0] is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert got == [(CLOSE, (1000).to_bytes(2, "big"))]


def test_the_body_may_cancel_what_is_around_it() -> None:
    """Cancellation from outside leaves as one plain `Cancelled`, and closes without a handshake."""

    async def main() -> None:
        server = ScriptedServer(end="silence")
        started = trio.current_time()
        left_plain = False
        with trio.CancelScope() as scope:
            try:
                async with open_transport(MEMORY, dial=server.dial) as transport:
                    scope.cancel()
                    await transport.receive()
            except trio.Cancelled:
                left_plain = True
                raise
        assert left_plain
        assert scope.cancelled_caught
        assert trio.current_time() == started
        assert server.closed
        assert server.answers == []

    run_mock(main)


def test_a_bug_in_the_reader_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """What trio-websocket raises for no fault of the server's comes out plain, in place of the body's `Cancelled`."""
    bug = ZeroDivisionError("a bug")

    async def fail(self: object, event: object) -> None:
        raise bug

    monkeypatch.setattr("trio_websocket.WebSocketConnection._handle_ping_event", fail)

    async def main() -> None:
        server = ScriptedServer(frame(PING), end="silence")
        with pytest.raises(ZeroDivisionError) as caught:
            async with open_transport(MEMORY, dial=server.dial):
                await trio.sleep_forever()
        assert caught.value is bug
        assert server.closed

    run_mock(main)


def test_pings_are_answered_while_nobody_receives() -> None:
    """By trio-websocket's reader, with their payload, also from between fragments."""

    async def main() -> None:
        data = frame(TEXT, b"a") + frame(PING, b"1") + frame(TEXT, b"b", fin=False) + frame(PING, b"2")
        server = ScriptedServer(data + frame(CONTINUATION, b"c"), end="silence")
        async with open_transport(MEMORY, dial=server.dial) as transport:
            await trio.testing.wait_all_tasks_blocked()
            assert server.answers == [(PONG, b"1"), (PONG, b"2")]
            assert (await transport.receive()).payloads == (b"a", b"bc")

    run_mock(main)


class Stuck(ScriptedServer):
    """A half-open peer: after the handshake it takes nothing and says nothing; it counts what it was given."""

    stuck = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self.stuck:
            self.sent += bytes(data)[:3]
            await trio.sleep_forever()
        await super().send_all(data)


@both_paths
def test_a_half_open_peer(*, plain: bool) -> None:
    """A message that does not leave within `send_s` ends the connection, for the sender and for the receiver."""

    async def main() -> None:
        server = Stuck(frame(TEXT, b"a"), end="silence")
        async with open_transport(MEMORY, dial=server.dial, limits=Limits(send_s=5), plain=plain) as transport:
            assert (await transport.receive()).payloads == (b"a",)
            server.stuck = True
            started = trio.current_time()
            async with trio.open_nursery() as nursery:
                stories: list[Story] = []

                async def receive() -> None:
                    stories.append(await listen(transport))

                nursery.start_soon(receive)
                with pytest.raises(DisconnectedError) as caught:
                    await transport.send("x" * 50)
            assert trio.current_time() - started == 5
            assert stories == [Story([], 1006, "the peer took nothing for 5 s")]
            assert (caught.value.code, caught.value.reason) == (1006, "the peer took nothing for 5 s")
            assert transport.closed
            with pytest.raises(DisconnectedError):
                await transport.send("more")
        assert trio.current_time() - started == 5
        # Half a frame has left: nothing intelligible could follow, so nothing did.
        assert server.closed
        assert len(server.sent.partition(b"\r\n\r\n")[2]) == 3

    run_mock(main)


def test_a_send_that_is_cancelled() -> None:
    """Half a frame may have left: the connection is given up."""

    async def main() -> None:
        server = Stuck(end="silence")
        async with open_transport(MEMORY, dial=server.dial) as transport:
            server.stuck = True
            with trio.move_on_after(1) as scope:
                await transport.send("x" * 50)
            assert scope.cancelled_caught
            assert await listen(transport) == Story([], 1006, "a send failed")
        assert len(server.sent.partition(b"\r\n\r\n")[2]) == 3

    run_mock(main)


def test_a_send_that_is_cancelled_before_it_begins() -> None:
    """Then nothing has left, and the connection lives."""

    async def main() -> None:
        server = ScriptedServer(frame(TEXT, b"a"), end="silence")
        async with open_transport(MEMORY, dial=server.dial) as transport:
            with trio.CancelScope() as scope:
                scope.cancel()
                await transport.send("never")
            assert not transport.closed
            await transport.send("now")
            assert (await transport.receive()).payloads == (b"a",)
        assert server.answers[0] == (TEXT, b"now")

    run_mock(main)


class Deaf(ScriptedServer):
    """Its side of the connection breaks as soon as it is sent something after the handshake."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self.sent:
            raise trio.BrokenResourceError
        await super().send_all(data)


@both_paths
def test_a_send_that_fails(*, plain: bool) -> None:
    """What has been received is still delivered, then the ending."""

    async def main() -> None:
        server = Deaf(frame(TEXT, b"a"), end="silence")
        async with open_transport(MEMORY, dial=server.dial, plain=plain) as transport:
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(DisconnectedError, match="1006: a send failed"):
                await transport.send("x")
            assert await listen(transport) == Story([b"a"], 1006, "a send failed")
        assert server.closed

    run_mock(main)


@both_paths
def test_a_pong_that_fails(*, plain: bool) -> None:
    """The reader's own sends end the connection likewise, and wake who receives."""
    server = Deaf(frame(TEXT, b"a") + frame(PING), end="silence")
    assert run_mock(partial(tell, plain=plain), server) == Story([b"a"], 1006, "a send failed")
