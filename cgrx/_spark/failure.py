"""The error behind an error of Spark's: that is a page of frames of two languages, with the cause somewhere in it."""

import re

from cgrx._model.data_errors import EngineError

_RAISED = re.compile(r"(?:[a-z_]\w*\.)*([A-Z]\w*(?:: .*)?)")
"""The last line of a traceback: the error's class, and its text. Lines of frames, and those of Spark, are indented."""


def understood(error: Exception) -> Exception:
    """Spark's error as one of ours, with the line in which a worker says what failed it; others as they are."""
    if type(error).__module__.partition(".")[0] not in ("pyspark", "py4j"):
        return error
    text = str(error)
    worker = text.partition("Traceback (most recent call last)")[2].partition("=== Streaming Query ===")[0]
    raised = [found for line in worker.splitlines() if (found := _RAISED.fullmatch(line.rstrip()))]
    return EngineError("Spark", raised[-1][1] if raised else text.strip().partition("\n")[0])
