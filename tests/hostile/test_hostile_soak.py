"""Whatever comes to chance: floods, cuts, pieces and ends, for minutes. Each seed is another server."""

import itertools
import random
from collections.abc import Callable, Sequence
from functools import partial

import attrs
import pytest

from tests.hostile.parts import CODES, ENDING, EVENT, KINDS, MALFORMED, Part, event_text, of, text
from tests.hostile.promise import QUICK, trial
from tests.hostile.server import End, Play
from tests.hostile.test_hostile_ends import ANSWERS, first
from tests.hostile.test_hostile_numbers import ABOVE_ZERO, NO_NUMBERS, in_field
from tests.support import run, run_mock
from tests.wire.wires import BINARY, CONTINUATION, PING, TEXT, close_frame, frame

SPEAKING: Sequence[End] = ["end of stream", "reset", "goes on"]
ENDS: Sequence[End] = [*SPEAKING, "silence"]


def drawn_part(rng: random.Random) -> Part:
    """Any kind of message, with something drawn in it."""
    match rng.randrange(7):
        case 0:
            return text(
                rng.randbytes(rng.randrange(300)).replace(b"p", b"q") + b"\xff{", MALFORMED, rng.choice([TEXT, BINARY])
            )
        case 1:
            return in_field(rng.choice(["price", "volUsd"]), [rng.choice(ABOVE_ZERO)], True)[0]
        case 2:
            return in_field(rng.choice(["price", "volUsd"]), [rng.choice(NO_NUMBERS)], False)[0]
        case 3:
            return text(event_text(exName=f'"Exchange {rng.randrange(10_000)}"', time=str(rng.randrange(2**47))), EVENT)
        case 4:
            return _in_pieces(event_text(price=str(rng.random() + 0.1)).encode(), rng)
        case _:
            return rng.choice([*KINDS.values()])


def _in_pieces(payload: bytes, rng: random.Random) -> Part:
    """An event in fragments, with pings between them."""
    cuts = sorted(rng.randrange(len(payload) + 1) for _ in range(rng.randrange(6)))
    pieces = [payload[start:end] for start, end in itertools.pairwise([0, *cuts, len(payload)])]
    data = b""
    for index, piece in enumerate(pieces):
        data += frame(CONTINUATION if index else TEXT, piece, fin=index == len(pieces) - 1)
        if rng.random() < 0.3 and index < len(pieces) - 1:
            data += frame(PING, rng.randbytes(rng.randrange(126)))
    return Part(data, of(EVENT, payload))


def drawn_play(rng: random.Random, ends: Sequence[End]) -> Play:
    """One connection."""
    if rng.random() < 0.1:
        answer = rng.choice([*ANSWERS.values(), first(rng.randrange(129))])
        return Play(end=rng.choice(["end of stream", "silence"]), answer=answer, opens=False)
    parts = [drawn_part(rng) for _ in range(rng.choice([1, 3, 10, 100]))]
    if rng.random() < 0.2:
        parts.insert(rng.randrange(len(parts) + 1), rng.choice([*ENDING.values()]))
        return Play(parts, "silence", piece=rng.choice([7, 1_000, 2**20]))
    if rng.random() < 0.2:
        parts.append(Part(close_frame(rng.choice(CODES)), ends=True))
        return Play(parts, "silence")
    end = rng.choice(ends)
    size = None if end == "goes on" else rng.randrange(sum(len(part.data) for part in parts) + 1)
    return Play(parts, end, size, piece=rng.choice([100, 5_000, 2**20]))


async def survive_all(rng: random.Random, plays: int, *, memory: bool) -> None:
    """The promise is checked behind each of these connections."""
    # Over loopback a busy machine must not be taken for a silent server.
    limits = attrs.evolve(QUICK, pong_within_s=0.2 if memory else 10, handshake_s=0.2, retry_after_most_s=0.1)
    if rng.random() < 0.5:
        limits = attrs.evolve(limits, read_bytes=rng.randrange(1, 5_000), buffer_bytes=rng.randrange(1, 100_000))
    async with trial(memory=memory, limits=limits) as t:
        for _ in range(plays):
            await t.survive(drawn_play(rng, ENDS if memory else SPEAKING))


@pytest.mark.parametrize("seed", range(2))
def test_a_few_drawn_connections(seed: int) -> None:
    """Here so that the long run works when it is needed."""

    async def main() -> None:
        await survive_all(random.Random(seed), 20, memory=True)

    run_mock(main)


@pytest.mark.soak
@pytest.mark.parametrize("runner", [run, run_mock], ids=["over loopback", "in memory"])
def test_drawn_connections(runner: Callable[..., None]) -> None:
    """A new feed for every thirty. A failure names the seed, with which `survive_all` plays the same again."""
    for _ in range(150):
        seed = random.randrange(2**32)
        try:
            runner(partial(survive_all, random.Random(seed), 30, memory=runner is run_mock))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
