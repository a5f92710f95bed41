"""The session of Spark that a run uses: the one given, the active one, or one on this machine."""

import os
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cgrx._model.data_errors import EngineError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_HERE: Mapping[str, Any] = {
    "spark.master": "local[*]",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": os.cpu_count() or 1,
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""On this machine, where nobody says otherwise: Spark's own 200 partitions are for clusters."""

_EACH: Mapping[str, str] = {
    "spark.sql.streaming.stateStore.providerClass": (
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    ),
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
}
"""For each run: state of one's own needs RocksDB, which then writes what has changed, not all it holds."""


def session_of(given: "SparkSession | None") -> Any:
    """A session with settings of its own, on the context of the one given.

    Raises:
        EngineError: there is no Java to start Spark with.
    """
    from pyspark.sql import SparkSession

    found: Any = given or SparkSession.getActiveSession()
    if found is None:
        builder = SparkSession.builder.appName("cgrx")
        if "PYSPARK_GATEWAY_PORT" not in os.environ:  # spark-submit has begun this, and says where it runs
            _require_java()
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
            for name, value in _HERE.items():
                builder = builder.config(name, value)
        found = builder.getOrCreate()
    session = found.newSession()
    for name, value in _EACH.items():
        session.conf.set(name, value)
    return session


def _require_java() -> None:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise EngineError("Spark", "it needs Java 17 or later, and there is no `java` on the path, nor JAVA_HOME")
