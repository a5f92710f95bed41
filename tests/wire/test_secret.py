"""The API key, and parts of it, in texts and in events."""

import pytest
from msgspec.structs import replace

from cgrx._model.events import Liquidation, LiquidationSide
from cgrx._wire.address import parse_address
from cgrx._wire.secret import Secret, Texts

KEY = "0123456789abcdefghijklmnopqrstuv"


def test_each_part_of_eight_characters_is_hidden() -> None:
    """Wherever it stands; one of seven is not."""
    secret = Secret([KEY])
    for start in range(len(KEY)):
        for stop in range(start + 1, len(KEY) + 1):
            part = KEY[start:stop]
            assert secret.redact(f"<{part}>") == ("<***>" if len(part) >= 8 else f"<{part}>")


def test_parts_that_stand_together() -> None:
    """Each run is hidden as one, and what stands between them is kept."""
    secret = Secret([KEY])
    assert secret.redact(f"{KEY[:9]}-{KEY[3:20]}{KEY} and {KEY[5:13]}") == "***-*** and ***"


def test_without_a_key_nothing_is_hidden() -> None:
    assert Secret([]).redact("a text that is long") == "a text that is long"


def test_the_texts_that_are_remembered_are_bounded() -> None:
    """A server that makes a name up for each event does not fill the memory, and none of them hides the key."""
    texts = Texts(Secret([KEY]))
    largest = 0
    for number in range(10_000):
        event = Liquidation("BTC", "Binance", f"X{number}{KEY[:9]}", LiquidationSide.LONG, 1.0, 1.0, 1)
        assert texts.cleaned(event).symbol == f"X{number}***"
        kept = replace(event, symbol=f"Y{number}")
        assert texts.cleaned(kept) is kept
        largest = max(largest, len(texts.clean))
    assert largest == 4096


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("ws://localhost/", True),
        ("ws://127.9.9.9/", True),
        ("ws://[::1]/", True),
        ("wss://a.example/", True),
        ("ws://a.example/", False),
        ("ws://10.0.0.1/", False),
    ],
)
def test_private_addresses(url: str, private: bool) -> None:
    """Those where the key stays in this machine or is encrypted."""
    assert parse_address(url).is_private is private
    assert not parse_address(url).has_key
    assert parse_address(url, KEY).has_key
