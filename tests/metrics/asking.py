"""What the tests of metrics share: a client that knows no more of HTTP than they need."""

import trio

import cgrx.metrics


async def ask(server: cgrx.metrics.Server, path: str, **headers: str) -> tuple[int, str]:
    """The status and the body that a GET is answered with."""
    lines = [f"GET {path} HTTP/1.1", "Host: here", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return answered(await said(server, "\r\n".join(lines).encode()))


async def said(server: cgrx.metrics.Server, request: bytes) -> bytes:
    """All that comes back for these bytes."""
    async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
        await stream.send_all(request)
        return b"".join([bytes(part) async for part in stream])


def answered(text: bytes) -> tuple[int, str]:
    """The status and the body of an answer."""
    head, _, body = text.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()
