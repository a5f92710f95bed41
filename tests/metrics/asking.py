"""What the tests of metrics share: a client that knows no more of HTTP than they need."""

import trio


async def ask(port: int, path: str, **headers: str) -> tuple[int, str]:
    """The status and the body that a GET is answered with."""
    lines = [f"GET {path} HTTP/1.1", "Host: here", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return answered(await said(port, "\r\n".join(lines).encode()))


async def said(port: int, request: bytes) -> bytes:
    """All that comes back for these bytes."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(request)
        return b"".join([bytes(part) async for part in stream])


def answered(text: bytes) -> tuple[int, str]:
    """The status and the body of an answer."""
    head, _, body = text.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


async def wait_answered(port: int, path: str, *texts: str) -> str:
    """Ask until the answer holds all these texts, and return it."""
    while True:
        _, body = await ask(port, path)
        if all(text in body for text in texts):
            return body
        await trio.sleep(0.01)
