"""Where records come from: a topic, or recordings."""

from pathlib import Path
from typing import Any, Literal, TypeAlias

import attrs

from cgrx._model.times import Duration, Moment, to_epoch_ms, to_seconds
from cgrx._sinks.kafka_address import KafkaAddress

Start: TypeAlias = Literal["earliest", "latest"] | Moment

_OURS = frozenset(
    {
        "auto.offset.reset",
        "bootstrap.servers",
        "enable.auto.commit",
        "enable.partition.eof",
        "error_cb",
        "group.id",
        "logger",
        "metadata.broker.list",
    }
)


@attrs.frozen
class Kafka:
    """Records of a topic, as `cgrx publish` writes them: endless, unless `run(once=True)`.

    Needs the extra `kafka`, on every machine of the cluster.

    Examples:
        >>> from cgrx.engines import spark
        >>> source = spark.Kafka("kafka://broker:9092/signals", start="latest")
        >>> source.address.topic, source.most
        ('signals', 100000)
    """

    target: str = attrs.field(repr=False)
    """`kafka://HOST:9092/TOPIC`, as of `cgrx.publish`: further brokers behind commas, properties of librdkafka, such as
    those of SASL and TLS, behind `?`. It may hold a password, and is in no log, plan and error."""
    start: Start = "earliest"
    """Where a new checkpoint begins: the earliest record that the log holds, the next one, or the first that was
    written at this time or later. An old checkpoint goes on where it ended."""
    most: int = 100_000
    """How many records a micro-batch takes at the most."""
    timeout: Duration = "30s"
    """How long a run waits for brokers that are away or give nothing, before it fails; `math.inf`: for ever. It goes on
    from its checkpoint when it is run again."""

    def __attrs_post_init__(self) -> None:
        _ = self.timeout_s
        if type(self.most) is not int or self.most < 1:
            raise ValueError(f"most={self.most!r} takes a whole number of records, 1 or more")
        self.address.require(_OURS)
        _ = self.start_ms  # which refuses what is no moment

    @property
    def address(self) -> KafkaAddress:
        """The brokers, the topic, and the properties.

        Raises:
            ValueError, TypeError: `target` is no address of a topic.
        """
        return KafkaAddress.of_target(self.target)

    @property
    def timeout_s(self) -> float:
        """`timeout` in seconds.

        Raises:
            ValueError, TypeError: it is no duration.
        """
        return to_seconds(self.timeout, "timeout")

    @property
    def start_ms(self) -> int | None:
        """The time to begin at, None where it is an end of the log.

        Raises:
            ValueError, TypeError: it is no moment.
        """
        return None if self.start in ("earliest", "latest") else to_epoch_ms(self.start, "start")


class Recordings:
    """Recordings, once from their beginning to their end: a task for each group, which runs `cgrx.backtest`.

    Every machine must see the folders under the same path.

    Args:
        folders: one or several, joined as in `cgrx.backtest`.
        start: leave out what was received before.
        end: leave out what was received then or later.

    Examples:
        >>> from cgrx.engines import spark
        >>> source = spark.Recordings(
        ...     "/recordings/monday", "/recordings/tuesday", start="2024-08-09T00:00"
        ... )
        >>> source
        Recordings('/recordings/monday', '/recordings/tuesday')
    """

    def __init__(self, *folders: Any, start: Moment | None = None, end: Moment | None = None) -> None:
        if not folders:
            raise ValueError("Recordings() takes the folder of a recording, or several")
        self.folders = tuple(str(Path(folder).absolute()) for folder in folders)
        self.start, self.end = start, end

    def __repr__(self) -> str:
        return f"Recordings({', '.join(map(repr, self.folders))})"
