"""The feed through a proxy: three liquidations, and an end.

COINGLASS_API_KEY=... HTTPS_PROXY=http://proxy.example:3128 python behind_proxy.py
FEED_PROXY names a proxy for the feed alone, COINGLASS_URL another server, such as that of `cgrx simulate`.
"""

import os
import sys

import cgrx


async def main() -> None:
    url = os.environ.get("COINGLASS_URL", cgrx.COINGLASS_URL)
    proxy = os.environ.get("FEED_PROXY", "env")
    async with cgrx.connect(url=url, proxy=proxy) as feed, cgrx.stream(feed.liquidations()) as events:
        for _ in range(3):
            event = await anext(events)
            print(event.datetime, event.exchange, event.symbol, event.side.word, f"{event.volume_usd:,.0f} USD")


if __name__ == "__main__":
    try:
        cgrx.run(main)
    except cgrx.ConnectError as error:
        sys.exit(str(error))
