"""What several pipelines have in common: the stages with which they begin, found by comparing their values."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from cgrx._backtest.plan import Branch, Merged
from cgrx._streams.stream import Stage

Key: TypeAlias = tuple[object, ...]
"""A branch, to compare it with others: its source, then each of its stages."""


def key_of(branch: Branch) -> Key:
    """The source and the stages of a branch; equal keys give equal results."""
    source: object = branch.source
    if isinstance(branch.source, Merged):
        source = (branch.source.order, *map(key_of, branch.source.branches))
    return (source, *map(_stage_key, branch.stages))


def _stage_key(stage: Stage[Any, Any]) -> object:
    # 0, 0.0 and False are equal, but may give other results; they print differently.
    key = (repr(stage), stage)
    try:
        hash(key)
    except TypeError:  # it holds something that may change, so it is equal to itself alone
        return id(stage)
    return key


class Common:
    """What several branches have in common. State: a note for each stage of each of them."""

    def __init__(self, branches: Iterable[Branch] = ()) -> None:
        self.branches = tuple(branches)
        self._followers: dict[Key, dict[object, Stage[Any, Any] | None]] = {}
        for branch in self.branches:
            self._note(branch, None)

    def _note(self, branch: Branch, behind: object) -> None:
        """Note what follows each part of a branch; behind the last of its stages comes `behind`."""
        key = key_of(branch)
        for at, stage in enumerate((*branch.stages, None), 1):
            follower = behind if stage is None else key[at]
            self._followers.setdefault(key[:at], {})[follower] = stage
        if isinstance(branch.source, Merged):
            for each in branch.source.branches:
                self._note(each, key[0])

    def followers(self, key: Key) -> tuple[Stage[Any, Any] | None, ...]:
        """The different stages that follow this beginning; None stands for an end or a merge.

        Several of them mean that it is worth to compute the beginning once.
        """
        return tuple(self._followers.get(key, {}).values())

    def is_fork(self, key: Key) -> bool:
        """Whether pipelines part here: they begin with this, and go on differently."""
        return len(self._followers.get(key, ())) > 1
