"""doctor and heal on this machine, with and without an engine."""

import pytest

NO_ENGINE = "unix:///nowhere/docker.sock"


@pytest.fixture
def no_engine(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", NO_ENGINE)


def checks(knockon, *words):
    return {check["name"].strip(): check for check in knockon.json("doctor", "--json", *words)}


def test_one_runtime_is_enough(knockon, no_engine):
    assert knockon("doctor").exit_code == 0
    found = checks(knockon)
    assert found["runtime local"]["mark"] == "ok"
    assert "can crash, kill, stop, pause, restart" in found["runtime local"]["found"]
    assert found["runtime docker"]["mark"] == "no"


def test_what_does_not_work_says_what_to_do(knockon, no_engine):
    docker = checks(knockon)["runtime docker"]
    assert "no container engine answers at unix:///nowhere/docker.sock" in docker["found"]
    assert (
        docker["advice"] == "there is no /nowhere/docker.sock: install or start an engine, or set DOCKER_HOST"
    )


def test_without_any_runtime_it_ends_with_3(knockon, no_engine, monkeypatch):
    monkeypatch.setattr("fuzzer.cli.checks.sys.platform", "darwin")
    assert knockon("doctor").exit_code == 3


def test_a_target_that_cannot_be_read_ends_with_2_and_all_its_problems(knockon, no_engine, tmp_path):
    file = tmp_path / "compose.yaml"
    file.write_text("services: {web: {restart: sometimes, depends_on: [nobody]}}")
    result = knockon("doctor", "--target", str(file))
    assert result.exit_code == 2
    assert "2 problems in the target" in result.stdout
    assert "nobody" in result.stdout


def test_a_target_that_nobody_opted_in_is_no_good(knockon, no_engine, tmp_path):
    file = tmp_path / "compose.yaml"
    file.write_text("services: {web: {image: x}}")
    found = checks(knockon, "--target", str(file))["target"]
    assert found["mark"] == "no"
    assert "enabled: true" in found["advice"]


def test_a_target_without_local_commands_is_only_for_docker(knockon, no_engine, tmp_path):
    file = tmp_path / "compose.yaml"
    file.write_text("x-knockon: {enabled: true}\nservices: {web: {image: x}}")
    found = checks(knockon, "--target", str(file))
    assert found["target"]["mark"] == "ok"
    assert found["the target on it"]["mark"] == "note"
    assert "x-knockon.local.command" in found["the target on it"]["found"]


@pytest.mark.docker
def test_an_engine_that_answers_is_described(knockon):
    found = checks(knockon)
    assert found["runtime docker"]["mark"] == "ok"
    assert found["runtime docker"]["found"].startswith("engine ")


# heal


def test_nothing_to_heal(knockon, no_engine, tmp_path):
    result = knockon("heal", "--runtime", "local", "--state", str(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "nothing to heal\n")


def test_without_an_engine_local_fleets_are_healed_all_the_same(knockon, no_engine, tmp_path):
    result = knockon("heal", "--state", str(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "nothing to heal\n")
    assert "docker was left out: no container engine answers" in result.stderr


def test_who_asks_for_docker_is_told_that_there_is_none(knockon, no_engine):
    result = knockon("heal", "--runtime", "docker")
    assert result.exit_code == 3
    assert "no container engine answers" in result.stderr
