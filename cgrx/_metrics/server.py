"""`serve()`: what Prometheus scrapes and what a supervisor probes, over HTTP, in the same trio loop as the feed.

/metrics    the registry, in the text format of Prometheus or as OpenMetrics, as the client asks
/healthz    200 as long as the loop comes round within five seconds. One that hangs answers nothing at all: then the
            probe's own time-out is what tells
/readyz     200 where the feed is connected and was proven alive lately, else 503; the reason in words
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import trio

from cgrx._extras import require_extra
from cgrx._feed.log import logger
from cgrx._metrics.collector import Collector
from cgrx._metrics.http import Request, Response, exchange
from cgrx._metrics.snapshot import READY_WITHIN, CountedFeed, Readiness
from cgrx._model.limits import ANSWER_S
from cgrx._model.times import Duration, to_seconds
from cgrx._trio.entering import ToEnter
from cgrx._trio.ports import listen, require_port
from cgrx._trio.require import require_trio

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_MOST_CONNECTIONS = 32
"""More at once are closed unanswered."""


class Endpoints:
    """What is answered, of the feed that is watched."""

    def __init__(self, registry: "CollectorRegistry", ready_within_s: float) -> None:
        self._registry = registry
        self._within_s = ready_within_s
        self._collector: Collector | None = None
        self._connections = 0
        self._turn_s = 0.0
        self._answers: dict[str, Callable[[Request], Response]] = {
            "/metrics": self._metrics,
            "/healthz": self._health,
            "/readyz": self._readiness,
        }

    def watch(self, collector: Collector | None) -> None:
        """Show this one in place of the one before, or none any more."""
        if self._collector is not None:
            self._registry.unregister(self._collector)
            self._collector = None
        if collector is not None:
            self._registry.register(collector)
            self._collector = collector

    async def serve(self, stream: trio.abc.HalfCloseableStream) -> None:
        """Answer one connection, unless there are too many."""
        if self._connections >= _MOST_CONNECTIONS:
            return
        self._connections += 1
        try:
            began = trio.current_time()
            await trio.lowlevel.checkpoint()  # one turn of the loop
            self._turn_s = trio.current_time() - began
            await exchange(stream, self._respond)
        finally:
            self._connections -= 1

    def _respond(self, request: Request) -> Response:
        answer = self._answers.get(request.path)
        if answer is None:
            return Response.of_text(404, f"there are {', '.join(self._answers)}")
        try:
            return answer(request)
        except Exception as error:  # noqa: BLE001 - of a user's own collector, perhaps: the feed goes on
            logger.exception("%s could not be answered", request.path)
            return Response.of_text(500, f"{type(error).__name__}: {error}")

    def _metrics(self, request: Request) -> Response:
        from prometheus_client.exposition import choose_encoder

        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(200, encode(self._registry), content_type)

    def _health(self, _: Request) -> Response:
        if self._turn_s > ANSWER_S:
            return Response.of_text(503, f"not live: the event loop took {self._turn_s:.1f} s for one turn")
        return Response.of_text(200, "live: the event loop comes round")

    def _readiness(self, _: Request) -> Response:
        if self._collector is None:
            found = Readiness(False, "there is no feed yet")
        else:
            found = self._collector.snapshot().readiness(self._within_s)
        return Response.of_text(200 if found.ready else 503, str(found))


class Server:
    """What `serve` gives.

    Examples:
        >>> import cgrx.metrics
        >>> async with cgrx.metrics.serve(port=0) as server:
        ...     print(server.host, server.port > 0)
        127.0.0.1 True
    """

    def __init__(self, endpoints: Endpoints, host: str, port: int) -> None:
        self._endpoints = endpoints
        self.host = host
        """The address that it listens on."""
        self.port = port
        """The port that it listens on."""

    @property
    def url(self) -> str:
        """Where it can be reached, such as `http://127.0.0.1:9464`."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def watch(self, feed: CountedFeed | Collector) -> None:
        """Show this feed from now on, in place of the one before.

        For a server that is there before the feed is, as one that answers `/healthz` while the first connection is
        still being tried.

        Raises:
            ValueError: the registry has metrics of these names already.
            TypeError: it is neither a feed nor a `Collector`.
        """
        self._endpoints.watch(_collector(feed))


def serve(
    feed: CountedFeed | Collector | None = None,
    *,
    port: int,
    host: str = "127.0.0.1",
    registry: "CollectorRegistry | None" = None,
    ready_within: Duration = READY_WITHIN,
) -> AbstractAsyncContextManager[Server]:
    """Serve `/metrics`, `/healthz` and `/readyz`: `async with cgrx.metrics.serve(feed, port=9464) as server: ...`.

    Listens from entering to leaving. Requests are answered in this trio loop, one for each connection: GET alone, of
    16 KiB and ten seconds at most, 32 connections at once. There is no TLS and no password: listen where only those who
    may read the counters can connect. Needs the extra `metrics`.

    Args:
        feed: what `connect` or `replay` gives; a `Collector`, to show streams, pipelines, recorders and sinks too; or
            None, and `Server.watch` later. Without one `/readyz` says 503.
        port: the port to listen on; 0 takes a free one.
        host: the address or name to listen on; `""` for every address of the machine.
        registry: of prometheus-client, where you have one: the feed's metrics are added to it as long as this lasts,
            and `/metrics` shows all of it. By default a new one, with the process's memory and CPU time.
        ready_within: how old the last proof of life may be until `/readyz` says 503.

    Returns:
        A context manager that gives the `Server`, with its `port` and `url`.

    Raises:
        OSError: on entering: the port cannot be listened on.
        ValueError: an argument is out of range; on entering: the registry has metrics of these names already.
        TypeError: `feed` is neither a feed nor a `Collector`.
        ImportError: the extra `metrics` is not installed.
        NotInTrioError: called outside trio.

    Examples:
        >>> import cgrx.metrics
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> async with (
        ...     cgrx.replay("day") as feed,
        ...     cgrx.metrics.serve(feed, port=0) as server,
        ... ):
        ...     print(server.url)
        http://127.0.0.1:...
    """
    require_trio("metrics.serve()")
    require_extra("metrics.serve()", "metrics")
    require_port(port)
    from prometheus_client import CollectorRegistry, ProcessCollector

    if registry is None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
    endpoints = Endpoints(registry, to_seconds(ready_within, "ready_within"))
    opening = _serving(endpoints, None if feed is None else _collector(feed), host, port)
    return ToEnter(opening, "cgrx.metrics.serve()", "server")


def _collector(feed: CountedFeed | Collector) -> Collector:
    return feed if isinstance(feed, Collector) else Collector(feed)


@asynccontextmanager
async def _serving(
    endpoints: Endpoints, collector: Collector | None, host: str, port: int
) -> AsyncGenerator[Server, None]:
    failure: Exception | None = None  # the body's, kept out of the nursery, which would put it in a group
    endpoints.watch(collector)
    try:
        listeners = await listen(port, host or None)
        address = listeners[0].socket.getsockname()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, endpoints.serve, listeners)
            try:
                yield Server(endpoints, address[0], address[1])
            except Exception as error:  # noqa: BLE001 - raised below
                failure = error
            nursery.cancel_scope.cancel()
    finally:
        endpoints.watch(None)
    if failure is not None:
        try:
            raise failure
        finally:
            del failure  # its traceback leads to this frame
