"""Ctrl-C raises `KeyboardInterrupt` between any two steps of the main thread: `uninterrupted` keeps some together."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def uninterrupted(at_once: Callable[[], object] = lambda: None) -> Generator[None]:
    """Raise `KeyboardInterrupt` behind the body, where Ctrl-C would raise it within.

    A body that waits gives what ends its waiting: `at_once` is called within.

    Only Python's own handler of SIGINT raises it so. Where another one is set, as by trio or asyncio, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread() or (
        signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    kept: list[int] = []

    def keep(number: int, _: object) -> None:
        kept.append(number)
        at_once()

    signal.signal(signal.SIGINT, keep)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if kept:
        raise KeyboardInterrupt
