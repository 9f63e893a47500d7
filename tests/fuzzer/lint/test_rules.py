"""Each rule speaks up where it should, and stays silent on the file that follows its advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzzer.lint.rules import RULES
from fuzzer.targets.files import load_target
from models.compose_spec import SERVICE_KEYS

SOUND = """
services:
  web:
    restart: unless-stopped
    mem_limit: 256m
    ports: ["127.0.0.1:8080:80"]
    healthcheck: {test: ["CMD", "true"], interval: 5s, timeout: 2s, retries: 3}
    depends_on: {db: {condition: service_healthy}}
  db:
    restart: always
    deploy: {resources: {limits: {memory: 1g}}}
    healthcheck: {test: ["CMD", "true"], interval: 5s, timeout: 2s, retries: 3}
"""


@pytest.fixture
def read(tmp_path: Path):
    def target(text: str):
        path = tmp_path / "compose.yaml"
        path.write_text(text)
        return load_target((path,), {})

    return target


def advice(target):
    return [one for rule in RULES.values() for one in rule(target)]


def test_there_is_nothing_to_say_about_a_sound_file(read):
    assert advice(read(SOUND)) == []


@pytest.mark.parametrize(
    ("before", "after", "rule", "service", "found", "fix"),
    [
        ("restart: unless-stopped", "", "restart", "web", "no", "restart: unless-stopped"),
        ("restart: always", "restart: on-failure:3", "restart", "db", "on-failure:3", "restart:"),
        ("restart: always", "restart: on-failure", "restart", "db", "on-failure", "restart:"),
        ("mem_limit: 256m", "", "memory", "web", "none", "mem_limit"),
        ("mem_limit: 256m", "mem_limit: 0b", "memory", "web", "none", "mem_limit"),
        ("{memory: 1g}", "{cpus: '1'}", "memory", "db", "none", "mem_limit"),
        ('test: ["CMD", "true"]', "test: [NONE]", "healthcheck", "web", "none", ":80/"),
        ("service_healthy", "service_started", "condition", "web", "db: service_started", "service_healthy"),
        ("interval: 5s", "interval: 30s", "slow-healthcheck", "web", "interval 30 s", "interval: 5s"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_fix(read, before, after, rule, service, found, fix):
    assert before in SOUND
    (told,) = advice(read(SOUND.replace(before, after, 1)))
    assert (told.rule, told.service) == (rule, service)
    assert found in told.found
    assert fix in told.fix
    assert told.reason


def test_a_soft_dependency_need_not_be_waited_for(read):
    text = SOUND.replace("service_healthy", "service_started")
    assert advice(read(text.replace("    mem_limit", "    x-knockon: {soft: [db]}\n    mem_limit"))) == []


def test_an_edge_that_was_only_inferred_is_to_be_declared(read):
    text = SOUND.replace(
        "    depends_on: {db: {condition: service_healthy}}", "    environment: {DB: 'http://db:80'}"
    )
    (told,) = advice(read(text))
    assert (told.rule, told.service) == ("inferred", "web")
    assert "soft: [db]" in told.fix


def test_services_that_need_one_another_are_told_once(read):
    text = SOUND.replace("    restart: always", "    x-knockon: {hard: [web]}\n    restart: always")
    (told,) = advice(read(text))
    assert (told.rule, told.service) == ("circle", "web")


def test_one_process_that_takes_most_of_the_fleet_along(read):
    more = "".join(SOUND[SOUND.index("  web:") : SOUND.index("  db:")].replace("web", name).replace(
        '    ports: ["127.0.0.1:8080:80"]\n', "") for name in ("api", "shop"))  # fmt: skip
    (told,) = advice(read(SOUND + more))
    assert (told.rule, told.service) == ("single-point", "db")
    assert told.found == "3 of 3 others may fail with it"
    assert advice(read(SOUND.replace("  db:\n", "  db:\n    scale: 2\n") + more)) == []


def test_every_key_that_is_spoken_of_exists(read):
    everything = read("services: {web: {image: x}, db: {image: x, depends_on: [web]}}")
    for told in advice(everything):
        key = told.fix.partition(":")[0]
        assert key in SERVICE_KEYS
