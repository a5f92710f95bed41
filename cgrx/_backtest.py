"""A pipeline on a recording: in columns where its stages can be said so, event by event where not."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

