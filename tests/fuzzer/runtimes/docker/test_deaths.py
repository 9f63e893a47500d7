"""What a death does under each restart policy, and what a report would say of it."""

from __future__ import annotations

import time

import pytest

from fuzzer.runtimes.base import ProcessState
from models.observation import Change

pytestmark = pytest.mark.docker

ALL = ("none", "failure", "unless", "always")


def came_back(saw, back, wait_until):
    """Who runs again, once those of ``back`` do and nobody else has for a while."""
    wait_until(lambda: all(Change.STARTED in saw.changes(name) for name in back))
    time.sleep(0.3)
    return {name for name in ALL if Change.STARTED in saw.changes(name)}


def expect(saw, runtime, back, wait_until):
    assert came_back(saw, back, wait_until) == set(back)
    for name in ALL:
        assert len(saw.exits(name)) == 1
        assert saw.exits(name)[0].returns is (name in back)
        wanted = ProcessState.RUNNING if name in back else ProcessState.DOWN
        assert runtime.status(name).state is wanted
        assert bool(runtime.status(name).instances) is (name in back)
    assert saw.interference == []


def test_killed_or_stopped_by_an_operator_nothing_comes_back(policies, saw, wait_until):
    with policies.runtime() as runtime:
        runtime.watch(saw)
        runtime.kill(["none", "always"])
        assert len(saw.processes) == 2, "told before kill returns"
        runtime.stop(["failure", "unless"])
        expect(saw, runtime, (), wait_until)
        codes = {seen.service: seen.exit_code for seen in saw.processes}
        assert codes == {"none": 137, "always": 137, "failure": 0, "unless": 0}


def test_crashed_from_outside_the_policy_acts(policies, saw, wait_until):
    with policies.runtime() as runtime:
        runtime.watch(saw)
        runtime.crash(ALL)
        assert {seen.service for seen in saw.processes if seen.change is Change.EXITED} == set(ALL)
        expect(saw, runtime, ("failure", "unless", "always"), wait_until)
        assert {saw.exits(name)[0].exit_code for name in ALL} == {137}
        assert runtime.status("always").restarts == 1


def test_a_clean_exit_is_no_failure(policies, saw, wait_until):
    with policies.runtime() as runtime:
        runtime.watch(saw)
        for name in ALL:
            policies.dies(name, "exit 0")
        expect(saw, runtime, ("unless", "always"), wait_until)


def test_a_failure_by_itself_comes_back_unless_the_policy_is_no(policies, saw, wait_until):
    with policies.runtime() as runtime:
        runtime.watch(saw)
        for name in ALL:
            policies.dies(name, "exit 3")
        expect(saw, runtime, ("failure", "unless", "always"), wait_until)
        assert {saw.exits(name)[0].exit_code for name in ALL} == {3}


def test_out_of_memory_is_a_failure(project, saw, wait_until):
    for name, policy in {"none": "no", "failure": "on-failure"}.items():
        project.add(name, policy, mem_limit="48m", memswap_limit="48m")
    project.up()
    with project.runtime() as runtime:
        runtime.watch(saw)
        for name in ("none", "failure"):
            project.dies(name, "out of memory")
        assert came_back(saw, ["failure"], wait_until) == {"failure"}
        assert (saw.exits("none")[0].returns, saw.exits("failure")[0].returns) == (False, True)
        assert saw.exits("none")[0].exit_code == 137


def test_restarted_by_an_operator_everything_comes_back(policies, saw, wait_until):
    with policies.runtime() as runtime:
        runtime.watch(saw)
        runtime.restart(ALL)
        for name in ALL:
            assert saw.changes(name) == [Change.EXITED, Change.STARTED]
            assert saw.exits(name)[0].returns is True
            assert runtime.status(name).state is ProcessState.RUNNING
        assert saw.interference == []


def test_a_policy_that_has_used_up_its_retries_is_not_waited_for(project, saw, wait_until):
    project.add("web", "on-failure", retries=1)
    project.up()
    with project.runtime() as runtime:
        runtime.watch(saw)
        runtime.crash(["web"])
        wait_until(lambda: runtime.status("web").state is ProcessState.RUNNING)
        runtime.crash(["web"])
        assert [seen.returns for seen in saw.exits("web")] == [True, False]
        assert runtime.status("web").state is ProcessState.DOWN
        runtime.start(["web"])  # a person's start counts anew
        runtime.crash(["web"])
        assert saw.exits("web")[-1].returns is True


def test_between_two_attempts_a_service_is_returning_until_somebody_kills_it(project, saw, wait_until):
    project.add("web", "always", command=["sh", "-c", "echo ready; exit 3"])
    project.up()
    with project.runtime() as runtime:
        runtime.watch(saw)
        # By then the engine waits for 0.8 s between two attempts.
        wait_until(lambda: (now := runtime.status("web")).restarts == 4 and now.state == "returning")
        runtime.kill(["web"])
        assert saw.exits("web")[-1].returns is False
        assert runtime.status("web").state is ProcessState.DOWN
        assert saw.interference == []
