"""``knockon lint`` as its user sees it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from fuzzer.cli.main import cli


@pytest.fixture
def compose(tmp_path):
    path = tmp_path / "compose.yaml"
    path.write_text("services: {web: {image: x, restart: always}}\n")
    return path


def lint(*words):
    done = CliRunner().invoke(cli, ["lint", *map(str, words)])
    return done.exit_code, done.output


def test_it_says_what_stands_there_what_comes_of_it_and_what_to_write(compose):
    code, text = lint(compose)
    assert code == 1
    assert "web\n  healthcheck: none  [healthcheck]\n" in text
    assert "    write: mem_limit: 256m\n" in text
    assert text.endswith("2 pieces of advice for 1 service\n")


def test_rules_can_be_left_out_by_name(compose):
    code, text = lint(compose, "--ignore", "memory", "--ignore", "healthcheck")
    assert (code, text) == (0, "nothing to say about 1 service\n")
    code, text = lint(compose, "--ignore", "memroy")
    assert code == 2
    assert "there is no rule 'memroy'; expected one of: restart, healthcheck" in text


def test_as_json(compose):
    code, text = lint(compose, "--json")
    assert code == 1
    assert {one["rule"] for one in json.loads(text)} == {"healthcheck", "memory"}
    assert json.loads(text)[0]["service"] == "web"


def test_files_are_merged_and_mistakes_told(compose, tmp_path):
    override = tmp_path / "more.yaml"
    override.write_text(
        "services: {web: {mem_limit: 1g, healthcheck: {test: x, interval: 3s, timeout: 1s}}}\n"
    )
    assert lint(compose, override) == (0, "nothing to say about 1 service\n")
    override.write_text("services: {web: {restart: sometimes}}\n")
    code, text = lint(compose, override)
    assert code == 2
    assert "expected one of no, on-failure" in text


def test_without_a_file_the_example_shop_is_read():
    code, text = lint()
    assert code == 1
    assert "user-service\n  restart: on-failure  [restart]" in text
