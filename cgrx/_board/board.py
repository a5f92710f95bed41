"""`board()`: a live page of what a feed sees, and what it does not see, in the same trio loop as the feed.

source ─► views (one pipeline for all) ─► audience (4 a second, once for each asset) ─► a seat for each browser
"""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module

import trio

from cgrx._board.audience import Audience
from cgrx._board.bounds import TOKEN
from cgrx._board.files import page_files
from cgrx._board.guard import Hosts, bracketed, is_loopback
from cgrx._board.options import BANDS, NO_ALERTS, AlertSource, BoardOptions, Instrument, board_options
from cgrx._board.watching import Source, watching
from cgrx._extras import require_extra
from cgrx._model.events import Liquidation
from cgrx._model.times import Duration, Moment
from cgrx._replay.playlist import Recordings
from cgrx._streams.stream import Stage
from cgrx._trio.entering import ToEnter
from cgrx._trio.ports import listen, require_port
from cgrx._trio.require import require_trio
from cgrx.operators._windows.cascades import Cascade


class Board:
    """What `board` gives.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with (
        ...     Simulator() as simulator,
        ...     cgrx.connect(url=simulator.url, api_key="made-up-key") as feed,
        ... ):
        ...     async with cgrx.board(feed) as page:
        ...         print(page.browsers)
        0
    """

    def __init__(self, host: str, port: int, token: str | None, audience: Audience) -> None:
        self._audience = audience
        self._token = token
        self.host = host
        """The address that it listens on."""
        self.port = port
        """The port that it listens on."""

    @property
    def url(self) -> str:
        """The address to open, with the token behind `#`, where browsers keep it to themselves."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{bracketed(host)}:{self.port}/" + (f"#token={self._token}" if self._token else "")

    @property
    def browsers(self) -> int:
        """How many look at it now."""
        return len(self._audience)

    def __repr__(self) -> str:
        return f"<Board on {bracketed(self.host)}:{self.port}, browsers: {self.browsers}>"


def board(
    source: Source,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    allow_hosts: Iterable[str] = (),
    window: Duration = "10s",
    keep: Duration = "1h",
    trades: Iterable[Instrument] | None = None,
    large_trade: float = 50_000.0,
    large_liquidation: float = 0.0,
    cascades: Stage[Liquidation, Cascade] = BANDS,
    alert_volume: float = 1_000_000.0,
    alert_silence: Duration = "1m",
    alerts: Mapping[str, AlertSource] = NO_ALERTS,
    history: Recordings | None = None,
    speed: float = 1.0,
    start: Moment | None = None,
    title: str = "cgrx",
    demo: bool = False,
) -> AbstractAsyncContextManager[Board]:
    """Show a feed, a replay or a recording as a live page: `async with cgrx.board(feed) as board: print(board.url)`.

    One pipeline serves all browsers, and they are told what is new four times a second at most. A browser that takes
    nothing in is left behind and gets a snapshot when it returns; it never holds the feed up. Needs the extra `board`.

    The page is answered under the names and addresses of this machine alone: a request for another `Host`, or from a
    page of another `Origin`, gets 421. Behind a proxy give the name that people open in `allow_hosts`.

    Args:
        source: a live feed; a replay, which can then be paused; or the folder of a recording, in which pages can go to
            any time.
        host: the address to listen on. Others than those of this machine itself demand a `token`.
        port: the port to listen on; 0 takes a free one.
        token: who opens the page must bring it; `url` holds it. At least 16 characters. None: everybody who can reach
            the port is shown the board.
        allow_hosts: more names that the board answers to, such as `"board.example"`.
        window: how long a window of the charts is.
        keep: for how long windows are kept; also how much of a recording is played before a time that is gone to.
        trades: whose trades are shown, as tuples of exchange, symbol and minimum volume in US dollars. By default those
            of a few large instruments, of a replay those that it holds. The price that is shown of an asset is that of
            its first instrument; volumes are those of all its instruments.
        large_trade: trades of at least this volume are on the tape, US dollars.
        large_liquidation: the same for liquidations.
        cascades: what a cascade is: an `ops.cascades(...)` by its default key.
        alert_volume: an alert where as much of one side of one asset is liquidated within a window, US dollars;
            `math.inf` for none.
        alert_silence: how long that rule, and that of cascades, is silent about an asset behind an alert.
        alerts: rules of your own by name. A stage is a pipeline over the liquidations; a stream is one of the same
            feed; a function gets the feed and gives a stream. Each item of these is an alert, with the text that
            `sinks.message` gives for it.
        history: a recording beside a live feed, as of `cgrx.replay`: its folder, or several; a board begins with the
            last `keep` of it.
        speed: how fast a recording is played that the board opens itself; `math.inf`: as fast as the pipeline.
        start: where such a recording is begun, by default at its start.
        title: what stands above the page.
        demo: say on the page that the feed is that of a simulator.

    Returns:
        A context manager that gives the `Board`, which listens from entering to leaving.

    Raises:
        ValueError: an argument out of range; a `host` that others reach, without a `token`.
        TypeError: an argument of another type.
        OSError: on entering: the port cannot be listened on.
        ImportError: the extra `board` is not installed.
        NotInTrioError: called outside trio.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with (
        ...     Simulator() as simulator,
        ...     cgrx.connect(url=simulator.url, api_key="made-up-key") as feed,
        ... ):
        ...     async with cgrx.board(feed) as page:
        ...         print(page.url)
        http://127.0.0.1:.../
    """
    require_trio("board()")
    require_extra("board()", "board")
    require_port(port)
    if token is None and not is_loopback(host):
        raise ValueError(
            f"host={host!r} is reached by others than this machine, and demands a token: token=, or on a command line"
            " --token new"
        )
    if token is not None and (len(token) < TOKEN or not _is_plain(token)):
        raise ValueError(
            f"token takes at least {TOKEN} letters, digits, '-' and '_', not these {len(token)} characters"
        )
    options = board_options(
        window=window,
        keep=keep,
        trades=trades,
        large_trade=large_trade,
        large_liquidation=large_liquidation,
        cascades=cascades,
        alert_volume=alert_volume,
        alert_silence=alert_silence,
        alerts=alerts,
        history=history,
        speed=speed,
        start=start,
        title=title,
        demo=demo,
    )
    names = tuple(allow_hosts)
    Hosts(host, port, names)  # so that a wrong name is told here
    return ToEnter(_showing(source, options, host, port, token, names), "cgrx.board()", "board")


@asynccontextmanager
async def _showing(
    source: Source, options: BoardOptions, host: str, port: int, token: str | None, names: tuple[str, ...]
) -> AsyncGenerator[Board, None]:
    await trio.to_thread.run_sync(_load)  # where the feed does not wait for it
    from cgrx._board.listening import listening
    from cgrx._board.site import site

    async with AsyncExitStack() as stack:
        listeners = await listen(port, host)
        for listener in listeners:
            stack.push_async_callback(listener.aclose)
        bound = listeners[0].socket.getsockname()[1]
        audience = Audience(await stack.enter_async_context(watching(source, options)))
        app = site(audience, Hosts(host, bound, names), token)
        await stack.enter_async_context(listening(app, listeners, audience))
        yield Board(host, bound, token, audience)


def _load() -> None:
    """Import the web server and the application, and read the page: seventy milliseconds, the first time."""
    for module in ("listening", "site"):
        import_module(f"cgrx._board.{module}")
    page_files()


def _is_plain(token: str) -> bool:
    """Whether it can stand in a URL as it is."""
    return token.isascii() and token.replace("-", "").replace("_", "").isalnum()
