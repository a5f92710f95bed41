"""Liquidations as server-sent events, from one feed for all clients.

COINGLASS_API_KEY=... uvicorn fastapi_sse:app, then curl --no-buffer 'http://127.0.0.1:8000/liquidations?min_volume=10000'
"""

import json
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

import cgrx
import cgrx.aio
from cgrx import operators as ops


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    url = os.environ.get("COINGLASS_URL", cgrx.COINGLASS_URL)
    async with cgrx.aio.connect(url=url) as feed, cgrx.aio.closing_on_signals(feed):
        app.state.feed = feed
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/liquidations")
async def liquidations(request: Request, min_volume: float = 0.0) -> StreamingResponse:
    feed: cgrx.Feed = request.app.state.feed

    async def lines() -> AsyncGenerator[str, None]:
        chosen = feed.liquidations().pipe(ops.min_volume(min_volume))
        async with cgrx.aio.stream(chosen, overflow="drop_oldest") as events:  # a slow client disturbs nobody else
            async for event in events:
                yield f"data: {json.dumps(event.asdict())}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
