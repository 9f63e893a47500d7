from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException

from fuzzer.targets.files import load_target
from models.errors import TargetError
from models.target import Target

Load = Callable[..., Target]
Refusal = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Writes texts as compose files of the project `shop` and loads them in order."""

    def load(*texts: str, environ: Mapping[str, str] | None = None, env: str | None = None) -> Target:
        folder = tmp_path / "shop"
        folder.mkdir(exist_ok=True)
        paths = []
        for number, text in enumerate(texts):
            paths.append(folder / f"{number}.yaml")
            paths[-1].write_text(text)
        if env is not None:
            (folder / ".env").write_text(env)
        return load_target(paths, environ or {})

    return load


@pytest.fixture
def refusal(load: Load, tmp_path: Path) -> Refusal:
    """The problems of files that cannot be loaded, without the folder they stand in."""

    def refusal(*texts: str, **options: str) -> list[str]:
        with pytest.raises(TargetError) as raised:
            load(*texts, **options)
        return [str(problem).replace(f"{tmp_path}/shop/", "") for problem in raised.value.problems]

    return refusal


@pytest.fixture
def docker_client() -> Iterator[docker.APIClient]:
    try:
        client = docker.APIClient(timeout=20)
    except DockerException as error:
        if os.environ.get("KNOCKON_REQUIRE_DOCKER") == "1":
            raise
        pytest.skip(f"no Docker engine answers: {error}")
    yield client
    client.close()
