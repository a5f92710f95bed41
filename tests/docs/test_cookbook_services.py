"""The recipes that are tests, services or programs of a shell, each run as a user runs it."""

import subprocess
import sys

from tests.docs import pages

COOKBOOK = pages.EXAMPLES / "cookbook"


def test_the_tests_of_a_rule_run_in_pytest() -> None:
    """Outside this repository's settings, as in a project of the user's own."""
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "test_rule.py")
    done = subprocess.run(command, cwd=COOKBOOK, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout
