"""The extra `recording`: the core imports and works without it."""

from importlib.util import find_spec

_PACKAGES = ("pyarrow", "filelock")


def require_extra(what: str) -> None:
    """Raise `ImportError`, which says what to install, where a package of the extra is missing."""
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise ImportError(f'{what} needs the package {package}: pip install "cgrx[recording]"')
