"""``knockon export`` and ``knockon import`` as their user sees them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from fuzzer.cli.main import cli


@pytest.fixture
def compose(tmp_path):
    path = tmp_path / "compose.yaml"
    path.write_text(
        "name: kexport\nx-knockon: {enabled: true}\nservices: {web: {image: x}, db: {image: x}}\n"
    )
    return str(path)


def knockon(*words):
    done = CliRunner().invoke(cli, words)
    return done.exit_code, done.output


def test_commands_to_paste(compose):
    assert knockon("export", "kill db; wait 2s", "--target", compose) == (
        0,
        "docker kill kexport-db-1\nsleep 2\ndocker start kexport-db-1\n",
    )
    code, text = knockon("export", "pause db; wait 2s", "--as", "pumba", "--target", compose)
    assert (code, text.splitlines()[0]) == (
        0,
        "pumba pause --duration 2s 're2:^/?kexport[-_]db[-_][0-9]+$' &",
    )


def test_there_and_back(compose, tmp_path):
    file = tmp_path / "x.json"
    code, text = knockon(
        "export", "crash db; wait 2s", "--as", "chaostoolkit", "--output", str(file), "--target", compose
    )
    assert (code, text) == (0, f"written: {file}\n")
    assert json.loads(file.read_text())["title"] == "kexport: crash db; wait 2s"
    assert knockon("import", str(file), "--target", compose) == (0, "crash db\nwait 5.5s\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["export", "kill nobody"], "nobody"),
        (["export", "kill db", "--output", "/proc/none/x"], "/proc/none/x: cannot be written"),
        (["export", "load x 5rps 1s", "--as", "chaostoolkit"], "x"),
        (["import", "/proc/none"], "/proc/none: cannot be read: No such file"),
    ],
)
def test_mistakes_are_told(compose, words, message):
    code, text = knockon(*words, "--target", compose)
    assert code == 2
    assert message in text
