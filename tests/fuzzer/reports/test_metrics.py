"""What a scrape tells of a run."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests
import yaml
from click.testing import CliRunner

from fuzzer.cli.main import cli
from fuzzer.events import Finding, FindingMade, Played, ScenarioBegan, ScenarioEnded, StepBegan
from fuzzer.reports.metrics import Metrics, serving
from models.errors import RequestError
from models.scenario import Scenario
from models.step import Step
from models.verdict import Outcome, Violation
from tests.support.fake_fleet import target_of

OBSERVABILITY = Path(__file__).parents[3] / "examples" / "observability"
PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")
KILL = Scenario.parse("kill web")
BROKEN = Violation("isolation", "db", 1.0, "db exited")


@pytest.fixture
def sick():
    return set()


@pytest.fixture
def metrics(sick):
    return Metrics(target_of(services=("web", "db")), "local", lambda: sick)


def scrape(metrics):
    with serving(metrics, 0) as port:
        answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5)
    assert answer.status_code == 200
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in answer.text.splitlines()
        if not line.startswith("#") and "_created" not in line
    }


def test_what_never_happened_is_zero_and_not_absent(metrics):
    seen = scrape(metrics)
    assert seen['knockon_scenarios_total{outcome="violated",purpose="search"}'] == 0
    assert seen['knockon_service_up{service="db"}'] == 1


def test_scenarios_steps_and_broken_promises_are_counted(metrics):
    metrics(ScenarioBegan(KILL, "search"))
    metrics(StepBegan(Step.parse("kill web")))
    during = scrape(metrics)
    assert during["knockon_scenario_playing"] == 1
    assert during['knockon_fault_in_force{action="kill"}'] == 1
    metrics(ScenarioEnded(Played(KILL, Outcome.VIOLATED, violations=(BROKEN,)), "search"))
    metrics(ScenarioEnded(Played(KILL, Outcome.VIOLATED, violations=(BROKEN,)), "shrink"))
    metrics(FindingMade(Finding(target_of(), "local", KILL, KILL, BROKEN)))
    after = scrape(metrics)
    assert after["knockon_scenario_playing"] == 0
    assert 'knockon_fault_in_force{action="kill"}' not in after
    assert after['knockon_steps_total{action="kill"}'] == 1
    assert after['knockon_scenarios_total{outcome="violated",purpose="shrink"}'] == 1
    assert after['knockon_violations_total{invariant="isolation",service="db"}'] == 1, (
        "not those of shrinking"
    )
    assert after['knockon_findings_total{invariant="isolation",service="db"}'] == 1


def test_a_heal_ends_what_is_in_force(metrics):
    metrics(StepBegan(Step.parse("pause web")))
    metrics(StepBegan(Step.parse("heal all")))
    assert not [name for name in scrape(metrics) if name.startswith("knockon_fault_in_force")]


def test_how_services_are_is_asked_at_the_time_of_the_scrape(metrics, sick):
    assert scrape(metrics)['knockon_service_up{service="web"}'] == 1
    sick.add("web")
    assert scrape(metrics)['knockon_service_up{service="web"}'] == 0


def test_a_port_that_is_taken_is_told(metrics):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = pytest.raises(RequestError, match=f"--metrics-port {port}: cannot be listened on")
        with refused, serving(metrics, port):
            pass


def test_it_listens_on_this_machine_only_and_no_longer_than_asked(metrics):
    with serving(metrics, 0) as port:
        for address in ("0.0.0.0", "::"):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            table = Path("/proc/net/tcp6" if ":" in address else "/proc/net/tcp").read_text()
            everywhere = "0" * (32 if family is socket.AF_INET6 else 8)
            assert f" {everywhere}:{port:04X} " not in table
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5)


COMPOSE = """
x-knockon:
  enabled: true
  loads: {browse: {entry: web, path: /, rate_rps: 20}}
services:
  web: {image: x, restart: always, x-knockon: {health: "http://127.0.0.1:1/health"}}
"""


@pytest.fixture
def scraped(tmp_path, monkeypatch):
    """Everything that a whole run on the simulation served at its end."""
    texts = []

    def kept(metrics, port):
        whole = serving(metrics, port)

        class Kept:
            def __enter__(self):
                self.port = whole.__enter__()
                return self.port

            def __exit__(self, *rest):
                texts.append(requests.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5).text)
                return whole.__exit__(*rest)

        return Kept()

    monkeypatch.setattr("fuzzer.reports.metrics.serving", kept)
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    words = ["replay", "load browse 20rps 3s; crash web; wait 1s", "--runtime", "sim", "--metrics-port", "0"]
    words += ["--target", str(tmp_path / "compose.yaml"), "--state", str(tmp_path / "state")]
    done = CliRunner().invoke(cli, words)
    assert re.search(r"note: metrics of this run: http://127.0.0.1:\d+/metrics", done.output)
    (text,) = texts
    return text


def test_a_real_run_measures_recoveries_and_requests(scraped):
    assert 'knockon_recovery_seconds_count{service="web"} 1.0' in scraped
    sent = re.findall(r'knockon_requests_total{load="browse",phase="during",result="ok"} (\S+)', scraped)
    assert float(sent[0]) > 20
    assert 'knockon_steps_total{action="crash"} 1.0' in scraped


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not there: scripts/load-tools.sh")
def test_promtool_finds_nothing_wrong(scraped):
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=scraped, text=True, capture_output=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    done = subprocess.run(
        [PROMTOOL, "check", "config", OBSERVABILITY / "prometheus.yml"], text=True, capture_output=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_and_dashboard_ask_only_for_metrics_that_there_are(scraped):
    known = set(re.findall(r"^# TYPE (\S+)", scraped, re.MULTILINE)) | {"knockon_service_up"}
    known |= {"knockon_violations_total", "knockon_fault_in_force"}
    rules = yaml.safe_load((OBSERVABILITY / "rules.yml").read_text())["groups"][0]["rules"]
    asked = [rule["expr"] for rule in rules]
    dashboard = json.loads((OBSERVABILITY / "grafana.json").read_text())
    asked += [one["expr"] for panel in dashboard["panels"] for one in panel["targets"]]
    asked += [one["expr"] for one in dashboard["annotations"]["list"]]
    names = {re.sub("_bucket$", "", name) for text in asked for name in re.findall(r"knockon_\w+", text)}
    assert len(names) >= 6
    assert names <= known


@pytest.mark.skipif(not PROMETHEUS, reason="Prometheus is not there: scripts/load-tools.sh")
def test_the_real_prometheus_scrapes_it_and_knows_the_rules(metrics, tmp_path):
    metrics(ScenarioEnded(Played(KILL, Outcome.VIOLATED, violations=(BROKEN,)), "search"))
    config = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())
    config["rule_files"] = [str(OBSERVABILITY / "rules.yml")]
    with socket.create_server(("127.0.0.1", 0)) as free:
        own = free.getsockname()[1]
    with serving(metrics, 0) as port:
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
        server = subprocess.Popen(
            [
                *(PROMETHEUS, f"--config.file={tmp_path / 'prometheus.yml'}"),
                *(f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{own}"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            found = until_scraped(f"http://127.0.0.1:{own}/api/v1")
        finally:
            server.terminate()
            server.wait(20)
    assert found == "1"


def until_scraped(api):
    """The value of a sample, once there is one."""
    query = {"query": 'knockon_violations_total{service="db"}'}
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        try:
            result = requests.get(f"{api}/query", params=query, timeout=5).json()["data"]["result"]
            groups = requests.get(f"{api}/rules", timeout=5).json()["data"]["groups"]
        except (requests.RequestException, KeyError, ValueError):
            result, groups = [], []
        if result and groups and len(groups[0]["rules"]) == 4:
            return result[0]["value"][1]
        time.sleep(0.2)
    pytest.fail("Prometheus scraped nothing")
