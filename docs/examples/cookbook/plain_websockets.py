"""Large liquidations of longs, by the package websockets alone.

COINGLASS_API_KEY=... python plain_websockets.py; COINGLASS_URL names another server, such as that of `cgrx simulate`.
"""

import asyncio
import json
import os

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

URL = os.environ.get("COINGLASS_URL", "wss://open-ws.coinglass.com/ws-api")


async def ping(socket: ClientConnection) -> None:
    while True:
        await asyncio.sleep(20)
        await socket.send("ping")


async def main() -> None:
    async for socket in connect(f"{URL}?cg-api-key={os.environ['COINGLASS_API_KEY']}"):
        pings = asyncio.create_task(ping(socket))
        try:
            await socket.send(json.dumps({"method": "subscribe", "channels": ["liquidationOrders"]}))
            async for message in socket:
                if message == "pong":
                    continue
                for event in json.loads(message)["data"]:
                    if event["side"] == 1 and event["volUsd"] >= 250_000:
                        usd = f"{event['volUsd']:,.0f} USD"
                        print(event["time"], event["exName"], event["symbol"], usd, flush=True)
        except ConnectionClosed:
            continue  # connects again, and nobody is told of what was missed
        finally:
            pings.cancel()


asyncio.run(main())
