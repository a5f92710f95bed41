"""IPython as in a kernel, but in this process; and what one cell shows as time goes on."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import attrs
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from tests.notebook.test_html import text


@contextmanager
def ipython() -> Generator[Any]:
    """A shell without history, which is what `get_ipython()` gives in the body."""
    config: Any = Config()
    config.HistoryManager.enabled = False
    made: Any = InteractiveShell.instance(config=config)
    try:
        yield made
    finally:
        InteractiveShell.clear_instance()


@attrs.frozen
class Cell:
    """What has been shown in it."""

    captured: Any

    @property
    def html(self) -> list[str]:
        """All that was shown, in order; each took the place of the one before."""
        outputs = self.captured.outputs
        assert [each.update for each in outputs] == [False] + [True] * (len(outputs) - 1)
        assert len({each.transient["display_id"] for each in outputs}) == 1
        return [each.data["text/html"] for each in outputs]

    @property
    def said(self) -> str:
        """The text of what is shown now."""
        return text(self.html[-1])

    @property
    def times(self) -> int:
        """How often something was shown."""
        return len(self.html)


@contextmanager
def cell() -> Generator[Cell]:
    """The output of a cell that runs in the body."""
    with ipython(), capture_output() as captured:
        yield Cell(captured)
