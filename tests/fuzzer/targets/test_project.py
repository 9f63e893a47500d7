"""A running project, found by its labels: recorded ones of compose v1 and v2, and real containers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from docker.errors import APIError, DockerException, NotFound

from fuzzer.targets.project import discover_project
from models.errors import RuntimeUnavailable, TargetError
from models.target import Port, Target
from models.topology import Source

COMPOSE = "com.docker.compose."


def container(service: str, project: str = "shop", **options: Any) -> dict[str, Any]:
    """What the engine's inspect call says of a container that compose v2 made."""
    labels = {
        COMPOSE + "project": project,
        COMPOSE + "service": service,
        COMPOSE + "container-number": str(options.get("number", 1)),
        COMPOSE + "oneoff": options.get("oneoff", "False"),
        COMPOSE + "project.working_dir": options.get("working_dir", "/gone"),
        COMPOSE + "project.config_files": options.get("config_files", "/gone/compose.yaml"),
        COMPOSE + "depends_on": options.get("depends_on", ""),
        **options.get("labels", {}),
    }
    return {
        "Id": uuid.uuid4().hex,
        "Name": f"/{project}-{service}-1",
        "Config": {
            "Labels": labels,
            "Env": options.get("env"),
            "Healthcheck": options.get("healthcheck"),
            "Hostname": "0a1b2c3d4e5f",
        },
        "HostConfig": {
            "RestartPolicy": options.get("restart", {"Name": "no", "MaximumRetryCount": 0}),
            "PortBindings": options.get("ports"),
        },
        "NetworkSettings": {"Networks": {"shop_default": {"Aliases": options.get("aliases")}}},
    }


class Engine:
    """Answers as the engine's API does, from recorded containers."""

    def __init__(self, *containers: dict[str, Any], gone: str | None = None) -> None:
        self.recorded = containers
        self.gone = gone

    def containers(self, *, all: bool = False, filters: Mapping[str, str]) -> list[dict[str, Any]]:
        name, _, value = filters["label"].partition("=")
        listed = ({"Id": c["Id"], "Labels": c["Config"]["Labels"]} for c in self.recorded)
        return [c for c in listed if name in c["Labels"] and value in ("", c["Labels"][name])]

    def inspect_container(self, name: str) -> dict[str, Any]:
        found = next(c for c in self.recorded if c["Id"] == name)
        if found["Config"]["Labels"][COMPOSE + "service"] == self.gone:
            raise NotFound("no such container")
        return found


def discover(*containers: dict[str, Any], gone: str | None = None, **environ: str) -> Target:
    return discover_project("shop", Engine(*containers, gone=gone), environ)  # type: ignore[arg-type]


def test_labels_and_settings_make_a_target_where_the_files_are_away():
    target = discover(
        container(
            "web",
            depends_on="db:service_healthy:false,migrate:service_completed_successfully:false",
            env=["DB_URL=http://db:5432", "LOG=http://sink:80", "EMPTY="],
            restart={"Name": "on-failure", "MaximumRetryCount": 3},
            ports={
                "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8001"}, {"HostIp": "::", "HostPort": "8001"}],
                "81/tcp": [{"HostIp": "", "HostPort": ""}],
                "82/udp": [{"HostIp": "", "HostPort": "82"}],
                "83/tcp": None,
            },
            labels={"knockon.enable": "true"},
        ),
        container("db", restart={"Name": "always"}, healthcheck={"Test": ["CMD", "pg_isready"]}),
        container("log", aliases=["Sink"], healthcheck={"Test": ["NONE"]}),
        container("migrate"),
    )
    assert target.name == "shop"
    assert target.topology.services == ("db", "log", "web")
    assert {str(edge) for edge in target.topology.dependencies} == {
        "web -> db (hard)",
        "web -> log (hard, inferred)",
    }
    web = target.services["web"]
    assert str(web.restart) == "on-failure:3"
    assert web.ports == (Port(80, 8001), Port(80, 8001, "::1"), Port(81, None))
    assert web.environment == {"DB_URL": "http://db:5432", "LOG": "http://sink:80", "EMPTY": ""}
    assert [target.services[name].health.kind for name in ("db", "log", "web")] == [
        "engine",
        "running",
        "running",
    ]
    assert target.faultable == ("web",)
    assert target.files == ()
    assert target.directory == Path.cwd()
    assert "migrate is left out: it runs once and ends" in target.notes
    assert any("read from labels" in note for note in target.notes)
    assert any("LOG; declare it under depends_on or x-knockon.soft" in note for note in target.notes)


def test_one_off_containers_replicas_and_vanished_ones_do_not_count():
    target = discover(
        container("web", number=2, env=["N=2"]),
        container("web", number=1, env=["N=1"]),
        container("web", oneoff="True", number=0, env=["N=0"]),
        container("gone"),
        gone="gone",
    )
    assert target.topology.services == ("web",)
    assert target.services["web"].environment == {"N": "1"}


def test_an_unknown_project_is_answered_with_those_that_run():
    with pytest.raises(
        TargetError, match="no container of it; expected one of those that run: fleet, shopp; did you"
    ):
        discover(container("web", project="shopp"), container("web", project="fleet"))
    with pytest.raises(TargetError, match="expected a compose project; none runs"):
        discover()


@pytest.mark.parametrize(
    "error", [DockerException("down"), requests.ConnectionError("refused"), APIError("500")]
)
def test_an_engine_that_does_not_answer_is_no_fault_of_the_target(error: Exception):
    class Broken:
        def containers(self, **_: object) -> None:
            raise error

    with pytest.raises(RuntimeUnavailable, match="the Docker engine does not answer"):
        discover_project("shop", Broken(), {})  # type: ignore[arg-type]


FILE = """
x-knockon: {enabled: true, loads: {l: {entry: web}, t: {entry: tool}}}
services:
  web: {ports: ["${PORT:-8001}:80"], depends_on: [db], x-knockon: {health: "http://127.0.0.1:${PORT:-8001}/"}}
  db: {image: x}
  tool: {profiles: [tools], depends_on: [web]}
"""
PORTS = {"80/tcp": [{"HostIp": "", "HostPort": "8001"}]}


@pytest.mark.parametrize("relative", [True, False], ids=["v1", "v2"])
def test_files_that_can_be_read_here_say_what_the_project_is(tmp_path: Path, relative: bool):
    (tmp_path / "compose.yaml").write_text("name: other\n" + FILE)
    (tmp_path / "over.yaml").write_text("services: {web: {restart: always}}")
    names = [name if relative else str(tmp_path / name) for name in ("compose.yaml", "over.yaml")]
    where = {"working_dir": str(tmp_path), "config_files": ",".join(names)}
    target = discover(
        container("web", ports=PORTS, **where), container("db", **where), container("old", **where)
    )
    assert target.name == "shop"
    assert target.faultable == ("web", "db")
    assert str(target.services["web"].restart) == "always"
    assert target.files == (tmp_path / "compose.yaml", tmp_path / "over.yaml")
    assert target.loads.keys() == {"l"}
    assert "tool is left out: it has no container" in target.notes
    assert "old is left alone: it has a container, but is no part of this target" in target.notes
    whole = discover(
        container("web", ports=PORTS, **where), container("db", **where), container("tool", **where)
    )
    assert whole.topology.services == ("web", "db", "tool")


def test_files_with_problems_are_told(tmp_path: Path):
    (tmp_path / "compose.yaml").write_text("services: {web: {restart: allways}}")
    with pytest.raises(TargetError, match="did you mean `always`"):
        discover(container("web", working_dir=str(tmp_path), config_files="compose.yaml"))


def test_files_of_another_fleet_are_refused(tmp_path: Path):
    (tmp_path / "compose.yaml").write_text("services: {other: {image: x}}")
    with pytest.raises(TargetError, match="services: found none that has a container; expected one of web"):
        discover(container("web", working_dir=str(tmp_path), config_files="compose.yaml"))


def test_files_that_lead_to_another_stack_are_refused(tmp_path: Path):
    (tmp_path / "compose.yaml").write_text(FILE)
    web = container("web", ports=PORTS, working_dir=str(tmp_path), config_files="compose.yaml")
    assert discover(web).services["web"].health.url == "http://127.0.0.1:8001/"
    with pytest.raises(
        TargetError, match=r"services.web.ports: found 9001:80 in its files but 8001:80 at its container"
    ):
        discover(web, PORT="9001")


@pytest.fixture
def fleet(docker_client: docker.APIClient) -> Iterator[str]:
    """Two containers, never started, labelled as compose v2 does; the name of their project."""
    images = [image for image in docker_client.images() if image.get("RepoTags")]
    if not images:
        pytest.skip("the engine has no image")
    project = f"knockon-test-{uuid.uuid4().hex[:8]}"
    made = []
    try:
        for recorded in (
            container(
                "web", project, depends_on="db:service_started:false", labels={"knockon.enable": "true"}
            ),
            container("db", project, oneoff="False"),
            container("db", project, oneoff="True", number=0),
        ):
            made.append(
                docker_client.create_container(
                    images[0]["Id"],
                    ["true"],
                    environment={"DB_URL": "http://db:80"},
                    labels=recorded["Config"]["Labels"],
                    healthcheck={"Test": ["CMD", "true"]},
                    ports=[80],
                    host_config=docker_client.create_host_config(
                        restart_policy={"Name": "unless-stopped"}, port_bindings={80: ("127.0.0.1", 28001)}
                    ),
                )["Id"]
            )
        yield project
    finally:
        for identifier in made:
            docker_client.remove_container(identifier, force=True)


@pytest.mark.docker
def test_a_real_project_is_found(docker_client: docker.APIClient, fleet: str):
    target = discover_project(fleet, docker_client, {})
    assert target.name == fleet
    assert target.faultable == ("web",)
    assert str(target.services["db"].restart) == "unless-stopped"
    assert target.services["web"].health.kind == "engine"
    assert target.services["web"].ports == (Port(80, 28001),)
    (edge,) = target.topology.dependencies
    assert (str(edge), edge.source) == ("web -> db (hard)", Source.DEPENDS_ON)


@pytest.mark.docker
def test_a_real_engine_knows_no_such_project(docker_client: docker.APIClient):
    with pytest.raises(TargetError, match="no container of it"):
        discover_project(f"none-{uuid.uuid4().hex}", docker_client, {})
