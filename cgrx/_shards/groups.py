"""Which channels belong together, and where each group goes: to a partition of a log, to one of several publishers.

The hashes are the same in every process, so nobody has to be asked. A group and its partition: CRC-32, as the
partitioner `consistent` of librdkafka has it.
"""

import re
import zlib
from hashlib import blake2b
from typing import Final, Literal, TypeAlias, get_args

import attrs

from cgrx._model.channels import Channel, FuturesTrades
from cgrx._model.instruments import Instrument

GroupBy: TypeAlias = Literal["channel", "base_asset"]
"""What channels have in common that a pipeline reads together."""

_SHARE: Final = re.compile(r"(\d{1,6})/(\d{1,6})", re.ASCII)


def group_of(channel: Channel, by: GroupBy) -> str:
    """The group of a channel: its own wire name, or the base asset of its instrument, such as `"BTC"`.

    The channel of all liquidations is of every asset, and so a group of its own.

    Raises:
        ValueError: `by` is neither, or the symbol of the channel has no form that cgrx knows.
    """
    if by not in get_args(GroupBy):
        raise ValueError(f'partition_by={by!r} is neither "channel" nor "base_asset"')
    if by == "channel" or not isinstance(channel, FuturesTrades):
        return channel.name
    try:
        return Instrument.parse(channel.exchange, channel.symbol).base
    except ValueError as error:
        raise ValueError(f'partition_by="base_asset": channel {channel.name!r}: {error}') from None


def partition_of(group: str, count: int) -> int:
    """The partition of a group, among so many."""
    return zlib.crc32(group.encode()) % count


@attrs.frozen
class Share:
    """The part of all groups that one of several publishers has: `number` is 1 to `of`.

    The shares of one number `of` have every group, each group in one of them.
    """

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Share":
        """Read `"3/8"`, the third of eight.

        Raises:
            ValueError: it cannot be read.
        """
        found = _SHARE.fullmatch(text)
        share = cls(int(found[1]), int(found[2])) if found else cls(0)
        if not 1 <= share.number <= share.of:
            raise ValueError(f"shard={text!r} cannot be read: give its number and how many there are, as 1/8 to 8/8")
        return share

    def has(self, group: str) -> bool:
        """Whether this group is in it."""
        # Another hash than that of the partitions: with the same one, each publisher would write to a few of them.
        digest = blake2b(group.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.of == self.number - 1
