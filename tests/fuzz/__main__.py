"""Looks for bytes that break a property: `python -m tests.fuzz TARGET [--seconds N]`. Needs atheris.

Coverage of cgrx guides it. It begins with the target's corpus and keeps what it learns in a folder of its own; what
breaks the property is written into the corpus, where the test of the corpus finds it until the fault is mended.
"""

import argparse
import sys
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any

TARGETS = ("codec", "frames", "recording", "import")


def main() -> None:
    """Fuzz one target; the process ends with a status other than 0 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=120, help="how long (default: 120)")
    chosen = parser.parse_args()
    atheris: Any = import_module("atheris")  # has no types, and is installed by `nox -s fuzz` alone
    with atheris.instrument_imports(include=["cgrx"]):
        from tests.fuzz import targets
    corpus = targets.CORPUS / chosen.target
    with TemporaryDirectory(prefix="cgrx-fuzz-") as learned:
        arguments = [
            sys.argv[0],
            learned,
            str(corpus),
            f"-artifact_prefix={corpus}/",
            f"-max_total_time={chosen.seconds}",
            "-rss_limit_mb=4096",
            "-timeout=20",
            "-print_final_stats=1",
        ]
        atheris.Setup(arguments, targets.TARGETS[chosen.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
