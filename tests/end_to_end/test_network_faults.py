"""What a network does that loopback does not: a cable is pulled, large packets vanish, an address moves away."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.choosing import one_in
from tests.end_to_end.network import FAULTS, WITHIN_S

UNSHARE = ["unshare", "--map-root-user", "--net"]


def why_not() -> str | None:
    """Why namespaces cannot be made here; None where they can."""
    absent = [tool for tool in ("unshare", "nsenter", "ip") if shutil.which(tool) is None]
    if absent:
        return f"{', '.join(absent)} not found: network namespaces need Linux with util-linux and iproute2"
    cable = ["ip", "link", "add", "name", "ours", "type", "veth", "peer", "name", "theirs"]
    tried = subprocess.run([*UNSHARE, *cable], capture_output=True, text=True, check=False)
    return f"no network namespace can be made: {tried.stderr.strip()}" if tried.returncode else None


@pytest.mark.parametrize("fault", one_in(3, FAULTS))
def test_a_feed_outlives_what_a_network_does(fault: str) -> None:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    command = [*UNSHARE, sys.executable, "-m", "tests.end_to_end.network", fault]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=WITHIN_S + 10, cwd=Path(__file__).parents[2], check=False
    )
    assert ended.returncode == 0, ended.stderr
