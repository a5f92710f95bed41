"""Finding the API key, or a part of it, in what a server says. Pure, no I/O.

Eight characters of the key in a row, or more, become `***`: in texts that are shown, and in the texts of events, which
are recorded. A text of an event is looked at when it is seen for the first time.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from cgrx._model.events import Event

PART = 8
"""So many characters of the key in a row are hidden. A key has at least as many."""
HIDDEN = "***"

_KNOWN = 4096
"""So many texts are remembered, far more than there are symbols; then they are looked at anew."""


class Secret:
    """The API key in each of its spellings.

    Args:
        spellings: the key as it is, and as it is sent. None: nothing is hidden.
    """

    def __init__(self, spellings: Iterable[str]) -> None:
        self._parts = {key[at : at + PART] for key in spellings for at in range(len(key) - PART + 1)}

    def redact(self, text: str) -> str:
        """`text` with `***` for each run of characters that is a part of the key; in linear time."""
        parts = self._parts
        hidden = [at for at in range(len(text) - PART + 1) if text[at : at + PART] in parts] if parts else []
        if not hidden:
            return text
        pieces: list[str] = []
        end = 0
        for start in hidden:
            if start > end or not pieces:
                pieces += [text[end:start], HIDDEN]
            end = start + PART
        return "".join([*pieces, text[end:]])


class Texts:
    """The assets, exchanges and symbols of events. State: those that are known to hold no part of the key."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self.clean: set[str] = set()

    def cleaned(self, event: Event) -> Event:
        """The event, with `***` for parts of the key in its texts."""
        clean = self.clean
        for name in ("base_asset", "exchange", "symbol"):
            text: str = getattr(event, name)
            if text in clean:
                continue
            redacted = self._secret.redact(text)
            if redacted != text:
                event = replace(event, **{name: redacted})
                continue
            if len(clean) >= _KNOWN:
                clean.clear()
            clean.add(text)
        return event
