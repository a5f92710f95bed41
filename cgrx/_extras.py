"""The extras `recording`, `frames`, `metrics` and `proxy`: the core imports and works without them."""

from importlib.util import find_spec
from typing import Literal

_PACKAGES = {
    "recording": ("pyarrow", "filelock"),
    "frames": ("polars",),
    "metrics": ("prometheus_client",),
    "proxy": ("python_socks",),
}


def require_extra(what: str, extra: Literal["recording", "frames", "metrics", "proxy"] = "recording") -> None:
    """Raise `ImportError`, which says what to install, where a package of the extra is missing."""
    for package in _PACKAGES[extra]:
        if find_spec(package) is None:
            raise ImportError(f'{what} needs the package {package}: pip install "cgrx[{extra}]"')
