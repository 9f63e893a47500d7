"""The incident on real containers, from finding it to guarding against it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.end_to_end.conftest import SHOP

pytestmark = pytest.mark.docker

FRAGILE = [SHOP / "compose.yaml"]
HARDENED = [SHOP / "compose.yaml", SHOP / "compose.hardened.yaml"]


def compose(desk, files, *words):
    command = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
    for file in files:
        command += ["-f", str(file)]
    done = subprocess.run([*command, *words], env=desk.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def project(engine, desk):
    """A name of its own, as a user would set it for compose and for knockon alike."""
    desk.environ["COMPOSE_PROJECT_NAME"] = f"knockon-e2e-{desk.environ['SHOP_PORTS']}"
    yield desk.environ["COMPOSE_PROJECT_NAME"]
    compose(desk, FRAGILE, "down", "-v", "-t", "1")


def test_the_incident_from_finding_to_guard(project, desk, fuzzer):
    compose(desk, FRAGILE, "up", "-d")
    fragile = f"--target {FRAGILE[0]} --runtime docker"

    faults = "--action crash --action kill --findings 1"
    found = desk.type(f"pytest {fuzzer} {fragile} {faults} --budget 10m --steps 4 --seed 3")
    assert found.code == 1, found.text
    assert "minimal scenario: 1 step, reproduced 3/3" in found.text
    assert "proved: with no fault at all everything holds" in found.text

    replay = found.line("replay it:")
    assert desk.type(replay).code == 1

    incident = desk.type(f"knockon pin 'crash checkout-service' --pins pins --name incident {fragile}")
    assert incident.code == 0, incident.text
    known = desk.type(f"pytest {fuzzer}/test_pins.py {fragile} --pins pins")
    assert known.code == 0, known.text
    assert "1 xfailed" in known.text

    compose(desk, HARDENED, "up", "-d")
    hardened = f"--target {HARDENED[0]} --target {HARDENED[1]} --runtime docker"
    fixed = desk.type(f"pytest {fuzzer}/test_pins.py {hardened} --pins pins")
    assert fixed.code == 0, fixed.text
    assert "incident.json: fixed" in fixed.text
    guard = desk.type(f"knockon pin --guard pins/incident.json {hardened}")
    assert guard.code == 0, guard.text
    guarded = desk.type(f"pytest {fuzzer}/test_pins.py {hardened} --pins pins")
    assert guarded.code == 0, guarded.text
    assert "1 passed" in guarded.text
    assert "xfailed" not in guarded.text


def test_nothing_runs_there(engine, desk, fuzzer):
    done = desk.type(f"pytest {fuzzer} --project knockon-nobody --runtime docker")
    assert done.code == 2, done.text
    assert "knockon-nobody" in done.text


def test_no_engine_is_inconclusive(desk, fuzzer):
    desk.environ["DOCKER_HOST"] = "tcp://127.0.0.1:1"
    done = desk.type(f"pytest {fuzzer} --target {HARDENED[0]} --runtime docker")
    assert done.code == 3, done.text
    assert "Traceback" not in done.text
