"""The same commands on a compose project that runs: two containers, labelled as compose does it."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from secrets import token_hex

import pytest
from docker.errors import NotFound

from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.docker.clients import TROUBLE, Clients, default_client
from fuzzer.runtimes.docker.journal import DockerJournal
from fuzzer.runtimes.docker.lease import Lease
from fuzzer.runtimes.docker.owner import Owner

pytestmark = pytest.mark.docker

IMAGE = "python:3.11-slim"


@pytest.fixture(scope="module")
def api():
    try:
        client = default_client()
        client.inspect_image(IMAGE)
    except (NotFound, *TROUBLE) as error:
        if os.environ.get("KNOCKON_REQUIRE_DOCKER"):
            raise
        pytest.skip(f"no engine with {IMAGE}: {error}")
    yield client
    client.close()


@pytest.fixture(scope="module")
def project(api):
    """``db`` and ``web``, of which the second is not opted in."""
    name = f"knockon-cli-{token_hex(3)}"
    made = []
    try:
        for service, opted_in in (("db", "true"), ("web", "false")):
            labels = {"project": name, "service": service, "container-number": "1", "oneoff": "False"}
            container = api.create_container(
                IMAGE,
                ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"],
                name=f"{name}-{service}-1",
                labels={f"com.docker.compose.{key}": value for key, value in labels.items()}
                | {"knockon.enable": opted_in},
                stop_timeout=2,
                host_config=api.create_host_config(restart_policy={"Name": "unless-stopped"}),
            )["Id"]
            made.append(container)
            api.start(container)
        yield name
    finally:
        for container in made:
            api.remove_container(container, force=True)


def is_running(api, project, service):
    return api.inspect_container(f"{project}-{service}-1")["State"]["Running"]


def test_health_looks_at_what_runs(knockon, project):
    rows = knockon.json("health", "--json", "--project", project)
    assert [(row["service"], row["state"], row["problem"]) for row in rows] == [
        ("db", "running", ""),
        ("web", "running", ""),
    ]


def test_what_is_down_is_named(knockon, api, project):
    api.kill(f"{project}-web-1")
    try:
        result = knockon("health", "--project", project)
        assert result.exit_code == 1
        assert result.stdout.splitlines()[-1] == "not healthy: web"
    finally:
        api.start(f"{project}-web-1")


def test_a_kill_is_healed(knockon, api, project):
    result = knockon("kill", "db", "--wait", "1s", "--project", project)
    assert result.exit_code == 0, result.output
    assert "db exited with code 137; nothing starts it again" in result.stdout
    assert is_running(api, project, "db")


def test_what_is_not_opted_in_is_not_touched(knockon, api, project):
    before = api.inspect_container(f"{project}-web-1")["State"]["StartedAt"]
    result = knockon("kill", "web", "--project", project)
    assert result.exit_code == 2
    assert "there is no service 'web' here; expected one of: db" in result.stderr
    assert api.inspect_container(f"{project}-web-1")["State"]["StartedAt"] == before


def test_doctor_lists_the_project_and_what_may_be_harmed(knockon, project):
    found = {check["name"].strip(): check for check in knockon.json("doctor", "--json")}
    assert found[f"project {project}"]["found"] == "2 containers; may be harmed: db"


def test_heal_undoes_what_a_dead_run_left_behind_and_only_once(knockon, api, project, monkeypatch):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    owner = replace(Owner.me(), pid=dead.pid)
    monkeypatch.setattr(Owner, "me", classmethod(lambda cls: owner))
    clients, run = Clients(), token_hex(4)
    lease = Lease(clients, run, lambda: (IMAGE,), time.time)
    journal = DockerJournal(clients, project, run, lease, lambda: (IMAGE,))
    journal.write([Undo("start", ("db",))])
    lease.close()
    monkeypatch.undo()
    api.kill(f"{project}-db-1")

    healed = knockon("heal", "--project", project, "--runtime", "docker")
    assert (healed.exit_code, healed.stdout) == (0, f"docker: {project}: start db\n"), healed.output
    assert is_running(api, project, "db")
    again = knockon("heal", "--project", project, "--runtime", "docker")
    assert (again.exit_code, again.stdout) == (0, "nothing to heal\n")


def test_a_project_that_does_not_run_is_told_with_those_that_do(knockon, project):
    result = knockon("health", "--project", f"{project}x")
    assert result.exit_code == 2
    assert f"did you mean `{project}`?" in result.stderr
