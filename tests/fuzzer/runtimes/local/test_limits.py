"""Faults of resources on processes: what the kernel says of them before, during and after."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import pytest

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.runtimes.base import ProcessState, Undo
from models.observation import Change
from tests.fuzzer.runtimes.local.conftest import alive, pid_of, service
from tests.support.waiting import until

SPIN = ("python3", "-S", "-E", "-c", "while True: pass")
WRITES = (
    "python3",
    "-S",
    "-E",
    "-c",
    "import os, time\n"
    "while True:\n"
    " with open(os.environ['KNOCKON_DATA_DIR'] + '/note', 'a') as f:\n"
    "  try: f.write('x'); f.flush()\n"
    "  except OSError: os._exit(7)\n"
    " time.sleep(0.01)",
)


def soft(pid, what):
    return resource.prlimit(pid, what)[0]


def used_s(pid, seconds=0.6):
    def total():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before, began_s = total(), time.monotonic()
    time.sleep(seconds)
    return (total() - before) / (time.monotonic() - began_s)


@pytest.fixture
def impatiently(impatient):
    """These services never answer."""


def test_cpu_takes_the_processor_away_and_is_no_pause(fleet, saw, impatiently):
    runtime = fleet(service("spin", command=SPIN))
    pid = pid_of(runtime, "spin")
    free = used_s(pid)
    runtime.limit_cpu(["spin"], 10.0)
    assert runtime.doubt_cpu("spin") == ""
    assert used_s(pid, 1.0) < max(0.25, free / 2)
    assert runtime.status("spin").state is ProcessState.RUNNING
    runtime.crash(["spin"])
    until(lambda: runtime.status("spin").state is ProcessState.RUNNING)
    again = pid_of(runtime, "spin")
    assert again != pid
    assert runtime.doubt_cpu("spin") == "", "the next process is held as well"
    for _ in range(2):
        runtime.undo(Undo("unlimit_cpu", ("spin",)))
    assert runtime.doubt_cpu("spin").startswith("it was stopped 0 of")
    until(lambda: used_s(again) > 0.2)
    assert not {Change.PAUSED, Change.RESUMED} & {seen.change for seen in saw.processes}


@pytest.mark.parametrize(
    ("take", "verb", "what"),
    [
        (lambda runtime: runtime.limit_memory(["spin"], 16.0), "unlimit_memory", resource.RLIMIT_AS),
        (lambda runtime: runtime.fill_disk(["spin"]), "free_disk", resource.RLIMIT_FSIZE),
        (lambda runtime: runtime.limit_pids(["spin"], 4), "unlimit_pids", resource.RLIMIT_NPROC),
    ],
    ids=["memory", "disk", "pids"],
)
def test_a_limit_is_the_kernels_and_goes_to_the_next_process_and_comes_off(
    fleet, impatiently, take, verb, what
):
    runtime = fleet(service("spin", command=SPIN))
    pid = pid_of(runtime, "spin")
    before = soft(pid, what)
    take(runtime)
    during = soft(pid, what)
    assert during != before
    runtime.crash(["spin"])
    until(lambda: runtime.status("spin").state is ProcessState.RUNNING)
    until(lambda: soft(pid_of(runtime, "spin"), what) == during)
    for _ in range(2):
        runtime.undo(Undo(verb, ("spin",)))
    assert soft(pid_of(runtime, "spin"), what) == before


def test_a_limit_that_compose_or_anybody_had_set_is_there_again(fleet, impatiently):
    runtime = fleet(service("spin", command=SPIN))
    pid = pid_of(runtime, "spin")
    hard = resource.prlimit(pid, resource.RLIMIT_AS)[1]
    resource.prlimit(pid, resource.RLIMIT_AS, (1 << 40, hard))
    runtime.limit_memory(["spin"], 0.0)
    assert soft(pid, resource.RLIMIT_AS) < 1 << 40
    assert runtime.doubt_memory("spin") == ""
    runtime.undo(Undo("unlimit_memory", ("spin",)))
    assert resource.prlimit(pid, resource.RLIMIT_AS) == (1 << 40, hard)
    assert runtime.doubt_memory("spin") == "no limit was set"


def test_no_write_succeeds_on_a_full_disk(fleet, saw, impatiently):
    runtime = fleet(service("writes", command=WRITES))
    pid = pid_of(runtime, "writes")
    runtime.fill_disk(["writes"])
    until(lambda: not alive(pid))
    until(lambda: saw.exits("writes"))
    assert saw.exits("writes")[0].exit_code == 7
    runtime.undo(Undo("free_disk", ("writes",)))


def test_what_this_runtime_cannot_do_is_not_offered(fleet, impatiently):
    runtime = fleet(service("spin", command=SPIN))
    can = {name for name, action in ACTIONS.items() if action.works_on(runtime)}
    assert {"cpu", "memory", "disk_fill"} <= can
    assert not {"oom", "stress", "clock_skew"} & can
    assert ("pids" in can) == (os.geteuid() != 0)
