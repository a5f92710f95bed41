"""The ports of this machine that others listen on: which numbers are one, and one for all addresses of a name."""

import trio


def require_port(port: object) -> None:
    """Raise `ValueError` where this is no port, nor 0 for a free one."""
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65_535:
        raise ValueError(f"port={port!r} takes a port from 1 to 65535, or 0 for a free one")


async def listen(port: int, host: str | None) -> list[trio.SocketListener]:
    """Listen on all addresses of a host, such as both of `localhost`, and on the same port of each.

    Args:
        port: 0 for one that is free, which the system would choose anew for each address.
        host: a name or an address; None for every address of the machine.

    Raises:
        OSError: the port cannot be listened on.
    """
    listeners = await trio.open_tcp_listeners(port, host=host)
    chosen, *others = [listener.socket.getsockname()[1] for listener in listeners]
    if all(other == chosen for other in others):
        return listeners
    for listener in listeners:
        await listener.aclose()
    return await listen(chosen, host)
