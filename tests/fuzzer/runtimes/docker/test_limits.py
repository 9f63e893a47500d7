"""Faults of resources on containers: seen from outside before, during and after, and after our own death."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fuzzer.actions.base import Stage
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.runtimes.base import ProcessState, Undo
from fuzzer.runtimes.docker.limits import NO_MEMORY_LIMIT, Limits, Usage
from models.errors import StepInvalid
from models.observation import Change
from models.step import Step
from tests.support.waiting import until
from tests.support.watchdogs import end_watchdog_of

pytestmark = pytest.mark.docker

BUSY = ["python3", "-S", "-c", "print('ready', flush=True)\nwhile True: pass"]
IDLE = ["python3", "-S", "-c", "import time\nprint('ready', flush=True)\ntime.sleep(3600)"]
COMPOSE_SET = {"nano_cpus": 800_000_000, "mem_limit": "128m", "memswap_limit": "200m", "pids_limit": 40}


def host(project, service="web"):
    """What the engine was told, as a person would see it by ``docker inspect``."""
    data = project.api.inspect_container(project.ids[service][0])["HostConfig"]
    return {name: data[name] for name in ("NanoCpus", "CpuQuota", "Memory", "MemorySwap", "PidsLimit")}


def inside(project, *words, service="web"):
    made = project.api.exec_create(project.ids[service][0], list(words), user="0")
    said = project.api.exec_start(made["Id"]).decode().strip()
    return said, project.api.exec_inspect(made["Id"])["ExitCode"]


def used_s(project, seconds=0.6):
    """How much processor time a container uses in a second."""

    def total():
        data = project.api.stats(project.ids["web"][0], stream=False, one_shot=True)
        return data["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9

    before, began_s = total(), time.monotonic()
    time.sleep(seconds)
    return (total() - before) / (time.monotonic() - began_s)


def kernel(project):
    data = project.api.stats(project.ids["web"][0], stream=False, one_shot=True)
    return Usage.of(data)


class Permits:
    def __init__(self):
        self.given = []

    def permit(self, permits):
        self.given += permits

    def exits_since(self, service, since_s):
        return 0


def played(runtime, text):
    """Do a step as the runner would; returns its undos as the journal has them."""
    step = Step.parse(text)
    action = ACTIONS[step.action]
    action.check(step, runtime.target)
    stage = Stage(runtime.target, runtime, Permits(), None, None, None, None)
    undos = action.undo(step)
    action.inject(step, stage)
    return undos


def lift(runtime, undos):
    for undo in undos:
        runtime.undo(undo)


@pytest.fixture
def capped(project):
    """One service that compose gave limits."""
    limits = {key: value for key, value in COMPOSE_SET.items() if key != "nano_cpus"}
    limits |= {"nano_cpus": COMPOSE_SET["nano_cpus"]}
    project.add("web", "unless-stopped", command=IDLE, **limits)
    project.up()
    return project


@pytest.fixture
def free(project):
    """One service without limits."""
    project.add("web", "unless-stopped", command=IDLE)
    project.up()
    return project


def test_cpu_takes_the_processor_away_and_gives_it_back(project, saw):
    project.add("web", "unless-stopped", command=BUSY)
    project.up()
    until(lambda: used_s(project) > 0.25, limit_s=60)
    with project.runtime() as runtime:
        runtime.watch(saw)
        undos = played(runtime, "cpu web 10%")
        assert host(project)["CpuQuota"] == 10_000
        assert used_s(project) < 0.2
        lift(runtime, undos)
        lift(runtime, undos)
        assert host(project)["CpuQuota"] == -1
        until(lambda: used_s(project) > 0.25, limit_s=60)
    assert saw.interference == []


@pytest.mark.parametrize("text", ["cpu web 10%", "memory web 8mib", "pids web count=2"])
def test_what_compose_had_set_is_there_again(capped, text, saw):
    before = host(capped)
    with capped.runtime() as runtime:
        runtime.watch(saw)
        undos = played(runtime, text)
        assert host(capped) != before
        lift(runtime, undos)
        assert host(capped) == before
    assert (before["NanoCpus"], before["Memory"], before["PidsLimit"]) == (800_000_000, 128 << 20, 40)
    assert saw.interference == []


def test_who_has_little_anyway_is_not_given_more(capped):
    with capped.runtime() as runtime:
        for text, told in {
            "cpu web 85%": "it has no more than 0.8 processors",
            "memory web 4000mib": "it has no more than 128 MiB anyway",
            "pids web count=100": "it has no more than 40 anyway",
        }.items():
            with pytest.raises(StepInvalid, match=told):
                played(runtime, text)


def test_memory_is_limited_by_the_kernel_and_then_not_at_all(free, saw):
    before = kernel(free)
    with free.runtime() as runtime:
        runtime.watch(saw)
        undos = played(runtime, "memory web 8mib")
        during = kernel(free)
        assert during.memory_limit < before.memory + (24 << 20) < before.memory_limit
        assert inside(free, "python3", "-S", "-c", "x = b'x' * (64 << 20)")[1] == 137
        assert free.status("web") == "running"
        lift(runtime, undos)
        assert kernel(free).memory_limit == before.memory_limit
        assert inside(free, "python3", "-S", "-c", "x = b'x' * (64 << 20)")[1] == 0
        assert host(free)["Memory"] in (0, NO_MEMORY_LIMIT)
        runtime.restart(["web"])
        assert kernel(free).memory_limit == before.memory_limit


def test_what_dies_of_too_little_memory_starts_with_as_little(one, saw):
    with one.runtime() as runtime:
        runtime.watch(saw)
        undos = played(runtime, "memory web 4mib")
        limit = kernel(one).memory_limit
        one.dies("web", "out of memory")
        deadline_s = time.monotonic() + 10
        while saw.changes("web") != [Change.EXITED, Change.STARTED]:
            assert time.monotonic() < deadline_s, saw.changes("web")
            time.sleep(0.02)
        assert kernel(one).memory_limit == limit
        assert saw.exits("web")[0].exit_code == 137
        lift(runtime, undos)
        assert kernel(one).memory_limit > 1 << 30


def test_pids_are_limited_by_the_kernel(free):
    fork = ["python3", "-S", "-c", "import os\nfor _ in range(5):\n if not os.fork(): os._exit(0)"]
    with free.runtime() as runtime:
        undos = played(runtime, "pids web count=0")
        assert kernel(free).pids_limit == kernel(free).pids == 1
        said, code = inside(free, *fork)
        assert "Resource temporarily unavailable" in said
        assert code != 0
        lift(runtime, undos)
        assert inside(free, *fork) == ("", 0)


def test_oom_kills_once_for_want_of_memory_and_the_policy_acts(one, saw):
    before = host(one)
    with one.runtime() as runtime:
        runtime.watch(saw)
        runtime.run_out_of_memory(["web"])
        (exited,) = saw.exits("web")
        assert (exited.exit_code, exited.returns) == (137, True)
        deadline_s = time.monotonic() + 10
        while runtime.status("web").state is not ProcessState.RUNNING:
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        assert kernel(one).memory_limit > 1 << 30
        assert host(one)["Memory"] in (before["Memory"], NO_MEMORY_LIMIT)
        time.sleep(0.5)
        assert len(saw.exits("web")) == 1, "the one that came back has all of its memory"
    assert saw.interference == []


def test_oom_keeps_the_limits_that_compose_set(capped, saw):
    before = host(capped)
    with capped.runtime() as runtime:
        runtime.watch(saw)
        runtime.run_out_of_memory(["web"])
        assert len(saw.exits("web")) == 1
    assert host(capped) == before


def test_stress_keeps_the_processors_busy(free, saw):
    with free.runtime() as runtime:
        runtime.watch(saw)
        assert used_s(free) < 0.1
        undos = played(runtime, "stress web workers=2")
        until(lambda: used_s(free, 1.0) > 0.3, limit_s=60)
        lift(runtime, undos)
        lift(runtime, undos)
        until(lambda: used_s(free) < 0.1, limit_s=60)
        assert "speaks" not in runtime.doubt_stress("web")
        assert runtime.doubt_stress("web")
    assert saw.interference == []
    assert saw.processes == []


def disk(project, folder="/data", **options):
    project.add("web", "unless-stopped", command=IDLE, **options)
    project.up()
    project.services["web"] = replace(project.services["web"], disk=folder)


def test_a_bounded_disk_is_filled_and_freed(project, saw):
    disk(project, tmpfs={"/data": "size=8m"})
    write = ["python3", "-S", "-c", "open('/data/mine', 'wb', 0).write(b'x' * 100000)"]
    with project.runtime() as runtime:
        runtime.watch(saw)
        undos = played(runtime, "disk_fill web")
        assert inside(project, "df", "-k", "--output=avail", "/data")[0].split()[-1] == "0"
        said, code = inside(project, *write)
        assert (code, "No space left" in said) == (1, True) or inside(
            project, "stat", "-c", "%s", "/data/mine"
        )[0] != "100000"
        inside(project, "rm", "-f", "/data/mine")
        lift(runtime, undos)
        lift(runtime, undos)
        assert inside(project, "ls", "-A", "/data") == ("", 0)
        assert inside(project, *write)[1] == 0


@pytest.mark.parametrize(
    ("folder", "told"),
    [("/tmp", "on the disk of the engine"), ("/big", "MiB large"), ("/none", "cannot tell how large")],
)
def test_the_disk_of_the_engine_is_never_filled(project, folder, told):
    disk(project, folder, tmpfs={"/big": "size=2g"})
    with project.runtime() as runtime, pytest.raises(StepInvalid, match=told):
        played(runtime, "disk_fill web")


FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


def put(project, container, path, data):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.size, entry.mode = len(data), 0o755
        archive.addfile(entry, io.BytesIO(data))
    assert project.api.put_archive(container, "/", packed.getvalue())


@pytest.mark.skipif(FAKETIME is None, reason="there is no libfaketime: apt-get install faketime")
def test_a_clock_is_put_ahead_and_back(project, monkeypatch):
    variables = {
        "LD_PRELOAD": "/libfaketime.so.1",
        "FAKETIME_TIMESTAMP_FILE": "/etc/faketimerc.knockon",
        "FAKETIME_NO_CACHE": "1",
    }
    create = project.api.create_container
    monkeypatch.setattr(
        project.api, "create_container", lambda *a, **k: create(*a, **k, environment=variables)
    )
    container = project.add("web", "unless-stopped", command=IDLE)
    put(project, container, "/libfaketime.so.1", FAKETIME.read_bytes())
    project.up()
    project.services["web"] = replace(project.services["web"], clock=variables["FAKETIME_TIMESTAMP_FILE"])

    def off_s():
        return float(inside(project, "date", "+%s")[0]) - time.time()

    with project.runtime() as runtime:
        assert abs(off_s()) < 3
        undos = played(runtime, "clock_skew web offset_s=-3600")
        assert abs(off_s() + 3600) < 3
        lift(runtime, undos)
        assert abs(off_s()) < 3


def test_a_clock_that_nobody_can_put_ahead_stays_no_secret(free):
    free.services["web"] = replace(free.services["web"], clock="/etc/faketimerc")
    with free.runtime() as runtime:
        runtime.skew_clock(["web"], 60.0)
        assert "off by 0 s and not 60 s; does its environment preload" in runtime.doubt_clock("web")
        runtime.undo(Undo("unskew", ("web",)))
        assert runtime.doubt_clock("web") == ""


def test_the_journal_adds_what_stood_before(capped):
    with capped.runtime() as runtime:
        entry = runtime.journal.write([Undo("unlimit_cpu", ("web",)), Undo("start", ("web",))])
        played(runtime, "cpu web 10%")
        later = runtime.journal.write([Undo("unlimit_cpu", ("web",))])
        for name in (entry, later):
            undo = json.loads(capped.api.inspect_container(name)["Config"]["Labels"]["knockon.undo"])[0]
            (limits,) = json.loads(undo["detail"]).values()
            assert Limits.from_json(limits).nano_cpus == 800_000_000
        runtime.undo(Undo.from_json(undo))
        runtime.journal.remove(entry)
        runtime.journal.remove(later)


KNOCKON = (sys.executable, "-c", "from fuzzer.cli.main import main; main()")
COMPOSE = """
x-knockon: {{enabled: true, limits: {{steady_s: 0.3}}}}
services:
  web: {{image: "python:3.11-slim", restart: unless-stopped}}
"""


def heal(folder, project):
    words = ["heal", "--project", project, "--runtime", "docker"]
    return subprocess.run(
        [*KNOCKON, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("text", ["cpu web 10%", "memory web 8mib"])
def test_after_the_fuzzer_was_killed_heal_brings_it_all_back(capped, tmp_path, text):
    before = host(capped)
    (tmp_path / "compose.yaml").write_text(COMPOSE.format())
    replay = subprocess.Popen(
        [
            *(*KNOCKON, "replay", f"{text}; wait 60s"),
            *("--target", "compose.yaml", "--project", capped.name, "--runtime", "docker"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    try:
        deadline_s = time.monotonic() + 120
        while host(capped) == before:
            assert replay.poll() is None, replay.stdout.read()
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        end_watchdog_of(replay.pid)
    finally:
        replay.send_signal(signal.SIGKILL)
        replay.wait()
    done = heal(tmp_path, capped.name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert host(capped) == before
    assert "nothing to heal" in heal(tmp_path, capped.name).stdout
