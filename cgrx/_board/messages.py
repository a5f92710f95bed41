"""What the server of the board and the page say to each other: JSON objects over one WebSocket, `/live`.

    page    ──► Hello                  first, within five seconds
    server  ──► Snapshot               all that the page shows, of the asset that was asked for
            ──► Update, Update, ...    what has changed since; four a second at most
    page    ──► Pick                   another asset; a Snapshot follows
            ──► Play                   replays only: pause, go on, another speed or time; a Snapshot follows a jump
            ──► Seen                   every ten seconds: the page is there, and takes in what it is sent
    server  ──► Refused                why what the page asked for cannot be

The field `kind` tells the objects apart. Times are milliseconds since the epoch, by the exchanges' clocks unless said
otherwise; volumes are US dollars; what is unknown is null. Texts of the server of the feed are handed on as text.
"""

from typing import Literal, TypeAlias

import msgspec

VERSION = 1
"""Of these messages. A page that was loaded from an older program loads itself anew."""

Quality: TypeAlias = Literal["running", "complete", "incomplete", "gap", "unknown"]
"""What a window knows about what it missed.

running      not over yet, and nothing is known to be missing
complete     over, and nothing is missing
incomplete   events are known to be lost, or came too late
gap          nothing was received for a part of it
unknown      nobody watched: before the feed began, or what was lost cannot be said
"""


class Print(msgspec.Struct, frozen=True):
    """One event on the tape."""

    id: int
    """Counts up from 1 over all assets; a page never shows one twice."""
    what: Literal["liquidation", "trade"]
    time: int
    exchange: str
    symbol: str
    asset: str
    side: Literal["long", "short", "buy", "sell"]
    """Of a liquidation the position that was closed; of a trade the taker's side."""
    price: float
    volume: float


class Watched(msgspec.Struct, frozen=True):
    """How well something was watched in one window."""

    quality: Quality
    gap_ms: int | None
    """Milliseconds without reception; None: a gap of unknown length."""
    dropped: int
    late: int
    text: str
    """The same in words, such as "no reception for 2.1 s"; empty where nothing is missing."""


class Window(msgspec.Struct, frozen=True):
    """One window of the charts, of the picked asset or of all. A later one of the same `start` replaces it."""

    start: int
    end: int
    long: float
    """Volume of long liquidations."""
    short: float
    liquidations: int
    """How many."""
    buy: float
    """Volume bought by takers, of the trades that the feed carries."""
    sell: float
    trades: int
    open: float | None
    """Prices of trades; None without a trade, and where all assets are shown together."""
    high: float | None
    low: float | None
    close: float | None
    liquidations_watched: Watched
    trades_watched: Watched | None
    """None where no trades are subscribed to for the asset."""


class Totals(msgspec.Struct, frozen=True):
    """Long against short, and what is missing in it."""

    over: Literal["1m", "1h", "session"]
    since: int
    long: float
    short: float
    buy: float
    sell: float
    liquidations: int
    trades: int
    incomplete_windows: int
    """How many of the windows in it are incomplete, have a gap or are unknown."""


class Share(msgspec.Struct, frozen=True):
    """The liquidations of one exchange, or of one asset, in the last hour."""

    name: str
    long: float
    short: float
    events: int


class Cascade(msgspec.Struct, frozen=True):
    """One cascade of liquidations (`ops.cascades`), a band over the price. A later one of the same `id` replaces it."""

    id: int
    asset: str
    side: Literal["long", "short"]
    start: int
    end: int
    events: int
    volume: float
    running: bool
    withdrawn: bool
    """It has become a part of another one: remove it."""


class Alert(msgspec.Struct, frozen=True):
    """Something that a rule of the board has found: the page tells it, and keeps it in a list."""

    id: int
    time: int
    rule: str
    """Such as "cascade" or the name given to a rule."""
    text: str
    """One sentence, such as "BTC: long liquidations of 1.2M USD within 10 s"."""


class Connection(msgspec.Struct, frozen=True):
    """How the feed does."""

    state: Literal["connecting", "connected", "reconnecting", "closed", "failed"]
    text: str
    """One sentence for people: the latest status of the feed."""
    lag_ms: float | None
    """How far behind the exchanges' clocks the latest events were received."""
    round_trip_ms: float | None
    events: int
    rate: float
    """Events a second, over the last five seconds."""
    reconnects: int
    dropped: int
    """Events lost because a consumer was too slow."""
    malformed: int
    late: int
    gap_ms: int
    """Milliseconds without reception, in all, since the session began."""


class Replayed(msgspec.Struct, frozen=True):
    """Where a replay stands; for the slider. `start` and `end` are of the recording."""

    start: int
    end: int
    now: int
    speed: float | None
    """None: as fast as possible."""
    paused: bool
    over: bool


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot", tag_field="kind"):
    """All that the page shows."""

    version: int
    title: str
    mode: Literal["live", "replay", "demo"]
    at: int
    """The feed's time now."""
    asset: str | None
    """What was picked; None: all assets."""
    assets: list[str]
    """What can be picked, by volume of liquidations; a bounded list."""
    window_ms: int
    """The length of the windows."""
    tape: list[Print]
    """Newest last."""
    bubbles: list[Print]
    """The largest liquidations of the windows, oldest first; those on the tape have the same `id`."""
    windows: list[Window]
    """Oldest first."""
    totals: list[Totals]
    exchanges: list[Share]
    """Of the picked asset, by volume."""
    leaders: list[Share]
    """Assets by volume of liquidations, whatever is picked."""
    cascades: list[Cascade]
    alerts: list[Alert]
    connection: Connection
    replay: Replayed | None


class Update(msgspec.Struct, frozen=True, tag="update", tag_field="kind"):
    """What has changed. Lists hold what is new or replaced; `totals`, `exchanges`, `leaders`, `assets` are whole."""

    at: int
    tape: list[Print]
    skipped: int
    """So many more events came than are in `tape`: the smallest ones, which the page says and does not show."""
    windows: list[Window]
    totals: list[Totals]
    exchanges: list[Share]
    leaders: list[Share]
    assets: list[str]
    cascades: list[Cascade]
    alerts: list[Alert]
    connection: Connection
    replay: Replayed | None


class Hello(msgspec.Struct, frozen=True, tag="hello", tag_field="kind"):
    """The first message of a page."""

    version: int
    token: str | None = None
    asset: str | None = None


class Pick(msgspec.Struct, frozen=True, tag="pick", tag_field="kind"):
    """Show this asset, or all."""

    asset: str | None


class Play(msgspec.Struct, frozen=True, tag="play", tag_field="kind"):
    """Change a replay; what is None stays."""

    paused: bool | None = None
    speed: float | None = None
    time: int | None = None
    """Go to this time of the recording."""


class Seen(msgspec.Struct, frozen=True, tag="seen", tag_field="kind"):
    """The page has shown what it was sent. It says so every ten seconds, whatever it is sent."""


class Refused(msgspec.Struct, frozen=True, tag="refused", tag_field="kind"):
    """What the page has asked for cannot be."""

    text: str
    """One sentence for people."""
