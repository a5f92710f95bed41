"""What does `import cgrx` cost, beside what it is built on?

    python -m benchmarks.start [--rounds 15] [--quick] [--json FILE]

Each import happens in an interpreter of its own; the cases take turns (A B C A B C ...) and the median of the rounds
counts. The time of an interpreter that imports nothing is taken off each.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

CASES = {
    "nothing": "pass",
    "its dependencies": "import attrs, msgspec, reactivex, reactivex.operators, trio, trio_websocket",
    "import cgrx": "import cgrx",
    "import cgrx.testing": "import cgrx.testing",
}


def seconds(statement: str) -> float:
    """The wall time of an interpreter that runs one statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Run the cases in turns and print their medians."""
    parser = argparse.ArgumentParser(description="What does importing cgrx cost?")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="two rounds: does it run?")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    samples: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(2 if options.quick else options.rounds):
        for name, statement in CASES.items():
            samples[name].append(seconds(statement))
    medians = {name: statistics.median(times) for name, times in samples.items()}
    base = medians["its dependencies"] - medians["nothing"]
    for name, median in medians.items():
        own = median - medians["nothing"]
        print(f"{name:20} {median * 1e3:6.0f} ms   {own / base:5.2f} x the dependencies alone")
    if options.json:
        options.json.write_text(json.dumps({"samples_s": samples}, indent=1))


if __name__ == "__main__":
    main()
