"""The example shop as a benchmark's fleet: on its own ports, as processes, as containers or as a model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from fuzzer.config import RunConfig
from fuzzer.events import Listener
from fuzzer.search.campaign import SearchOptions
from fuzzer.session import Session, open_session
from models.errors import RuntimeUnavailable

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "shop"
FRAGILE = (FOLDER / "compose.yaml",)
PORTS = {"local": "890", "docker": "891", "sim": "892"}  # prefixes; below the range of outgoing connections
HARDENED = (FOLDER / "compose.yaml", FOLDER / "compose.hardened.yaml")


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Variables for the interpolation of the compose files."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def compose(project: str, files: tuple[Path, ...], *words: str) -> None:
    """Run the compose command that is installed.

    Raises:
        RuntimeUnavailable: there is none, or it failed.
    """
    v1 = shutil.which("docker-compose")
    command = [v1] if v1 else ["docker", "compose"]
    for file in files:
        command += ["-f", str(file)]
    done = subprocess.run(
        [*command, "-p", project, *words],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise RuntimeUnavailable(f"{' '.join(words)} failed: {done.stderr.strip()[-400:]}")


@contextmanager
def containers(project: str, files: tuple[Path, ...]) -> Iterator[None]:
    """The shop as containers, taken down at the end."""
    try:
        compose(project, files, "up", "-d")
        yield
    finally:
        compose(project, files, "down", "-v", "-t", "1")


@contextmanager
def session(
    runtime: str,
    files: tuple[Path, ...] = HARDENED,
    *listeners: Listener,
    flaws: str = "",
    limits: Mapping[str, float] = MappingProxyType({}),
    promises: tuple[str, ...] = (),
    actions: tuple[str, ...] = (),
) -> Iterator[Session]:
    """A session on the shop; containers are brought up for it, processes start with it.

    ``limits`` replace those of the target; ``promises`` are those that are judged, none for all.
    """
    ports = PORTS[runtime]
    project = f"knockon-bench-{runtime}"
    state = Path(tempfile.mkdtemp(prefix="knockon-bench-"))
    try:
        with environment(SHOP_PORTS=ports, SHOP_FLAWS=flaws):
            override = state / "limits.yaml"
            override.write_text(json.dumps({"x-knockon": {"limits": dict(limits)}}))
            config = RunConfig(
                (*files, override),
                project,
                runtime,
                state=state,
                search=SearchOptions(budget_s=None),
                promises=promises,
                actions=actions,
            )
            if runtime == "docker":
                with containers(project, files), open_session(config, *listeners) as opened:
                    yield opened
            else:
                with open_session(config, *listeners) as opened:
                    yield opened
    finally:
        shutil.rmtree(state, ignore_errors=True)
