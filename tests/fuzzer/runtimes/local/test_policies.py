"""What comes back, when, and when it is given up: as in Docker, but for what ``supervisord.py`` lists."""

import pytest

from fuzzer.runtimes.base import ProcessState
from models.errors import RuntimeUnavailable
from models.observation import Change
from models.target import LocalCommand, Restart, RestartPolicy, Service
from tests.support.waiting import until

from .conftest import get, service, will_exit_at_once

NO = RestartPolicy(Restart.NO)
ON_FAILURE = RestartPolicy(Restart.ON_FAILURE)
UNLESS_STOPPED = RestartPolicy(Restart.UNLESS_STOPPED)
ALWAYS = RestartPolicy(Restart.ALWAYS)


POLICIES = {"no": NO, "on-failure": ON_FAILURE, "unless-stopped": UNLESS_STOPPED, "always": ALWAYS}


@pytest.mark.parametrize(
    ("code", "back"),
    [(0, {"unless-stopped", "always"}), (3, {"on-failure", "unless-stopped", "always"})],
)
def test_an_exit_by_itself(fleet, saw, code, back):
    runtime = fleet(*(service(name, policy) for name, policy in POLICIES.items()))
    for name in POLICIES:
        get(runtime, name, f"/exit/{code}")
    until(lambda: all(saw.exits(name) for name in POLICIES))
    for name in back:
        until(lambda name=name: runtime.status(name).state is ProcessState.RUNNING)
        assert saw.changes(name) == [Change.EXITED, Change.STARTED]
        assert runtime.status(name).restarts == 1
    for name in set(POLICIES) - back:
        assert runtime.status(name).state is ProcessState.DOWN
        until(lambda name=name: saw.health_of(name)[-1].detail == f"exited with {code}, stays down")
        assert saw.changes(name) == [Change.EXITED]
    assert {saw.exits(name)[0].exit_code for name in POLICIES} == {code}
    assert {name for name in POLICIES if saw.exits(name)[0].returns} == back


def test_a_crash_loop_is_slowed_down_as_in_docker(fleet, saw):
    runtime = fleet(service("well"), service("loop"))
    will_exit_at_once(runtime, "loop")
    runtime.crash(["loop"])
    until(lambda: len(saw.changes("loop")) >= 9)
    seen = saw.of("loop")[:9]
    assert [p.change for p in seen] == [Change.EXITED, Change.STARTED] * 4 + [Change.EXITED]
    assert [p.at_s for p in seen] == sorted(p.at_s for p in seen)
    for number, (died, back) in enumerate(zip(seen[0:8:2], seen[1:8:2], strict=True)):
        wait_s = 0.1 * 2**number
        assert wait_s <= back.at_s - died.at_s <= wait_s + 0.15
    assert [p.exit_code for p in seen[0::2]] == [137, 3, 3, 3, 3]
    assert all(p.returns for p in seen[0::2])
    assert [p.instance for p in seen[1::2]] == [p.instance for p in seen[2::2]]
    assert runtime.status("loop").restarts >= 4
    assert not saw.exits("well")


def test_a_process_that_lives_shorter_than_any_look_is_seen(fleet, saw):
    runtime = fleet(service("well"), Service("blink", ALWAYS, local=LocalCommand(("true",))))
    until(lambda: len(saw.changes("blink")) >= 4)
    first = saw.of("blink").index(next(p for p in saw.of("blink") if p.change is Change.STARTED))
    started, exited = saw.of("blink")[first : first + 2]
    assert (exited.change, exited.exit_code) == (Change.EXITED, 0)
    assert started.instance == exited.instance
    assert started.at_s <= exited.at_s
    assert runtime.status("blink").restarts > 0


def test_a_service_that_uses_up_its_retries_is_given_up(fleet, saw):
    runtime = fleet(service("well"), service("web", RestartPolicy(Restart.ON_FAILURE, 2)))
    for returns in (True, True, False):
        until(lambda: runtime.status("web").state is ProcessState.RUNNING)
        runtime.crash(["web"])
        assert saw.exits("web")[-1].returns is returns
    assert runtime.status("web").state is ProcessState.DOWN
    assert runtime.status("web").restarts == 2
    runtime.start(["web"])  # by hand: counted anew
    assert runtime.status("web").restarts == 0
    runtime.crash(["web"])
    assert saw.exits("web")[-1].returns is True


def test_a_return_can_be_called_off_and_brought_forward(fleet, saw):
    runtime = fleet(service("well"), service("loop"))
    will_exit_at_once(runtime, "loop")
    runtime.crash(["loop"])

    def waits():
        return (now := runtime.status("loop")).state is ProcessState.RETURNING and now.restarts >= 3

    until(waits)
    runtime.kill(["loop"])
    assert runtime.status("loop").state is ProcessState.DOWN
    assert [p.returns for p in saw.exits("loop")[-2:]] == [True, False]
    starts = saw.changes("loop").count(Change.STARTED)
    runtime.start(["loop"])
    assert saw.changes("loop").count(Change.STARTED) == starts + 1
    until(waits)
    starts = saw.changes("loop").count(Change.STARTED)
    runtime.start(["loop"])
    assert saw.changes("loop").count(Change.STARTED) == starts + 1, "at once, whatever the backoff"


def test_a_program_that_vanished_is_an_error_and_not_a_finding(fleet, saw, tmp_path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    runtime = fleet(Service("web", NO, local=LocalCommand((str(program),))), service("well"))
    runtime.kill(["web"])
    program.unlink()
    with pytest.raises(RuntimeUnavailable, match=r"web.*can't find command"):
        runtime.start(["web"])
    assert runtime.status("web").state is ProcessState.DOWN
