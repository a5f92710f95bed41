"""`consume()`: a feed that comes from a log, with the streams and marks that were published, by the time of receipt.

    topic ──► reader, in a thread ──► order ──► continuity ──► hub ──► streams

It begins when a task first waits for it, and reads no faster than its consumers take: what they have not taken waits
on the log.
"""

import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Literal, cast

from cgrx._extras import require_extra
from cgrx._feed.engine import OnSubscriberError, require_policy
from cgrx._feed.face import FeedFace
from cgrx._log.log_engine import LogEngine, LogStats
from cgrx._log.reader import OURS, Reader, Start
from cgrx._model.limits import KAFKA_CONNECT_S
from cgrx._model.times import Duration, Moment, to_epoch_ms, to_seconds
from cgrx._shards.groups import Share
from cgrx._sinks.kafka_address import KafkaAddress
from cgrx._trio.entering import ToEnter
from cgrx._trio.require import require_trio

_GROUP: Final = re.compile(r"[\w.-]{1,249}", re.ASCII)


class LogFeed(FeedFace):
    """A feed that comes from a log. `consume` makes it and runs it.

    Examples:
        >>> def missing(feed: cgrx.LogFeed) -> int:
        ...     return feed.read.missing + feed.read.damaged
        >>> async with cgrx.consume(
        ...     "kafka://broker:9092/signals"
        ... ) as feed:  # doctest: +SKIP
        ...     feed.liquidations().subscribe(print)
        ...     await feed.run()
        ...     print(missing(feed), feed.offsets)
    """

    def __init__(self, engine: LogEngine) -> None:
        super().__init__(engine)
        self._log = engine

    @property
    def offsets(self) -> Mapping[int, int]:
        """By partition, the offset of the first record that has not been handed on. A snapshot.

        Given as `start=`, reading goes on there. Those of which nothing was read are not in it.
        """
        return self._log.in_thread(lambda: self._log.offsets)

    @property
    def read(self) -> LogStats:
        """What it has read. A snapshot."""
        return self._log.in_thread(lambda: self._log.read)


def consume(
    source: str,
    *,
    start: Literal["earliest", "latest"] | Mapping[int, int] | Moment = "latest",
    group: str | None = None,
    shard: str = "1/1",
    connect_timeout: Duration = "30s",
    on_subscriber_error: OnSubscriberError = "raise",
) -> AbstractAsyncContextManager[LogFeed]:
    """A feed that comes from a log: `async with cgrx.consume("kafka://broker:9092/trades") as feed: ...`.

    It has the streams of the live feed whose channels were published there, with the same events and marks, so a
    pipeline written for one runs on the other. It starts when a task first waits for it: `feed.run()`, or the first
    iteration of a `cgrx.stream`. It lasts until it is left, or until every channel that is subscribed to has ended.
    Needs the extra `kafka`.

    Nothing is lost in silence, and nothing comes twice: records that were read already are skipped by their numbers; a
    hole in the numbers is a `Gap`, from when the channel was last heard; another session of a publisher begins with
    the `Gap` that is its outage. A channel that is read from its midst begins with a `Gap` from 0.

    A stream that is subscribed to later begins with a `Gap` from 0 to its next record: what was read before is over.

    Its time is the time of receipt of the records, for the marks, for `feed.scheduler` and so for every timed reactivex
    operator. Records of several partitions are handed on in that order, as far as the log allows: one that was read to
    its end holds nothing up, one of which nothing comes for a second neither. A reader that is slower than the log, or
    held up by `overflow="block"`, reads later; nothing is left out. Memory: 16 MiB in the client, and 10,000 records
    of each partition.

    While the brokers are away the feed waits, and says so on its status; nothing is proven alive meanwhile.

    Args:
        source: as `target` of `publish`.
        start: where to begin: the `"earliest"` record there is, the `"latest"` (what is published from now on), the
            offset of each partition (those left out from the earliest on), or a time of receipt: an aware `datetime`,
            milliseconds since the epoch, or ISO 8601.
        group: a name under which the broker keeps, about once a second and on leaving, how far this reader has come;
            with the same name it goes on there, and `start` counts for partitions of which nothing is kept. Readers of
            other groups are not affected. It says what was handed to the subscribers, not what their sinks delivered.
        shard: the share of the partitions that this process reads, as `"3/8"`: nobody coordinates. Processes of one
            group take different shares.
        connect_timeout: how long entering may wait for a broker; `math.inf` for services.
        on_subscriber_error: as of `connect`.

    Returns:
        A context manager that gives the feed, whose `offsets` and `read` say how far it has come.

    Raises:
        ValueError, TypeError: an argument cannot be used; on entering: `start` names a partition that is not there.
        ConnectError: on entering: no broker answers in time.
        LogError: on entering: there is no such topic, or the user may not read it.
        ImportError: confluent-kafka is not installed.
        NotInTrioError: called outside trio.

    Examples:
        >>> async with cgrx.consume(
        ...     "kafka://broker:9092/signals"
        ... ) as feed:  # doctest: +SKIP
        ...     feed.liquidations().subscribe(print)
        ...     await feed.run()
        >>> async with cgrx.consume(
        ...     "kafka://127.0.0.1:9/signals", connect_timeout=0.1
        ... ) as feed:
        ...     await feed.run()
        Traceback (most recent call last):
            ...
        cgrx._model.errors.ConnectError: no connection within 0.1 s (...
    """
    require_trio("consume()")
    require_extra("cgrx.consume()", "kafka")
    require_policy(on_subscriber_error)
    address = KafkaAddress.of_target(source)
    address.require(OURS)
    if group is not None and not _GROUP.fullmatch(group):
        raise ValueError(f"group={group!r} is no name of a group: give letters, digits, '.', '_' and '-'")
    timeout_s = to_seconds(connect_timeout, "connect_timeout")
    # Half of it, so that the error says why the last attempt has failed.
    reader = Reader(address, Share.parse(shard), group, answer_s=min(KAFKA_CONNECT_S, timeout_s / 2))
    engine = LogEngine(
        reader,
        _start(start),
        start == "latest" and group is None,
        timeout_s,
        on_subscriber_error,
        commits=group is not None,
    )
    return ToEnter(engine.open(LogFeed(engine)), "cgrx.consume()", "feed")


def _start(start: object) -> Start:
    if start in ("earliest", "latest"):
        return cast("Start", start)
    if isinstance(start, Mapping):
        offsets = cast("Mapping[object, object]", start)
        for number in (*offsets, *offsets.values()):
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise ValueError(f"start={start!r} takes partitions and offsets, whole numbers from 0 on")
        return cast("Start", dict(offsets))
    try:
        return to_epoch_ms(cast("Moment", start), "start")
    except (ValueError, TypeError) as error:
        raise type(error)(f'{error}; or "earliest", "latest", or an offset of each partition') from None
