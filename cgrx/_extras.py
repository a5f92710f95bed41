"""The extras: what cgrx needs them for says so, with what to install; everything else works without them."""

from importlib.util import find_spec
from typing import Literal, TypeAlias

Extra: TypeAlias = Literal[
    "recording",
    "frames",
    "metrics",
    "proxy",
    "spill",
    "postgres",
    "redis",
    "kafka",
    "duckdb",
    "webhook",
    "board",
    "spark",
]

_PACKAGES: dict[Extra, tuple[str, ...]] = {
    "recording": ("pyarrow", "filelock"),
    "frames": ("polars", "numpy"),
    "metrics": ("prometheus_client",),
    "proxy": ("python_socks",),
    "spill": ("filelock",),
    "postgres": ("psycopg",),
    "redis": ("coredis",),
    "kafka": ("confluent_kafka",),
    "duckdb": ("duckdb", "pyarrow"),
    "webhook": ("httpx",),
    "board": ("starlette", "hypercorn"),
    "spark": ("pyspark", "pandas", "pyarrow", "google.protobuf"),
}
"""By the name of each extra, the packages that are imported."""


def require_extra(what: str, extra: Extra = "recording") -> None:
    """Raise `ImportError`, which says what to install, where a package of the extra is missing."""
    for package in _PACKAGES[extra]:
        if find_spec(package) is None:
            raise ImportError(f'{what} needs the package {package}: pip install "cgrx[{extra}]"')
