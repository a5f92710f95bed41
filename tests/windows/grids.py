"""Where the windows of the reference lie on a grid of time. Windows are known by their start."""

from typing import NamedTuple


class Even(NamedTuple):
    """Windows of equal length."""

    size: int
    every: int
    offset: int = 0

    def containing(self, time_ms: int) -> list[int]:
        """The starts of the windows that hold a time."""
        last = (time_ms - self.offset) // self.every * self.every + self.offset
        return sorted(range(last, time_ms - self.size, -self.every))

    def end(self, start: int) -> int:
        return start + self.size

    def first_open(self, watermark: int) -> int:
        """The start of the first window that ends after the watermark."""
        return (watermark - self.size - self.offset) // self.every * self.every + self.every + self.offset

    def between(self, start: int, until: int) -> set[int]:
        """The windows from one on, up to another one."""
        return set(range(start, until, self.every))


class Uneven(NamedTuple):
    """One window after the other, of lengths that differ."""

    cuts: tuple[int, ...]

    def containing(self, time_ms: int) -> list[int]:
        return [max(cut for cut in self.cuts if cut <= time_ms)]

    def end(self, start: int) -> int:
        return min(cut for cut in self.cuts if cut > start)

    def first_open(self, watermark: int) -> int:
        return max((cut for cut in self.cuts if cut <= watermark), default=self.cuts[0])

    def between(self, start: int, until: int) -> set[int]:
        return {cut for cut in self.cuts if start <= cut < until}
