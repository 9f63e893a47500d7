"""What a reader of the graph sees: which edges, of which kind, and what a fault may reach."""

from dataclasses import replace

import pytest

from fuzzer.reports.graph import Blast, as_dot, as_mermaid, as_text
from models.topology import Dependency, Source, Strength, Topology
from tests.support.fake_fleet import target_of
from tests.support.grouped_fleet import grouped


@pytest.fixture
def target():
    """web needs api and may do without cache; that api needs db was only guessed."""
    plain = target_of(services=("web", "api", "db", "cache"), protect=["db"])
    edges = (
        Dependency("web", "api", Strength.HARD, Source.DEPENDS_ON),
        Dependency("web", "cache", Strength.SOFT, Source.DECLARED),
        Dependency("api", "db", Strength.HARD, Source.ENVIRONMENT),
    )
    return replace(plain, topology=Topology(plain.topology.services, edges))


def test_text_tells_hard_soft_and_inferred_apart(target):
    text = "\n".join(as_text(target, Blast()))
    assert "--> api  (hard, depends_on)" in text
    assert "..> cache  (soft, x-knockon)" in text
    assert "--> db  (hard, inferred from its environment, counts as hard)" in text
    assert "protected" in text
    assert "must stay healthy" not in text


def test_text_tells_what_a_fault_may_reach_and_what_not(target):
    *_, reach, spared = as_text(target, Blast.of(target, ["db"]))
    assert reach == "* harmed: db    ~ may degrade: web, api"
    assert spared == "must stay healthy: cache"


def test_a_soft_dependency_takes_nobody_along(target):
    *_, reach, spared = as_text(target, Blast.of(target, ["cache"]))
    assert reach == "* harmed: cache    ~ may degrade: nothing else"
    assert spared == "must stay healthy: web, api, db"


def test_mermaid_draws_soft_dashed_and_inferred_with_a_question_mark(target):
    lines = list(as_mermaid(target, Blast.of(target, ["db"])))
    assert lines[0] == "flowchart LR"
    assert '  s0["web"]:::degrades' in lines
    assert '  s2["db"]:::target' in lines
    assert '  s3["cache"]' in lines
    assert "  s0 --> s1" in lines
    assert "  s0 -.-> s3" in lines
    assert "  s1 -->|inferred?| s2" in lines


def test_dot_draws_soft_dashed_and_inferred_with_a_question_mark(target):
    lines = list(as_dot(target, Blast()))
    assert lines[0] == 'digraph "fake" {'
    assert lines[-1] == "}"
    assert '  "web" -> "api" [style=solid]' in lines
    assert '  "web" -> "cache" [style=dashed]' in lines
    assert '  "api" -> "db" [style=solid, label="inferred?", color=gray]' in lines
    assert "fillcolor" not in "".join(lines)


def test_groups_stand_together_and_who_tells_its_role_says_so():
    target = grouped()
    text = "\n".join(as_text(target, Blast()))
    assert "group store: n1, n2, n3  (tolerates 1 of 3, takes over within 1 s)" in text
    assert text.count("tells whether it is primary") == 3
    mermaid = "\n".join(as_mermaid(target, Blast()))
    assert '  s1["n1 (role)"]' in mermaid
    assert '  subgraph g0["store: tolerates 1 of 3"]\n    s1 & s2 & s3\n  end' in mermaid
    dot = list(as_dot(target, Blast()))
    assert '  "n1" [shape=box, label="n1 (role)"]' in dot
    assert '  subgraph cluster_0 { label="store: tolerates 1 of 3"; "n1"; "n2"; "n3" }' in dot


@pytest.mark.parametrize(
    ("name", "begins"), [("text", "api-gateway"), ("mermaid", "flowchart"), ("dot", "digraph")]
)
def test_the_example_shop_can_be_drawn_without_a_fleet(knockon, name, begins):
    result = knockon("graph", "--format", name, "--blast", "orders-db")
    assert result.exit_code == 0
    assert result.stdout.startswith(begins)


def test_remarks_of_the_reader_stand_below(knockon, tmp_path):
    file = tmp_path / "compose.yaml"
    file.write_text("services: {web: {image: x, environment: {DB: http://db}}, db: {image: x}}")
    result = knockon("graph", "--target", str(file))
    assert "inferred from its environment" in result.stdout
    assert "\nnote: " in result.stdout
