"""Which knockon this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of


def version(package: str = "knockon") -> str:
    """The version of an installed package, or that it is not installed."""
    try:
        return version_of(package)
    except PackageNotFoundError:
        return "(not installed: run from a checkout)"
