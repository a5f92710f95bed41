"""The producer of records: each goes to the partition of its channel's group, under the channel's name."""

from collections.abc import Mapping
from typing import Final

import attrs

from cgrx._shards.groups import partition_of
from cgrx._shards.record import Record
from cgrx._sinks.kafka import KafkaWriter, Message
from cgrx._sinks.kafka_address import KafkaAddress

_COMPRESSED: Final = {"compression.type": "lz4"}
"""Unless the address says otherwise: records of one channel repeat each other's words."""


class RecordWriter(KafkaWriter):
    """Writes records.

    Args:
        address: where the topic is.
        groups: of each channel, by its wire name.
    """

    def __init__(self, address: KafkaAddress, groups: Mapping[str, str]) -> None:
        super().__init__(attrs.evolve(address, config=_COMPRESSED | dict(address.config)))
        self._groups = groups
        self._places: dict[str, tuple[bytes, int]] = {}
        """Of each channel its key, and its partition: the same for a whole session, also where the topic gets more."""

    def _message(self, item: Record) -> Message:
        place = self._places.get(item.channel)
        if place is None:
            # One that an earlier session has left in a spill folder may be of another channel.
            group = self._groups.get(item.channel, item.channel)
            place = self._places[item.channel] = item.channel.encode(), partition_of(group, self.partitions)
        return item.encode(), place[0], place[1], None
