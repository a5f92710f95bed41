"""A service for systemd or a container: bars of a minute as lines of JSON, until SIGTERM.

COINGLASS_API_KEY=... python bars_service.py. Against `cgrx simulate --port 8765`: COINGLASS_URL=ws://127.0.0.1:8765/ws-api
In a container METRICS_HOST=0.0.0.0 lets Prometheus in.
"""

import json
import logging
import math
import os
import sys

import cgrx
from cgrx import metrics
from cgrx import operators as ops

logger = logging.getLogger("bars")


async def main() -> None:
    url = os.environ.get("COINGLASS_URL", cgrx.COINGLASS_URL)
    host, port = os.environ.get("METRICS_HOST", "127.0.0.1"), int(os.environ.get("METRICS_PORT", "9464"))
    async with metrics.serve(host=host, port=port) as server:
        logger.info("metrics and probes at %s", server.url)
        async with cgrx.connect(url=url, connect_timeout=math.inf) as feed:
            trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
            bars = trades.pipe(ops.tumbling("1m", ops.Bar, by=("exchange", "symbol")))
            async with cgrx.stream(bars) as rows:
                server.watch(metrics.Collector(feed, streams={"bars": rows}, pipelines={"bars": bars}))
                async for row in rows:
                    print(json.dumps(cgrx.asdict(row)), flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    try:
        cgrx.run(main)
    except cgrx.CgrxError as error:
        logger.error("%s", error)
        sys.exit(1 if error.retryable else 5)  # with 2 to 6 the unit does not start it again
    except (ValueError, ImportError) as error:  # no key, an address that is none, a missing extra
        logger.error("%s", error)
        sys.exit(2)
