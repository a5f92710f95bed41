"""The options that have an engine compute the rows of windows.

cyclopts reads the attributes of these classes as options and the texts below them as their help.
"""

from pathlib import Path
from typing import Literal

import attrs
from cyclopts import Parameter

from cgrx._cli.arguments import unusable
from cgrx._cli.commands.on_spark import Behind


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class EngineOptions:
    """Which engine computes the rows."""

    engine: Literal["spark"] | None = None
    """spark: compute the rows of --window on Spark, on all cores of this machine or where spark-submit says. It needs
    the extra spark, and Java."""


NO_ENGINE = EngineOptions()


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class LogEngineOptions(EngineOptions):
    """And from where it takes what a feed gives."""

    log: str | None = None
    """With --engine: the topic that `cgrx publish` writes to, kafka://HOST:9092/TOPIC."""
    checkpoint: Path | None = None
    """With --engine: a folder for the state. The next run with it goes on where this one ends."""

    def behind(self) -> Behind | None:
        """The log to run behind, where an engine is asked for.

        Raises:
            CommandError: an option without the ones that it needs.
        """
        if self.engine is None:
            for option, value in (("--log", self.log), ("--checkpoint", self.checkpoint)):
                if value is not None:
                    raise unusable(f"{option} is for an engine: add --engine spark, or leave it out")
            return None
        if self.log is None or self.checkpoint is None:
            raise unusable(
                "--engine spark reads a log and keeps its state: add --log kafka://HOST:9092/TOPIC --checkpoint FOLDER"
            )
        return Behind(self.log, self.checkpoint)


NO_LOG_ENGINE = LogEngineOptions()
