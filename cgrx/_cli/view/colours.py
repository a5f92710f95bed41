"""The colours of the terminal, those of the charts: each stands beside a sign or a word, for who sees no colours."""

from rich.text import Text

from cgrx._plot.colours import COLOURS, DOWN, UP

WARN, GOOD, BAD = COLOURS[1], COLOURS[2], DOWN

_SIDES = {"long": ("▼", DOWN), "sell": ("▼", DOWN), "short": ("▲", UP), "buy": ("▲", UP)}
"""Which way an order moves the price: a long that is liquidated is a forced sell."""


def side_style(word: str) -> str:
    """The colour of a side, by its word."""
    return _SIDES[word][1]


def sided(word: str, more: str = "") -> Text:
    """A side with its sign, such as `▼ long`."""
    sign, style = _SIDES[word]
    return Text(f"{sign} {word}", f"{style} {more}".strip())


def signed(text: str, value: float) -> Text:
    """A number that carries its sign, in the colour of buying above zero and of selling below."""
    return Text(text, DOWN if value < 0 else UP)
