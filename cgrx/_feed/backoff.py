"""The delays between attempts to connect: exponential, with full jitter.

Each is uniform between 0 and a bound that doubles, so that many clients do not come back at the same moment.
Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

import random
from collections.abc import Iterator


def delays(first_s: float, most_s: float, rng: random.Random) -> Iterator[float]:
    """Endless delays in seconds: the n-th is uniform in [0, min(most_s, first_s * 2**n)]."""
    bound_s = min(first_s, most_s)
    while True:
        yield rng.uniform(0, bound_s)
        bound_s = min(bound_s * 2, most_s)
