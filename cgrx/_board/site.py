"""The web application: the page's files, one WebSocket, and a probe."""

from collections.abc import Awaitable, Callable
from typing import cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from cgrx._board.audience import Audience
from cgrx._board.conversation import Conversation
from cgrx._board.files import File, page_files
from cgrx._board.guard import App, Guard, Hosts


def site(audience: Audience, hosts: Hosts, token: str | None) -> App:
    """What answers the requests of one board.

    `/live` is the WebSocket, see `messages`. `/healthz` answers as long as the loop comes round. All else is a file.
    """

    async def live(socket: WebSocket) -> None:
        await Conversation(socket, socket.state.line, audience, token).hold()

    routes = [
        WebSocketRoute("/live", live),
        Route("/healthz", _is_well, methods=["GET"]),
        *(Route(path, _answering(file), methods=["GET"]) for path, file in page_files().items()),
    ]
    return Guard(cast(App, Starlette(routes=routes)), hosts)


async def _is_well(_: Request) -> Response:
    return PlainTextResponse("live: the event loop comes round\n", headers={"cache-control": "no-store"})


def _answering(file: File) -> Callable[[Request], Awaitable[Response]]:
    """The answer that is one file; to who has it already, that it has not changed."""
    headers = {"etag": file.etag, "cache-control": "no-cache", "vary": "accept-encoding"}

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=headers)
        if "gzip" in (each.strip() for each in request.headers.get("accept-encoding", "").split(",")):
            zipped = headers | {"content-encoding": "gzip"}
            return Response(file.compressed, media_type=file.content_type, headers=zipped)
        return Response(file.content, media_type=file.content_type, headers=headers)

    return answer
