"""Spark: the pipelines of a feed on a cluster, or on this machine without one.

    from cgrx.engines import spark

    spark.run(build, channels=[...], source=spark.Kafka("kafka://broker:9092/signals"), sink=..., checkpoint="folder")

Spark supplies partitions, shuffle, checkpoints and recovery; the rows are those of `cgrx.backtest`. Needs the extra
`spark`, and Java 17 or later.
"""

from cgrx._spark.engine import Query as Query
from cgrx._spark.engine import run as run
from cgrx._spark.engine import start as start
from cgrx._spark.explanation import SparkPlan as SparkPlan
from cgrx._spark.explanation import explain as explain
from cgrx._spark.options import RunOptions as RunOptions
from cgrx._spark.settings import Kafka as Kafka
from cgrx._spark.settings import Recordings as Recordings
from cgrx._spark.sinks import Parquet as Parquet
from cgrx._spark.sinks import Postgres as Postgres
from cgrx._spark.sinks import Rows as Rows
