"""What running forms hold is a format: a later version of cgrx reads the states that lie somewhere, or refuses them."""

import pickletools
from hashlib import blake2b

from cgrx import Alive, Dropped, Gap, Shard
from cgrx._shards import storing
from tests.backtest.columns import LIQUIDATIONS, TRADES
from tests.operators.contracts import BEGUN, BURSTS, LIFTS
from tests.shards.pipelines import SEVERAL, Said, needed, records_of
from tests.shards.test_shard import numbered, of

KNOWN = {
    1: "76f9188f61fe705f",
    2: "c911040529e1fb99",
    3: "7c47a81b90d66ca3",
    4: "842bd4569da1f94a",
    5: "17f4ea9fc2b6137e",
}
"""Of each format a digest of the names that states hold."""


def names_in(shard: Shard[object]) -> set[str]:
    """All names in its state: of classes, of attributes, and of what was gathered."""
    identity = shard._built.identity  # pyright: ignore[reportPrivateUsage]  # what no user sees, but every state
    body = storing._opened(identity, shard.snapshot())  # pyright: ignore[reportPrivateUsage]
    return {value for _, value, _ in pickletools.genops(body) if isinstance(value, str)}


def test_a_format_holds_the_same_names() -> None:
    """Where this fails, raise `FORMAT` in `cgrx/_shards/storing.py`, and add its digest to `KNOWN`."""
    names = set[str]()
    for lift in LIFTS.values():
        shard = Shard(of(lift))
        shard.take(numbered(BEGUN, BURSTS, Alive("o", 60_000), Dropped(None, 1, "malformed")))
        names |= names_in(shard)
    marks: Said = [
        (channel, mark)
        for channel in (LIQUIDATIONS, TRADES)
        for mark in (Gap(channel, 0, 0, "subscribed"), Alive("o", 10))
    ]
    for build in SEVERAL.values():
        shard = Shard(build)
        shard.take(needed(records_of(marks), shard))
        names |= names_in(shard)
    digest = blake2b("\n".join(sorted(names)).encode(), digest_size=8).hexdigest()
    assert digest == KNOWN[storing.FORMAT], sorted(names)
