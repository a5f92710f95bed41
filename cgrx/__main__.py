"""The command `cgrx`, also as `python -m cgrx`."""

import sys

_EXTRA = ("cyclopts", "rich")
_NO_EXTRA = 3
_INTERRUPTED = 130
"""Exit codes, see docs/cli.md."""


def main() -> int:
    """Run the command line; the exit code. Without the extra it says in one line what to install."""
    try:
        from cgrx._cli.app import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:  # while importing, or before or behind the part that waits for signals
        return _INTERRUPTED
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _EXTRA:
            raise
        sys.stderr.write(f'cgrx: the command line needs {library}: python -m pip install "cgrx[cli]"\n')
        return _NO_EXTRA


if __name__ == "__main__":
    sys.exit(main())
