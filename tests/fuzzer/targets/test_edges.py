"""Who depends on whom: declared, ordered or inferred."""

# ruff: noqa: E501  (a table of mistakes is read across)

from __future__ import annotations

import pytest

from fuzzer.targets.hosts import hosts_in
from models.topology import Source


def edges(load, body: str) -> list[str]:
    text = f"services:\n  web: {{{body}}}\n  db: {{hostname: Database, container_name: shop-db}}\n  log: {{networks: {{n: {{aliases: [sink]}}}}}}"
    return [str(edge) for edge in load(text).topology.dependencies]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("depends_on: [db, log]", ["web -> db (hard)", "web -> log (hard)"]),
        ("depends_on: {db: {condition: service_healthy, restart: true}}", ["web -> db (hard)"]),
        ("depends_on: [db], x-knockon: {soft: [db]}", ["web -> db (soft)"]),
        ("x-knockon: {hard: [db], soft: [log]}", ["web -> db (hard)", "web -> log (soft)"]),
        ("links: ['db:database']", ["web -> db (hard)"]),
        ("volumes_from: ['db:ro', 'container:other']", ["web -> db (hard)"]),
        ("network_mode: 'service:db'", ["web -> db (hard)"]),
        ("network_mode: host", []),
        ("environment: {DB: 'postgres://me:p@ss@db:5432/shop'}", ["web -> db (hard, inferred)"]),
        ("environment: {DB: 'jdbc:mysql://Database/shop'}", ["web -> db (hard, inferred)"]),
        ("environment: {DB: 'shop-db:5432'}", ["web -> db (hard, inferred)"]),
        ("environment: {LOGS: 'tcp://sink'}", ["web -> log (hard, inferred)"]),
        ("environment: {ALL: 'db:1,log:2'}", ["web -> db (hard, inferred)", "web -> log (hard, inferred)"]),
        ("environment: {DB_HOST: db}", ["web -> db (hard, inferred)"]),
        ("environment: {ROLE: db}", []),
        ("environment: {SELF: 'http://web:80', OUT: 'http://db.example.org'}", []),
        ("environment: {DB: 'http://db'}, depends_on: [db]", ["web -> db (hard)"]),
        ("environment: {DB: 'http://db'}, x-knockon: {soft: [db]}", ["web -> db (soft)"]),
    ],
)
def test_dependencies_come_from_the_best_evidence(load, body: str, expected: list[str]):
    assert edges(load, body) == expected


def test_an_inferred_edge_is_pointed_out_without_its_value(load):
    target = load("""
services:
  web: {environment: {A: "http://me:secret@db/", B: "db:80"}}
  db: {image: x}
""")
    (edge,) = target.topology.dependencies
    assert edge.source is Source.ENVIRONMENT
    assert (
        "web -> db is counted as hard, because only an environment URL shows it: A, B; "
        "declare it under depends_on or x-knockon.soft"
    ) in target.notes


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("depends_on: [dbb]", "depends_on.dbb: found 'dbb'; expected the name of a service; did you mean `db`?"),
        ("depends_on: [web]", "depends_on.web: found the service itself; expected another service"),
        ("depends_on: db", "depends_on: found 'db'; expected names of services, or a mapping of them"),
        ("depends_on: {db: service_healthy}", "depends_on.db: found 'service_healthy'; expected a mapping with a condition"),
        ("depends_on: {db: {condition: healthy}}", "depends_on.db.condition: found 'healthy'; expected one of "
         "service_started, service_healthy, service_completed_successfully; did you mean `service_healthy`?"),
        ("depends_on: {db: {condition: yes}}", "depends_on.db.condition: found yes, which YAML 1.1 reads as true"),
        ("depends_on: {db: {conditon: x}}", "depends_on.db.conditon: found an unknown key; expected a key of depends_on; "
         "did you mean `condition`?"),
        ("depends_on: [no]", 'depends_on[0]: found no, which YAML 1.1 reads as false; expected "no" in quotes'),
        ("links: ['dbb:x']", "links[0]: found 'dbb'; expected the name of a service; did you mean `db`?"),
        ("network_mode: 'service:dbb'", "network_mode: found 'dbb'; expected the name of a service"),
    ],
)  # fmt: skip
def test_a_dependency_that_cannot_be_is_told(refusal, body: str, told: str):
    (only,) = refusal(f"services:\n  db: {{image: x}}\n  web: {{{body}}}")
    assert only.startswith(f"0.yaml:3: services.web.{told}")


def test_a_cycle_of_depends_on_is_shown_once(refusal):
    (only,) = refusal("""
services:
  a: {depends_on: [b]}
  b: {depends_on: [c, d]}
  c: {depends_on: [a]}
  d: {image: x}
""")
    assert only == (
        "0.yaml:3: services.a.depends_on.b: found the cycle a -> b -> c -> a; "
        "expected depends_on without a cycle, since compose refuses one"
    )


def test_other_cycles_are_legal(load):
    target = load("""
services:
  a: {depends_on: [b]}
  b: {environment: {A_URL: "http://a:80"}}
  c: {x-knockon: {hard: [d]}}
  d: {x-knockon: {hard: [c]}}
""")
    assert len(target.topology.dependencies) == 4


@pytest.mark.parametrize(
    ("variable", "value", "hosts"),
    [
        ("X", "http://Web:80/a?b=http://c", ["web", "c"]),
        ("X", "mongodb://u:p@a:1,b:2,c/db?x=1", ["a", "b", "c"]),
        ("X", "amqp://u:p@h@rabbit/%2f", ["rabbit"]),
        ("X", "a:1, b:2", ["a", "b"]),
        ("X", "plain", []),
        ("X", "a:1:2", []),
        ("REDIS_HOST", "redis", ["redis"]),
        ("peers", "a,b", ["a", "b"]),
        ("GHOST", "db", []),
        ("X", "", []),
        ("X", "://", []),
        ("X", "http://[::1]:80", []),
    ],
)
def test_host_names_are_found_in_values(variable: str, value: str, hosts: list[str]):
    assert list(hosts_in(variable, value)) == hosts
