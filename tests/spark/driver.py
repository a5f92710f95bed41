"""A driver of the tests, as a process: `python -m tests.spark.driver MASTER SERVERS TOPIC FOLDER DSN [once]`.

It runs the same pipeline into each sink, a query for each.
"""

import sys
from contextlib import ExitStack
from pathlib import Path

from cgrx.engines import spark
from tests.spark.market import CHANNELS, bars


def main(master: str, servers: str, topic: str, folder: str, dsn: str, once: str = "") -> None:
    """Run bars of all channels, in micro-batches of 150 records, until a query ends; with `once` until all have."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("cgrx tests")
    for name, value in {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.executor.cores": "1",
        "spark.executor.memory": "512m",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    sinks: list[spark.Parquet | spark.Postgres] = [
        spark.Parquet(f"{folder}/bars"),
        spark.Postgres(dsn, "bars", create=True),
    ]
    with ExitStack() as stack:
        queries = [
            stack.enter_context(
                spark.start(
                    bars,
                    channels=CHANNELS,
                    source=spark.Kafka(f"kafka://{servers}/{topic}", most=150),
                    sink=sink,
                    checkpoint=Path(folder) / f"checkpoint-{type(sink).__name__}",
                    every="100ms",
                    once=bool(once),
                    session=session,
                )
            )
            for sink in sinks
        ]
        ends = all if once else any
        while not ends([query.wait(0.5) for query in queries]):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
