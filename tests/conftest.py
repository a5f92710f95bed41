"""How the tests run.

Hypothesis has no deadline for an example, for how long one takes tells more of the machine than of the code. It draws
10 examples of a test that does not say how many; with `--hypothesis-profile=thorough`, as in CI, 100. Ctrl-C is heard
also where a shell runs the tests in its background, and SIGHUP where `nohup` does: there they are ignored, and would be
in each process of a test.

There is one worker more than there are processors: in many tests a worker waits, for a socket, a process or a clock.

What was made before the first test (modules, the tests themselves) is put out of the garbage collector's sight: many
tests collect garbage to see that nothing is left, and each would walk through all of it again.

Bytecode is written, also where PYTHONDONTWRITEBYTECODE says otherwise: without it each worker, and each process that a
test starts, compiles all of cgrx again, which takes longer than most of them do.

A test that takes longer than `faulthandler_timeout` of pyproject.toml ends its process, so that none hangs unseen.
Those marked `soak` take as long as they take.
"""

import faulthandler
import gc
import os
import signal
import sys

import pytest
from hypothesis import settings

settings.register_profile("quick", deadline=None, max_examples=10)
settings.register_profile("thorough", deadline=None)
settings.load_profile("quick")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

gc.disable()  # nothing to be found while tests are collected


def pytest_collection_finish() -> None:
    """All modules are there, and no test has run. Little of it is garbage, which takes a second to find."""
    gc.freeze()
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """No limit for the long runs."""
    if item.get_closest_marker("soak"):
        faulthandler.cancel_dump_traceback_later()


def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means."""
    return 1 + (os.cpu_count() or 1)
