"""Whatever a file holds, it is read or refused with reasons: nothing else, and at once."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzer.targets.files import load_target
from models.errors import TargetError
from models.target import Target

SEED = """\
name: shop
version: "3.8"
x-knockon:
  enabled: true
  limits: {recovery_s_max: 30, detection_grace_s: 2, observe_s: 3.5, steady_s: 0.5, health_timeout_s: 1}
  loads:
    checkout: {entry: checkout, method: POST, path: /checkout, rate_rps: 20, body: "{}"}
    mixed:
      entry: product
      endpoints:
        - {path: /a, weight: 3, needs: [orders-db], expect: ok, headers: {X-A: b}}
        - {name: w, method: PUT, path: "/b/{id}", durable: {path: "/b/{id}", id: a.b, entry: checkout}}
  load_command: k6 run a.js
  safety: {max_faults: 2, protect: [orders-db]}
x-base: &base
  restart: unless-stopped
  labels: {knockon.enable: "true"}
services:
  checkout:
    <<: *base
    image: shop:${TAG:-latest}
    depends_on: {orders-db: {condition: service_healthy}, product: {condition: service_started}}
    environment:
      ORDERS_URL: postgres://me:secret@orders-db:5432/shop
      ANALYTICS_URL: http://analytics:8005
      EMPTY:
      RATE: 1.5
    ports: ["127.0.0.1:${PORT:-8003}:8003", 9003, {target: 80, published: 8004, host_ip: 127.0.0.1}]
    healthcheck: {test: [CMD, curl, localhost], interval: 3s, retries: 3}
    x-knockon:
      enabled: true
      health: http://127.0.0.1:8003/health
      hard: [orders-db]
      soft: [analytics]
      criticality: critical
      counters: {url: "http://127.0.0.1:8003/m", calls: calls}
      local: {command: [python3, -m, checkout], environment: {PORT: 8003}}
  product:
    <<: *base
    restart: on-failure:3
    environment: [A=1, B, "C=$$x"]
    networks: {back: {aliases: [products]}}
    profiles: []
    x-knockon: {health: "http://127.0.0.1:8002/health", local: {command: "python3 -m product"}}
  analytics:
    deploy: {restart_policy: {condition: on-failure, max_attempts: 2}}
    depends_on: [product]
    links: ["product:p"]
  orders-db:
    image: postgres
    ports: ["5432"]
networks: {back: {}}
volumes: {data: {}}
"""

SPLIT = re.compile(r"[^\s{}\[\],:]+|.", re.DOTALL)
DATA = yaml.safe_load(SEED)
WORDS = sorted(set(SPLIT.findall(SEED)) - {" "})
# fmt: off
ODD = [
    "no", "yes", "on", "010", "0x1f", "22:22", "1_000", "2024-01-31", ".nan", "-.inf", "1e999", "~", "null",
    "true", "", "''", "{}", "[]", "[[]]", "{a: }", "- ", "-1", "0", "99999999999999999999", "1.5", "&a", "*a",
    "*base", "<<", "!reset []", "!override {}", "!!str 1", "!!python/none", "!x y", "|", ">", "? ", "---",
    "...", "#", "%YAML 1.1", "$", "$$", "${", "${X", "${X:-", "${X:?}", "}", '"', "'", "\t", "\0", "\x85",
    "\ufeff", "\U0001f600", "x" * 600, "http://[", "http://:0", "service:x", "a:b:c:d", "[::1]:1:1",
    "1-70000:1", "80/udp",
]
# fmt: on


WORD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(ODD)
VALUES = WORD | st.lists(WORD, max_size=2) | st.dictionaries(st.text(max_size=4), WORD, max_size=2)


def replaced_value(data: object, choose: st.DataObject, depth: int = 0) -> object:
    """The data with one value, somewhere in it, of another type, or one key of another name."""
    if isinstance(data, dict) and data and depth < 6:
        key = choose.draw(st.sampled_from(sorted(data, key=str)))
        if choose.draw(st.integers(0, 5)) == 0:
            new = choose.draw(st.sampled_from([f"{key}s", str(key)[:-1], "", "x-knockon", 3, None, True]))
            return {(new if k == key else k): v for k, v in data.items()}
        return {k: replaced_value(v, choose, depth + 1) if k == key else v for k, v in data.items()}
    if isinstance(data, list) and data and depth < 6:
        at = choose.draw(st.integers(0, len(data) - 1))
        return [replaced_value(v, choose, depth + 1) if n == at else v for n, v in enumerate(data)]
    return choose.draw(VALUES)


@st.composite
def damaged_words(draw: st.DrawFn) -> bytes:
    """The seed with a few of its words replaced, repeated or dropped."""
    words = SPLIT.findall(SEED)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(words) - 1))
        words[at : at + draw(st.integers(0, 2))] = draw(st.lists(st.sampled_from(WORDS + ODD), max_size=2))
    return "".join(words).encode()


@st.composite
def damaged_bytes(draw: st.DrawFn) -> bytes:
    """The seed cut short, or with a few bytes changed."""
    data = bytearray(SEED.encode())
    for _ in range(draw(st.integers(0, 5))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.none() | st.integers(0, len(data)))])


def check(data: bytes, folder: Path, *, second: bytes | None = None) -> None:
    paths = [folder / "compose.yaml"]
    paths[0].write_bytes(data)
    if second is not None:
        paths.append(folder / "override.yaml")
        paths[1].write_bytes(second)
    start = time.thread_time()
    outcome = load_or_refuse(paths)
    assert time.thread_time() - start < 2
    if isinstance(outcome, Target):
        assert outcome.services.keys() == set(outcome.topology.services)
        assert {name for load in outcome.loads.values() for name in load.services} <= outcome.services.keys()
        assert outcome.digest
    else:
        assert outcome.problems
        for problem in outcome.problems:
            assert problem.where
            assert problem.found
            assert problem.expected
            told = str(problem).encode().decode()
            assert not re.search("pydantic|Input should|<class|object at", told)


def load_or_refuse(paths: list[Path]) -> Target | TargetError:
    try:
        return load_target(paths, {"PORT": "8003"})
    except TargetError as error:
        return error


SETTINGS = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop")


def test_the_seed_is_a_sound_file(folder: Path):
    (folder / "seed.yaml").write_text(SEED)
    target = load_target([folder / "seed.yaml"], {})
    assert target.faultable == ("checkout", "product", "analytics")
    assert len(target.topology.dependencies) == 4


@SETTINGS
@given(data=damaged_words())
def test_a_file_with_wrong_words_is_read_or_refused(data: bytes, folder: Path):
    check(data, folder)


@SETTINGS
@given(data=damaged_bytes())
def test_a_file_with_broken_bytes_is_read_or_refused(data: bytes, folder: Path):
    check(data, folder)


@SETTINGS
@given(choose=st.data(), as_json=st.booleans())
def test_a_file_with_values_of_another_type_is_read_or_refused(
    choose: st.DataObject, as_json: bool, folder: Path
):
    data: object = DATA
    for _ in range(choose.draw(st.integers(1, 3))):
        data = replaced_value(data, choose)
    text = json.dumps(data) if as_json else yaml.safe_dump(data)
    check(text.encode("utf-8", "replace"), folder)


@SETTINGS
@given(choose=st.data())
def test_a_broken_override_is_read_or_refused(choose: st.DataObject, folder: Path):
    over = json.dumps(replaced_value(DATA, choose))
    check(SEED.encode(), folder, second=over.encode("utf-8", "replace"))


@SETTINGS
@given(text=st.text(max_size=200) | st.text(alphabet="a:-{}[]&*!|>'\"#\n \t?,%@`$<", max_size=60))
def test_any_text_is_read_or_refused(text: str, folder: Path):
    check(text.encode("utf-8", "replace"), folder)
