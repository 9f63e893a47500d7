"""The files that the edge proxy needs where there is nothing but a plain Python 3.11."""

from __future__ import annotations

from pathlib import Path

AT_HOME = {"client.py", "process.py"}
"""They drive the proxy from outside, and need more than the standard library."""
ROOF = b'"""The edge proxy of knockon, by itself."""\n'


def sources() -> dict[str, bytes]:
    """Relative path to content. Copied into a folder, ``python -m fuzzer.edges`` runs in it."""
    here = Path(__file__).parent
    found = {"fuzzer/__init__.py": ROOF}
    for path in sorted(here.rglob("*.py")):
        if path.name not in AT_HOME:
            found[f"fuzzer/edges/{path.relative_to(here).as_posix()}"] = path.read_bytes()
    return found
