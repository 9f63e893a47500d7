"""The shop, and the commands as a person types them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.ports import free_prefix

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "examples" / "shop"
BIN = Path(sys.executable).parent


@dataclass
class Done:
    """What a command printed, and how it ended."""

    code: int
    text: str

    def line(self, start: str) -> str:
        """The rest of the first line that starts so."""
        found = re.search(rf"^{re.escape(start)}\s*(.+)$", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]


@dataclass
class Desk:
    """A folder to type commands in."""

    folder: Path
    environ: dict[str, str]

    def type(self, command: str, timeout_s: float = 400) -> Done:
        """Run one command line, which may name knockon or pytest."""
        words = shlex.split(command)
        done = subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Done(done.returncode, done.stdout + done.stderr)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty folder, with the shop on free ports."""
    environ = {**os.environ, "SHOP_PORTS": str(free_prefix()), "SHOP_FLAWS": ""}
    return Desk(tmp_path, environ)


@pytest.fixture
def fuzzer() -> str:
    """What ``pytest fuzzer`` names, from any folder."""
    return str(ROOT / "fuzzer")
