"""A file that is no compose file at all, and what YAML and JSON may look like."""

# ruff: noqa: E501  (a table of mistakes is read across)

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from fuzzer.targets.files import load_target
from models.errors import TargetError

WEB = "services: {web: {image: x}}\n"


def problem(path: Path) -> str:
    with pytest.raises(TargetError) as raised:
        load_target([path], {})
    (only,) = raised.value.problems
    return str(only).removeprefix(str(path))


def test_nothing_to_read_is_said():
    with pytest.raises(TargetError, match="found no compose file; expected at least one"):
        load_target([], {})


def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path):
    assert problem(tmp_path / "none.yaml") == ": found no such file; expected a file that exists"
    assert problem(tmp_path) == ": found a directory; expected a file"
    (tmp_path / "compose.yml").write_text(WEB)
    assert problem(tmp_path) == f": found a directory; expected a file, such as {tmp_path}/compose.yml"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert problem(pipe) == ": found a pipe or a device; expected a regular file"
    assert "found a file that cannot be read" in problem(tmp_path / ("x" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told(tmp_path: Path):
    path = tmp_path / "compose.yaml"
    path.write_text(WEB)
    path.chmod(0)
    assert "found a file that cannot be read (Permission denied)" in problem(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", ": found an empty file; expected a mapping with services"),
        (b"# nothing\n---\n", ": found an empty file; expected a mapping with services"),
        (b"\x7fELF\0\0", ": found binary data; expected a text file"),
        (b"a: 1\nb: \xff\xfe", ": found bytes that are not UTF-8, on line 2; expected a text file"),
        (b"x" * 1_000_001, ": found more than 1000000 bytes; expected a smaller file"),
        (b"\n- a\n", ":2: found a list at the top; expected a mapping with services"),
        (b"hello", ":1: found 'hello' at the top; expected a mapping with services"),
        (b"{}", ":1: found no services; expected a mapping of services"),
        (b"services:\n", ":1: found no services; expected a mapping of services"),
        (b"services: {}", ":1: services: found no services; expected at least one service"),
        (b"services: [web]", ":1: services: found a list; expected a mapping of services"),
        (b"services:\n  web:\n", ":2: services.web: found nothing; expected a mapping"),
        (b"a: b: c", ":1: found a syntax error (mapping values are not allowed in this context)"),
        (b"a: [1, 2\nb: 3", ":2: found a syntax error (did not find expected ',' or ']')"),
        (b'{"a": 1,\n "b" 2}', ":2: found a syntax error (did not find expected ',' or '}')"),
        (b"a: 1\nb: \x01", ":2: found a syntax error (a control character); expected YAML or JSON"),
        (b"x-a:\n  b: 1\n  b: 2\n" + WEB.encode(), ":3: x-a.b: found the key a second time; it is already on line 2"),
        (b'{"services": {"web": {}},\n"services": {}}', ":2: services: found the key a second time"),
        (b"a: *b\n", ":1: a: found the alias *b; expected an anchor &b before it"),
        (b"a: &a [*a]\n", ":1: a[0]: found the alias *a, which contains itself; expected an end to it"),
        (b"? [a]\n: b\n", ":1: found a list or mapping as a key; expected a name"),
        (b"x" * 501 + b": 1", ":1: found a key of 501 characters; expected at most 500"),
        (b"a: " + b"[" * 70 + b"]" * 70, "found more than 60 levels; expected a flatter file"),
        (b"--- {}\n" * 101, ":101: found more than 100 documents; expected fewer"),
        (b"x-a: !!python/object/apply:os.system [x]\n" + WEB.encode(), ":1: x-a: found the tag !!python/object/apply"),
        (b"x-a: {<<: 3}\n" + WEB.encode(), ":1: x-a: found << with 3; expected << with a mapping"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_compose_file_is_told_with_its_line(tmp_path: Path, content: bytes, told: str):
    path = tmp_path / "compose.yaml"
    path.write_bytes(content)
    start = time.thread_time()
    assert told in problem(path)
    assert time.thread_time() - start < 2


def test_a_file_that_unfolds_to_billions_is_refused_at_once(tmp_path: Path):
    lines = ["a0: &a0 [" + ", ".join(["x"] * 10) + "]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 30)]
    path = tmp_path / "compose.yaml"
    path.write_text("\n".join(lines))
    start = time.thread_time()
    assert "found more than 100000 values, aliases unfolded" in problem(path)
    assert time.thread_time() - start < 1


def test_json_is_read_with_tabs_and_escapes(load):
    target = load(
        '{\n\t"services": {\n\t\t"web": {"environment": {"A": "\\u00fc\\/\\t", "N": 1e3, "B": true}}\n\t}\n}'
    )
    assert target.services["web"].environment == {"A": "ü/\t", "N": "1000", "B": "true"}


def test_a_byte_order_mark_is_no_part_of_the_first_key(load):
    assert load("\ufeff" + WEB).topology.services == ("web",)


def test_anchors_and_merge_keys_work(load):
    target = load("""
        x-base: &base
          restart: always
          environment: &env {A: "1", B: "1"}
        x-more: &more {restart: on-failure, hostname: h}
        services:
          web:
            <<: [*base, *more]
            environment: {<<: *env, B: "2"}
          api: {<<: *base}
        """)
    assert str(target.services["web"].restart) == "always"
    assert target.services["web"].environment == {"A": "1", "B": "2"}
    assert target.services["api"].environment == {"A": "1", "B": "1"}


def test_problems_of_all_files_come_in_the_order_of_the_files(refusal):
    found = refusal("services: {web: {prots: []}}\nvolume: {}", "services: {web: {restart: allways}}")
    assert [line.split(": found")[0] for line in found] == [
        "0.yaml:1: services.web.prots",
        "0.yaml:2: volume",
        "1.yaml:1: services.web.restart",
    ]


def test_a_large_file_of_another_kind_is_refused_at_once(refusal):
    text = "services:\n" + "".join(f"  s{n}: {{port: 1, depends_on: [t{n}]}}\n" for n in range(10_000))
    start = time.thread_time()
    assert len(refusal(text)) == 200
    assert time.thread_time() - start < 10
