"""All bounds and waits of what the board keeps, in one place. What comes beyond a bound is counted or summed up."""

import sys

TEXT = 60
"""How long a name of an exchange, a symbol or an asset may be; a longer one is cut, and ends with `CUT`."""

SENTENCE = 300
"""How long a sentence may be that holds text of others, such as a status or an alert."""

CUT = "…"
"""What stands where a text was cut."""

ASSETS = 2_000
"""So many assets are told apart in a session; all further names count as one more, `OTHERS`."""

EXCHANGES = 40
"""The same for exchanges, of all liquidations together."""

OTHERS = "(others)"
"""The name of what is beyond `ASSETS` or `EXCHANGES`."""

INSTRUMENTS = 50
"""How many instruments a board subscribes to the trades of."""

WINDOWS = 1_440
"""How many windows a board keeps: those of `keep` may not be more."""

CELLS = 200_000
"""How many sums of one asset on one exchange in one window are kept; beyond it the oldest windows are forgotten."""

TAPE = 5_000
"""How many events the tape keeps, of all assets together."""

SHOWN_PRINTS = 300
"""How many of them a snapshot shows, the newest of the picked asset."""

NEW_PRINTS = 40
"""How many events one update shows, the largest ones; `skipped` counts the others."""

BUBBLES = 300
"""How many liquidations a snapshot shows as bubbles, the largest of those that are kept."""

BUBBLES_OF_ASSET = 5
"""How many are kept of each asset in each window, the largest."""

BUBBLES_OF_WINDOW = 100
"""How many are kept of each window, of all assets together."""

CASCADES = 100
"""How many cascades are kept."""

ALERTS = 100
"""How many alerts are kept."""

RULES = 50
"""How many streams of alerts a user may give."""

LEADERS = 30
"""How many assets are ranked by their volume of liquidations."""

PICKABLE = 500
"""How many assets can be picked, those with most volume."""

LATENESS = "2s"
"""How far behind the newest event of its exchange an event may be and still count in its window; a window is final that
much, and as much again for quiet exchanges, behind its end."""

HOUR_MS = 3_600_000
"""How long totals and shares look back, at the most: no further than windows are kept."""

MINUTE_MS = 60_000
"""How long the shortest totals look back."""

LAGS = 63
"""Of so many reads of the socket the lag is the median."""

RATE_S = 5
"""The rate of events is that of so many seconds."""

SEATS = 200
"""How many browsers may look at once; more are told to come again."""

CONNECTIONS = 400
"""How many TCP connections are open at once; more are closed unanswered. A browser has a few."""

TICK_S = 0.25
"""Browsers are told what is new so often at most."""

SPREAD_S = 0.15
"""Over how much of this time they are told, a few behind the other."""

AT_ONCE = 4
"""So many browsers are told what is new before the feed reads again: a tenth of a millisecond."""

HEARTBEAT_S = 1.0
"""And so often at least, while they look: where the feed stands."""

BEHIND = 40
"""So many messages may wait for a browser: ten seconds. Then it is left behind, and gets a snapshot when it returns."""

HELLO_S = 5.0
"""How long a page may take to say `Hello`."""

SILENCE_S = 45.0
"""A page says every ten seconds that it is there (`Seen`); one that has said nothing for so long is gone."""

MESSAGE_BYTES = 4_096
"""The longest message that a page may send."""

MESSAGES_A_SECOND = 20
"""The most messages, in any one second: a slider that is dragged sends several."""

REQUEST_S = 5.0
"""How long a request may take to arrive, and a connection may be idle."""

REQUEST_BYTES = 16_384
"""The longest request line with its headers."""

CONNECTION_S = 20.0
"""How long a connection may last in all, but for what is said over a WebSocket, which has the bounds above."""

SEND_S = 10.0
"""How long a socket may take nothing in; then the connection is cut off."""

LEAVE_S = 1.0
"""How long browsers have to hear that the board has ended."""

TOKEN = 16
"""The fewest characters of a token."""


def finite(number: float) -> float:
    """The number as JSON can hold it: the largest one in place of infinity."""
    return min(number, sys.float_info.max)


def short(text: str, most: int = TEXT) -> str:
    """The text as it is, or its beginning where it is longer than `most`."""
    return text if len(text) <= most else text[: most - 1] + CUT
