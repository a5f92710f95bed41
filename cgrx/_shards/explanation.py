"""What a shard is and keeps, in words: known before it takes anything."""

import attrs

from cgrx._streams.about import About
from cgrx._streams.telling import state


@attrs.frozen
class ShardExplanation:
    """Which records a shard takes, and what it keeps. Prints as lines.

    Examples:
        >>> shard = cgrx.Shard(
        ...     lambda feed: feed.liquidations().pipe(ops.tumbling("1m", by="exchange"))
        ... )
        >>> shard.explain().key
        'liquidationOrders'
    """

    key: str
    """The group of its channels: records of one key belong into one shard, and so into one partition of a log."""
    channels: tuple[str, ...]
    """The wire names of the channels that the pipeline reads."""
    pipeline: str
    """The pipeline as code, from its channels on."""
    stages: tuple[str, ...]
    """Each stage as code, those of the inputs of a merge or a join before those behind it."""
    about: tuple[About, ...]
    """What each of them keeps."""

    def __str__(self) -> str:
        return "\n".join(
            [
                f"key: {self.key}",
                f"channels: {', '.join(self.channels)}",
                f"pipeline: {self.pipeline}",
                "state:",
                *(f"   {stage}: {state(about)}" for stage, about in zip(self.stages, self.about, strict=True)),
                "   each channel: the session and the number of its last record, and when it was last heard",
            ]
        )
