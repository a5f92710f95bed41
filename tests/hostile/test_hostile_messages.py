"""Every kind of message once and in floods, over loopback: what each costs is counted, and nothing else happens."""

import json

import attrs
import pytest

from tests.hostile.parts import DELIVERED, ENDING, EVENT, KINDS, LIQUIDATIONS, Part, event_text, text
from tests.hostile.promise import QUICK, trial
from tests.hostile.server import End, Play
from tests.support import run, run_fast


@pytest.mark.parametrize("end", ["end of stream", "reset", "goes on"])
def test_each_kind_of_message(end: End) -> None:
    """Between two events."""

    async def main() -> None:
        async with trial(memory=False) as t:
            for part in KINDS.values():
                await t.survive(Play([KINDS[DELIVERED], part, KINDS[DELIVERED]], end))

    run(main)


def test_each_kind_of_message_that_ends_the_connection() -> None:
    """What came before it is delivered, what comes behind it is not looked at."""

    async def main() -> None:
        async with trial(memory=False) as t:
            for part in ENDING.values():
                await t.survive(Play([part], "silence"))
                await t.survive(Play([KINDS[DELIVERED], part, KINDS[DELIVERED]], "silence"))

    run(main)


def flood(kind: str, size: int) -> list[Part]:
    """So many bytes of one kind of message."""
    return [KINDS[kind]] * max(1, size // len(KINDS[kind].data))


@pytest.mark.thorough  # it takes seconds
def test_a_flood_of_each_kind() -> None:
    """All at once, and the server goes on."""

    async def main() -> None:
        async with trial(memory=False) as t:
            for kind in KINDS:
                await t.survive(Play(flood(kind, 100_000)[:400], "goes on"))
            await t.survive(Play([*KINDS.values()] * 10, "goes on"))

    run_fast(1, main)  # under coverage and beside others it keeps the program busy for longer than a pong may take


@pytest.mark.thorough  # it takes seconds
def test_empty_messages_that_fill_a_read() -> None:
    """Each is two bytes long, and costs a status."""

    async def main() -> None:
        async with trial(memory=False) as t:
            await t.survive(Play([KINDS["empty text"]] * 16_384, "goes on"))

    run_fast(1, main)  # as above


def test_a_flood_of_pings_of_a_server_that_reads_no_pong() -> None:
    """The feed does not keep the answers: it ends the connection once the server takes none for `send_s`."""

    async def main() -> None:
        limits = attrs.evolve(QUICK, send_s=0.1)
        async with trial(memory=False, limits=limits) as t:
            await t.survive(Play(flood("longest ping", 4_000_000), "silence", deaf=True))

    run(main)


def test_thousands_of_exchanges() -> None:
    """Each name in an event of its own, and all in one frame."""
    names = [f"Exchange {number}" for number in range(7_000)]
    event = json.loads(event_text())["data"][0]
    payload = json.dumps({"channel": LIQUIDATIONS, "data": [event | {"exName": name} for name in names]}).encode()
    one_each = [text(event_text(exName=f'"{name}"'), EVENT) for name in names[:3_000]]

    async def main() -> None:
        async with trial(memory=False) as t:
            await t.survive(Play([text(payload, attrs.evolve(EVENT, events=len(names)))]))
            await t.survive(Play(one_each))

    run(main)
