"""A process that records, to be killed: `python -m tests.recording.crashing URL FOLDER`.

After each flush it writes what is safe.
"""

import os
import sys

import trio

import cgrx


async def main(url: str, folder: str) -> None:
    """Record liquidations until killed, in small parts; a line with the number of events for each flush."""
    async with (
        cgrx.connect(url=url, api_key="any-key-will-do") as feed,
        cgrx.record(feed, folder, channels=["liquidationOrders"], flush_every="20ms", part_bytes=60_000) as recorder,
    ):
        while True:
            await trio.sleep(0.005)
            await recorder.flush()
            os.write(1, b"%d\n" % recorder.stats.recorded)


if __name__ == "__main__":
    trio.run(main, sys.argv[1], sys.argv[2])
