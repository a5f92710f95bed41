"""What the keys of the live table do: a state that each key changes. Drawing reads it; the command asks whether to end.

q            end                       /  then text, Enter   only what holds these words
space        stop and go on            Esc                   all again
s            the next order            ?                     help, and back
"""

from typing import TypeAlias

import attrs

Key: TypeAlias = str
"""A character that was typed, or `enter`, `escape` or `backspace`."""

_LONGEST = 60


@attrs.define(eq=False)
class Controls:
    """The state."""

    sorts: tuple[str, ...]
    """The orders there are, the first one first."""
    keys: bool = False
    """Whether there is a keyboard."""
    paused: bool = False
    helps: bool = False
    ends: bool = False
    words: str = ""
    """What is looked for; while it is typed it counts already."""
    typing: bool = False
    _sort: int = 0

    @property
    def sort(self) -> str:
        """The order."""
        return self.sorts[self._sort]

    def press(self, key: Key) -> None:
        """Do what a key does; others do nothing."""
        if self.typing:
            self._type(key)
            return
        match key:
            case "q" | "Q":
                self.ends = True
            case " ":
                self.paused = not self.paused
            case "s" | "S":
                self._sort = (self._sort + 1) % len(self.sorts)
            case "/":
                self.typing, self.helps = True, False
            case "?" | "h":
                self.helps = not self.helps
            case "escape" if self.helps:
                self.helps = False
            case "escape":
                self.words = ""
            case _:
                pass

    def _type(self, key: Key) -> None:
        match key:
            case "enter":
                self.typing = False
            case "escape":
                self.typing, self.words = False, ""
            case "backspace":
                self.words = self.words[:-1]
            case _:
                self.words = (self.words + key)[:_LONGEST]
