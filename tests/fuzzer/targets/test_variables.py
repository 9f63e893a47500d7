"""Where variables come from, and what their values become."""

from __future__ import annotations

import pytest

from fuzzer.targets.base import Problems
from fuzzer.targets.dotenv import parse_variables


def environment(load, value: str, **options: object) -> str:
    return (
        load(f"services: {{web: {{environment: {{A: '{value}'}}}}}}", **options)
        .services["web"]
        .environment["A"]
    )


def test_variables_come_from_the_environment_before_the_env_file(load):
    assert environment(load, "$X-$Y", environ={"X": "1"}, env="X=2\nY=3\n") == "1-3"


def test_an_unset_variable_is_read_as_empty_with_a_note(load):
    target = load("services:\n  web:\n    environment: {A: 'a$GONE'}")
    assert target.services["web"].environment == {"A": "a"}
    assert any(note.startswith("the variable GONE is not set and was read as empty") for note in target.notes)


def test_a_default_needs_no_note(load):
    target = load("services: {web: {environment: {A: '${GONE:-x}'}, healthcheck: {test: x}}}")
    assert not any("GONE" in note for note in target.notes)


def test_malformed_and_required_variables_are_problems_wherever_they_stand(refusal):
    assert refusal("""
services:
  web:
    image: ${IMAGE
    command: [echo, $1]
    labels: {a: "${NEEDED:?set it to the image's tag}"}
""") == [
        "0.yaml:4: services.web.image: found '${IMAGE'; expected a } that closes it",
        "0.yaml:5: services.web.command[1]: found '$1'; expected ${NAME}, or $$ for a dollar sign",
        "0.yaml:6: services.web.labels.a: found no value for the variable NEEDED; "
        "expected set it to the image's tag",
    ]


def test_keys_are_not_filled_in(load):
    assert load("services: {web: {environment: {$A: b}}}").services["web"].environment == {"$A": "b"}


def test_numbers_and_booleans_may_come_from_variables(load):
    text = """
x-knockon:
  enabled: ${ON}
  limits: {recovery_s_max: "${R:-7}"}
  loads: {l: {entry: web, rate_rps: "${RATE}", body: "${RATE}"}}
  safety: {max_faults: "${FAULTS}"}
services:
  web:
    restart: ${POLICY:-no}
    ports: ["${PORT}:80"]
    healthcheck: {test: x, disable: "${ON}"}
"""
    target = load(text, environ={"ON": "true", "RATE": "2.5", "FAULTS": "3", "PORT": "8001"})
    assert target.faultable == ("web",)
    assert target.limits.recovery_s_max == 7
    assert (target.loads["l"].rate_rps, target.loads["l"].endpoints[0].body) == (2.5, "2.5")
    assert target.safety.max_faults == 3
    assert str(target.services["web"].restart) == "no"
    assert target.services["web"].ports[0].host == 8001
    assert target.services["web"].health.kind == "running"


def test_a_variable_of_the_wrong_kind_is_a_problem(refusal):
    found = refusal("x-knockon: {limits: {recovery_s_max: '${R:-soon}'}}\nservices: {web: {image: x}}")
    assert found == ["0.yaml:1: x-knockon.limits.recovery_s_max: found 'soon'; expected a number"]


def test_a_text_from_a_variable_stays_text(refusal):
    (only,) = refusal("services: {web: {x-knockon: {health: '${PORT:-8001}'}}}")
    assert "found '8001'; expected an http:// or https:// URL" in only


def test_a_broken_env_file_is_a_problem(refusal):
    found = refusal("services: {web: {image: x}}", env="A=1\n\nB='open\n")
    assert found == [".env:3: found a quote that is not closed; expected a second '"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1\nB = two words \n", {"A": "1", "B": "two words"}),
        ("# c\n\n  export A=1\nB: yaml\r\nC=\n", {"A": "1", "B": "yaml", "C": ""}),
        ("A=x # comment\nB=x#no\nC=#c\nD='x # no' # c", {"A": "x", "B": "x#no", "C": "", "D": "x # no"}),
        ("A=1\nB=$A-${A}-$OUT-${NO:-d}\nC='$A'\nD=\"$A\\n\\\"q\\\"\"", {
            "A": "1", "B": "1-1-out-d", "C": "$A", "D": '1\n"q"',
        }),
        ("A='two\nlines'\nB=\"x\ny\"\n", {"A": "two\nlines", "B": "x\ny"}),
        ("OUT\nGONE\nA=1", {"OUT": "out", "A": "1"}),
        ("", {}),
    ],
)  # fmt: skip
def test_an_env_file_is_read_as_compose_does(text: str, values: dict[str, str]):
    problems = Problems()
    assert parse_variables(text, ".env", {"OUT": "out"}, problems) == values
    assert not problems


@pytest.mark.parametrize(
    ("text", "line"),
    [("A=1\n=2", 2), ("A B=1", 1), ("'A'=1", 1), ("A='x' y", 1), ("A=${", 1), ('A="\n\nx', 1)],
)
def test_a_line_of_an_env_file_that_sets_nothing_is_told(text: str, line: int):
    problems = Problems()
    parse_variables(text, ".env", {}, problems)
    with pytest.raises(Exception, match=rf"\.env:{line}: found"):
        problems.raise_if_any()
