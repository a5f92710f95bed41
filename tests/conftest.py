"""How the tests run.

Hypothesis has no deadline for an example, for how long one takes tells more of the machine than of the code. It draws
20 examples of a test that does not say how many; with `--hypothesis-profile=thorough`, as in CI, 100. Ctrl-C is heard
also where a shell runs the tests in its background, and SIGHUP where `nohup` does: there they are ignored, and would be
in each process of a test.

There is one worker more than there are processors: in many tests a worker waits, for a socket, a process or a clock.
"""

import os
import signal

from hypothesis import settings

settings.register_profile("quick", deadline=None, max_examples=20)
settings.register_profile("thorough", deadline=None)
settings.load_profile("quick")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means."""
    return 1 + (os.cpu_count() or 1)
