"""The file of what a system refuses: JSON Lines, each an item with the reason, to be looked at and sent by hand."""

import json
from pathlib import Path
from typing import Any

from cgrx._delivery.as_json import as_plain
from cgrx._model.limits import DEAD_LETTER_BYTES


class DeadLetters:
    """A file to which lines are appended. Called in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> None:
        """Make the file where it is missing.

        Raises:
            OSError: it cannot be written to.
        """
        self.path.open("a", encoding="ascii").close()

    def write(self, sink: str, reason: str, item: Any) -> None:
        """Append an item.

        Raises:
            OSError: it cannot be written, or the file has reached its bound.
        """
        line = json.dumps({"sink": sink, "reason": reason, "item": as_plain(item)}, default=repr) + "\n"
        with self.path.open("a", encoding="ascii") as file:
            if file.tell() + len(line) > DEAD_LETTER_BYTES:
                raise OSError(f"{self.path} has reached its bound of {DEAD_LETTER_BYTES:,} bytes")
            file.write(line)
