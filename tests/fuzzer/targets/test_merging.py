"""Several files are one target, as compose merges them."""

from __future__ import annotations

from models.target import Port

BASE = """
services:
  web:
    restart: always
    ports: ["127.0.0.1:8001:80"]
    environment: [A=1, B=1, C]
    healthcheck: {test: [CMD, true-ish], interval: 3s}
    labels: [knockon.enable=true]
    depends_on: [db]
    x-knockon: {hard: [cache], soft: [log], local: {command: [a, b]}, criticality: low}
  db: {image: x}
  log: {image: x}
  cache: {image: x}
"""


def test_words_are_replaced_and_lists_appended_once(load):
    web = load(
        BASE, 'services: {web: {restart: "no", ports: ["127.0.0.1:8001:80", "127.0.0.1:8002:80"]}}'
    ).services["web"]
    assert str(web.restart) == "no"
    assert web.ports == (Port(80, 8001), Port(80, 8002))


def test_environment_is_merged_by_name_whatever_its_form(load):
    assert load(BASE, "services: {web: {environment: {B: 2, D: 3}}}", environ={"C": "c"}).services[
        "web"
    ].environment == {"A": "1", "B": "2", "C": "c", "D": "3"}
    assert load(BASE, "services: {web: {environment: [A=9]}}").services["web"].environment == {
        "A": "9",
        "B": "1",
    }


def test_dependencies_are_merged_whatever_their_form(load):
    target = load(BASE, "services: {web: {depends_on: {log: {condition: service_started}}}}")
    assert {str(edge) for edge in target.topology.dependencies} == {
        "web -> db (hard)",
        "web -> cache (hard)",
        "web -> log (soft)",
    }


def test_lists_of_knockon_are_replaced_and_its_mappings_merged(load):
    over = "services: {web: {x-knockon: {soft: [cache], hard: [], local: {command: [c]}}}}"
    target = load(BASE, over)
    assert {str(edge) for edge in target.topology.dependencies} == {"web -> db (hard)", "web -> cache (soft)"}
    web = target.services["web"]
    assert web.local is not None
    assert web.local.command == ("c",)
    assert web.criticality == "low"


def test_a_health_check_is_merged_but_its_command_replaced(load):
    assert load(BASE, "services: {web: {healthcheck: {timeout: 1s}}}").services["web"].health.kind == "engine"
    assert (
        load(BASE, "services: {web: {healthcheck: {test: [NONE]}}}").services["web"].health.kind == "running"
    )
    assert (
        load(BASE, "services: {web: {healthcheck: {disable: true}}}").services["web"].health.kind == "running"
    )


def test_nothing_in_an_override_leaves_what_there_is(load):
    web = load(BASE, "services: {web: {environment: , depends_on: , healthcheck: }}").services["web"]
    assert web.environment == {"A": "1", "B": "1"}


def test_reset_and_override_tags_drop_and_replace(load):
    over = """
    services:
      web:
        ports: !override ["8009:80"]
        environment: !override {Z: 1}
        depends_on: !reset null
        healthcheck: !reset {}
        restart: !reset null
      cache: {environment: {A: !reset null, B: 1}}
    """
    target = load(BASE, over)
    web = target.services["web"]
    assert web.ports == (Port(80, 8009),)
    assert web.environment == {"Z": "1"}
    assert web.health.kind == "running"
    assert str(web.restart) == "no"
    assert target.topology.edge("web", "db") is None
    assert target.services["cache"].environment == {"B": "1"}


def test_documents_of_one_file_are_merged_like_files(load):
    assert (
        str(load(BASE + "\n---\nservices: {web: {restart: on-failure}}").services["web"].restart)
        == "on-failure"
    )


def test_limits_of_an_override_join_those_of_the_first_file(load):
    target = load(
        "x-knockon: {enabled: true, limits: {recovery_s_max: 5, steady_s: 1}}\n" + BASE,
        "x-knockon: {limits: {recovery_s_max: 9}, loads: {l: {entry: web}}}",
    )
    assert (target.limits.recovery_s_max, target.limits.steady_s) == (9, 1)
    assert target.loads["l"].services == ("web",)


def test_a_problem_is_told_with_the_file_that_wrote_the_value(refusal):
    found = refusal(BASE, "services:\n  web:\n    x-knockon: {soft: [chache]}")
    assert found == [
        "1.yaml:3: services.web.x-knockon.soft[0]: found 'chache'; expected the name of a service; "
        "did you mean `cache`?"
    ]


def test_an_override_alone_may_name_services_of_the_first_file(load):
    target = load(BASE, "services: {log: {depends_on: [cache]}}")
    assert target.topology.edge("log", "cache") is not None
    assert target.directory.name == "shop"
    assert [path.name for path in target.files] == ["0.yaml", "1.yaml"]
