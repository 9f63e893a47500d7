"""Chaos Toolkit experiments, judged by the real tool where it is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace

import pytest

from fuzzer.exchange.chaostoolkit import experiment, scenario_of
from fuzzer.exchange.deeds import by_compose
from models.errors import RequestError, ScenarioError
from models.scenario import Scenario
from models.target import HealthProbe, ProbeKind
from tests.support.fake_fleet import target_of

CHAOS = shutil.which("chaos", path=os.environ.get("KNOCKON_TOOLS", "") or None)
NEEDS_CHAOS = pytest.mark.skipif(not CHAOS, reason="Chaos Toolkit is not there: scripts/load-tools.sh")


@pytest.fixture
def target():
    return target_of(services=("web", "web-api", "db"))


def written(text, target):
    return experiment(Scenario.parse(text), target, by_compose("shop"))


def action(path, *arguments, **more):
    return {
        "type": "action",
        "name": "x",
        "provider": {"type": "process", "path": path, "arguments": list(arguments)},
        **more,
    }


def read(method, target):
    return str(scenario_of(json.dumps({"title": "x", "method": method}), target, "x.json"))


def test_waits_are_pauses_and_the_end_is_healed(target):
    made = written("wait 1s; kill web; wait 2s; wait 3s; pause db", target)
    first, second, *rest = made["method"]
    assert first["pauses"] == {"before": 1.0, "after": 5.0}
    assert second["name"] == "pause db"
    assert "pauses" not in second
    assert [one["provider"]["arguments"] for one in rest] == [
        ["start", "shop-web-1"],
        ["unpause", "shop-db-1"],
    ]
    assert rest[-1]["pauses"] == {"after": target.limits.observe_s}
    assert [one["name"] for one in made["rollbacks"]] == ["start web", "unpause db"]


def test_every_service_that_tells_its_health_by_http_is_asked(target):
    probe = HealthProbe(ProbeKind.HTTP, "http://127.0.0.1:8080/health")
    services = {**target.services, "web": replace(target.services["web"], health=probe)}
    made = written("kill web", replace(target, services=services))
    (asked,) = made["steady-state-hypothesis"]["probes"]
    assert asked["provider"]["url"] == "http://127.0.0.1:8080/health"


def test_what_has_no_equivalent_is_told_and_nothing_at_all_refused(target):
    made = written("load browse 5rps 2s; kill web", target)
    assert "load browse 5rps 2s was left out: load has no equivalent" in made["description"]
    with pytest.raises(RequestError, match="nothing of `load browse 5rps 2s` can be done"):
        written("load browse 5rps 2s", target)


def test_what_was_written_is_read_again(target):
    text = "crash web-api; wait 2s; pause db; wait 1.5s; kill web"
    again = scenario_of(json.dumps(written(text, target)), target, "x.json")
    assert str(again).startswith(text)
    assert str(again).endswith("unpause db; start web; wait 3.5s")


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ([action("docker", "kill", "-s", "SIGKILL", "shop_web_1")], "kill web"),
        ([action("/usr/bin/docker", "pause", "shop-web-api-1")], "pause web-api"),
        ([action("docker", "compose", "stop", "web")], "stop web"),
        ([action("docker-compose", "restart", "-t", "3", "web", "db")], "restart web db"),
        ([action("pumba", "pause", "--duration", "5s", "re2:^/?shop[-_]db[-_][0-9]+$")], "pause db"),
        ([action("docker", "kill", "web", pauses={"before": 1, "after": 2})], "wait 1s; kill web; wait 2s"),
        ([{"type": "probe", "name": "x"}, action("docker", "kill", "web")], "kill web"),
    ],
)  # fmt: skip
def test_experiments_of_others_are_read(target, method, text):
    assert read(method, target) == text


def test_arguments_may_be_one_text(target):
    one = action("docker")
    one["provider"]["arguments"] = "kill --signal KILL shop-db-1"
    assert read([one], target) == "kill db"


@pytest.mark.parametrize(
    ("method", "error", "message"),
    [
        ([action("rm", "-rf", "x")], RequestError, r"method\[0\]: found `rm -rf x`; expected docker"),
        ([action("docker", "kill", "x-1")], ScenarioError, r"\[0\]: no service has a container 'x-1'"),
        ([], RequestError, "its method holds nothing"),
        ([{"type": "action", "provider": {"type": "python"}}], RequestError, "method.0.action.provider"),
        ("x", RequestError, "method"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_place(target, method, error, message):
    with pytest.raises(error, match=message):
        read(method, target)


def test_no_json_is_told(target):
    with pytest.raises(RequestError, match=r"x.json: is no Chaos Toolkit experiment that can be read here"):
        scenario_of("nonsense", target, "x.json")


def chaos(*words, cwd):
    return subprocess.run(
        [CHAOS, "--no-version-check", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@NEEDS_CHAOS
def test_the_real_tool_accepts_it(target, tmp_path):
    (tmp_path / "x.json").write_text(
        json.dumps(written("crash web; wait 2s; pause db; kill web-api", target))
    )
    done = chaos("validate", "x.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@NEEDS_CHAOS
@pytest.mark.docker
def test_the_real_tool_executes_it(container, tmp_path):
    """A container is paused and killed by Chaos Toolkit, and runs again at the end."""
    name, inspect = container
    before = inspect()["State"]["StartedAt"]
    fleet = target_of(services=("web",))
    made = experiment(Scenario.parse("pause web; wait 1s; heal all; kill web"), fleet, lambda service: [name])
    made["method"][-1]["pauses"] = {"after": 0}
    (tmp_path / "x.json").write_text(json.dumps(made))
    done = chaos("run", "x.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    journal = json.loads((tmp_path / "journal.json").read_text())
    assert journal["status"] == "completed"
    assert [one["output"]["status"] for one in journal["run"]] == [0, 0, 0, 0]
    state = inspect()["State"]
    assert state["Running"]
    assert not state["Paused"]
    assert state["StartedAt"] > before
