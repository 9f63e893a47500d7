"""What a service says of itself in compose's own keys."""

# ruff: noqa: E501  (a table of mistakes is read across)

from __future__ import annotations

from pathlib import Path

import pytest

from fuzzer.targets.ports import parse_port
from models.target import Condition, HealthCheck, Port


def service(load, body: str, **options: object):
    return load(f"services:\n  web: {{{body}}}", **options).services["web"]


@pytest.mark.parametrize(
    ("body", "policy"),
    [
        ("image: x", "no"),
        ('restart: "no"', "no"),
        ("restart: always", "always"),
        ("restart: unless-stopped", "unless-stopped"),
        ("restart: on-failure", "on-failure"),
        ("restart: on-failure:3", "on-failure:3"),
        ("restart: on-failure:0", "on-failure"),
        ("deploy: {restart_policy: {}}", "always"),
        ("deploy: {restart_policy: {condition: any}}", "always"),
        ("deploy: {restart_policy: {condition: none}}", "no"),
        ("deploy: {restart_policy: {condition: on-failure, max_attempts: 3}}", "on-failure:3"),
        ("restart: always, deploy: {restart_policy: {condition: none}}", "always"),
    ],
)
def test_restart_policies_are_those_of_compose(load, body: str, policy: str):
    assert str(service(load, body).restart) == policy


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("restart: no", 'restart: found no, which YAML 1.1 reads as false; expected "no" in quotes'),
        ("restart: false", "restart: found false; expected one of no, on-failure, always, unless-stopped"),
        ("restart: allways", "restart: found 'allways'; expected one of no, on-failure, always, unless-stopped; "
         "did you mean `always`?"),
        ("restart: always:3", "restart: found 'always:3'; expected a number of retries after on-failure only"),
        ("restart: on-failure:x", "restart: found 'on-failure:x'; expected one of"),
        ("restart: [always]", "restart: found a list; expected one of no"),
        ("deploy: {restart_policy: {condition: always}}", "deploy.restart_policy.condition: found 'always'; expected one of"),
        ("deploy: {restart_policy: {condition: on-failure, max_attempts: x}}", "deploy.restart_policy.max_attempts: found 'x'"),
        ("healthcheck: [CMD]", "healthcheck: found a list; expected a mapping"),
        ("healthcheck: {tset: x}", "healthcheck.tset: found an unknown key; expected a key of a health check; did you"),
        ("healthcheck: {disable: no}", "healthcheck.disable: found no, which YAML 1.1 reads as false; "
         'expected "no" in quotes, or false'),
        ("healthcheck: {interval: 3}", "healthcheck.interval: found 3; expected a span of time such as 30s or 1m30s"),
        ("healthcheck: {interval: 3 s}", "healthcheck.interval: found '3 s'; expected a span of time"),
        ("healthcheck: {timeout: 10us}", "healthcheck.timeout: found '10us'; expected a span of time"),
        ("healthcheck: {retries: many}", "healthcheck.retries: found 'many'; expected a whole number"),
        ("deploy: {replicas: 1.5}", "deploy.replicas: found 1.5; expected a whole number"),
        ("scale: two", "scale: found 'two'; expected a whole number"),
        ("environment: {A: on}", 'environment.A: found on, which YAML 1.1 reads as true; expected "on" in quotes'),
        ("environment: {A: 010}", "environment.A: found 010, which YAML 1.1 reads as the number 8; expected "),
        ("environment: {A: 2024-01-31}", "environment.A: found 2024-01-31, which YAML 1.1 reads as a date"),
        ("environment: {A: [b]}", "environment.A: found a list; expected text or a number"),
        ("environment: {no: b}", 'environment.no: found no, which YAML 1.1 reads as false; expected "no" in quotes'),
        ("environment: [3]", "environment[0]: found 3; expected NAME=value"),
        ("environment: A=b", "environment: found 'A=b'; expected variables: a mapping, or a list of NAME=value"),
        ("env_file: none.env", "env_file[0]: found 'none.env'; expected a file that exists"),
        ("env_file: [{required: true}]", "env_file[0]: found no `path`; expected a file under `path`"),
        ("ports: 8001", "ports: found 8001; expected a list"),
        ("ports: [22:22]", "ports[0]: found 22:22, which YAML 1.1 reads as a number to the base 60"),
        ("ports: [1.5]", "ports[0]: found 1.5; expected [ADDRESS:][HOST:]CONTAINER"),
        ("ports: ['a:b']", "ports[0]: found 'a:b'; expected [ADDRESS:][HOST:]CONTAINER[/PROTOCOL], such as "),
        ("ports: ['70000']", "ports[0]: found '70000'; expected ports from 1 to 65535, the lower one first"),
        ("ports: ['80/tpc']", "ports[0]: found '80/tpc'; expected one of the protocols tcp, udp, sctp"),
        ("ports: ['localhost:80:80']", "ports[0]: found 'localhost:80:80'; expected an IP address before the ports"),
        ("ports: ['1-2:1-3']", "ports[0]: found '1-2:1-3'; expected ranges of the same length on both sides"),
        ("ports: [{published: 80}]", "ports[0]: found no `target`; expected the container's port under `target`"),
        ("ports: [{target: 80, publishd: 80}]", "ports[0].publishd: found an unknown key; expected a key of a port; "
         "did you mean `published`?"),
        ("ports: [{target: 010}]", "ports[0].target: found 010, which YAML 1.1 reads as the number 8"),
        ("profiles: [3]", "profiles[0]: found 3; expected the name of a profile"),
        ("extends: other", "extends: found `extends`; expected the service written out: `docker compose config` "),
        ("port: []", "port: found an unknown key; expected a key of a service; did you mean `ports`?"),
        ("frobnicate: 1", "frobnicate: found an unknown key; expected a key of a service"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_service_is_told(refusal, body: str, told: str):
    (only,) = refusal(f"services:\n  web: {{{body}}}")
    assert only.startswith(f"0.yaml:2: services.web.{told}")


def test_keys_that_are_not_read_are_left_in_peace(load):
    assert service(
        load,
        "x-any: {on: off}, logging: {driver: 3}, networks: [a], volumes: [no, 010], secrets: 7, deploy: {mode: 22:22},"
        " command: off, build: {on: 2024-01-31}, labels: {a: on}",
    )


@pytest.mark.parametrize("name", ["2s", "_db", "a b", "a/b"])
def test_a_service_has_a_name_that_a_scenario_can_say(refusal, name: str):
    (only,) = refusal(f"services: {{'{name}': {{image: x}}}}")
    assert f"found '{name}'; expected a name of letters, digits" in only


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("image: x", "running"),
        ("healthcheck: {test: curl localhost}", "engine"),
        ("healthcheck: {interval: 3s}", "engine"),
        ("healthcheck: {disable: true, test: x}", "running"),
        ("healthcheck: {test: NONE}", "running"),
        ("healthcheck: {test: [NONE]}", "running"),
        ("healthcheck: {test: x}, x-knockon: {health: http://localhost/}", "http"),
    ],
)
def test_health_is_told_by_the_best_probe_there_is(load, body: str, kind: str):
    assert service(load, body).health.kind == kind


@pytest.mark.parametrize(
    ("body", "check"),
    [
        ("image: x", None),
        ("healthcheck: {test: NONE}", None),
        ("healthcheck: {test: x}", HealthCheck(30.0, 30.0, 3, 0.0)),
        ("healthcheck: {test: x, interval: 1m30s, timeout: 500ms, retries: 5, start_period: 1h}",
         HealthCheck(90.0, 0.5, 5, 3600.0)),
        ("healthcheck: {test: x, interval: 0s, retries: 0}", HealthCheck(30.0, 30.0, 3, 0.0)),
        ('healthcheck: {test: x, retries: "2", interval: 1.5s}', HealthCheck(1.5, 30.0, 2, 0.0)),
    ],
)  # fmt: skip
def test_a_health_check_is_read_with_dockers_defaults(load, body: str, check: HealthCheck | None):
    assert service(load, body).healthcheck == check


def test_what_compose_waits_for_is_read(load):
    target = load("""
services:
  web: {depends_on: {db: {condition: service_healthy}, log: {condition: service_started}, job:
    {condition: service_completed_successfully}}}
  db: {depends_on: [log]}
  log: {image: x}
  job: {image: x}
""")
    assert target.services["web"].starts_after == {"db": Condition.HEALTHY, "log": Condition.STARTED}
    assert target.services["db"].starts_after == {"log": Condition.STARTED}
    assert target.services["log"].starts_after == {}


@pytest.mark.parametrize(
    ("body", "replicas"),
    [
        ("image: x", 1),
        ("scale: 2", 2),
        ("deploy: {replicas: 3}", 3),
        ("deploy: {replicas: 0}", 1),
        ("deploy: {replicas: 3}, x-knockon: {model: {replicas: 4}}", 4),
    ],
)
def test_replicas_are_those_of_compose_unless_said_otherwise(load, body: str, replicas: int):
    assert service(load, body).model.replicas == replicas


def test_services_without_a_health_url_are_noted(load):
    notes = load("services: {a: {image: x}, b: {healthcheck: {test: x}}, c: {image: x}}").notes
    assert "without x-knockon.health, they count as healthy while they run: a, c" in notes
    assert "without x-knockon.health, their health is what the container's health check says: b" in notes


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("8003", [(8003, None, "127.0.0.1")]),
        ("8003:80", [(80, 8003, "127.0.0.1")]),
        ("8003:80/tcp", [(80, 8003, "127.0.0.1")]),
        ("8003:80/udp", []),
        ("0.0.0.0:8003:80", [(80, 8003, "127.0.0.1")]),
        ("10.0.0.1:8003:80", [(80, 8003, "10.0.0.1")]),
        ("127.0.0.1::80", [(80, None, "127.0.0.1")]),
        ("0:80", [(80, None, "127.0.0.1")]),
        ("[::1]:8003:80", [(80, 8003, "::1")]),
        ("[::]:8003:80", [(80, 8003, "::1")]),
        ("::1:8003:80", [(80, 8003, "::1")]),
        ("8001-8002:81-82", [(81, 8001, "127.0.0.1"), (82, 8002, "127.0.0.1")]),
        ("8001-8009:80", [(80, None, "127.0.0.1")]),
        ("81-82", [(81, None, "127.0.0.1"), (82, None, "127.0.0.1")]),
    ],
)
def test_short_ports_are_read_as_compose_does(text: str, ports: list[tuple[int, int | None, str]]):
    assert parse_port(text) == tuple(Port(*port) for port in ports)


def test_ports_may_be_numbers_or_mappings(load):
    body = 'ports: [8001, {target: 80, published: "8002", host_ip: 10.0.0.1, mode: host}, {target: "82", published: 83}]'
    assert service(load, body).ports == (Port(8001, None), Port(80, 8002, "10.0.0.1"), Port(82, 83))


def test_values_of_the_environment_are_text_as_compose_prints_them(load):
    web = service(
        load, "environment: {A: 1, B: 1.50, C: true, D: x, E: , F: , G: 1e3}", environ={"E": "here"}
    )
    assert web.environment == {"A": "1", "B": "1.5", "C": "true", "D": "x", "E": "here", "G": "1000"}


def test_environment_files_come_before_the_environment(load, tmp_path: Path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.env").write_text("A=1\nB=1\n")
    (tmp_path / "shop" / "b.env").write_text("B=2\nURL=http://db:5432\n")
    body = "env_file: [a.env, {path: b.env}, {path: c.env, required: false}], environment: {A: 3}"
    target = load(f"services:\n  web: {{{body}}}\n  db: {{image: x}}")
    assert target.services["web"].environment == {"A": "3", "B": "2", "URL": "http://db:5432"}
    assert target.topology.edge("web", "db") is not None


def test_services_of_inactive_profiles_are_left_out(load):
    text = """
services:
  web: {depends_on: {tool: {condition: service_started, required: false}}}
  tool: {profiles: [tools, all]}
"""
    target = load(text)
    assert target.topology.services == ("web",)
    assert "tool is left out: no profile of it is active" in target.notes
    assert load(text, environ={"COMPOSE_PROFILES": "x, tools"}).topology.services == ("web", "tool")
    assert load(text, environ={"COMPOSE_PROFILES": "*"}).topology.services == ("web", "tool")


def test_services_that_end_by_themselves_are_left_out(load):
    target = load("""
services:
  web: {depends_on: {migrate: {condition: service_completed_successfully}, db: {condition: service_started}}}
  migrate: {depends_on: [db]}
  db: {image: x}
""")
    assert target.topology.services == ("web", "db")
    assert [str(edge) for edge in target.topology.dependencies] == ["web -> db (hard)"]
    assert "migrate is left out: it runs once and ends, and others wait for that" in target.notes


def test_a_fleet_needs_somebody_who_runs(refusal):
    (only,) = refusal("services: {tool: {profiles: [tools]}}")
    assert "found none: tool is left out: no profile of it is active" in only
