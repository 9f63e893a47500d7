"""Two runs on one fleet: the second is told who has it. A dead run has nothing."""

from __future__ import annotations

import re
import signal

import pytest

from tests.support.waiting import until


@pytest.mark.docker
def test_the_second_run_on_a_project_is_refused_by_the_name_of_the_first(engine_pair):
    engine_pair.up()
    first = engine_pair.open("kill", "db", "--wait", "60s")
    until(lambda: engine_pair.state("db") == "exited", "the fault is not seen", 60)
    second = engine_pair.type("kill", "web")
    assert second.code == 2, second.text
    assert second.output == ""
    assert re.search(
        rf"another run of knockon has the project {engine_pair.name}: pid {first.process.pid} "
        rf"\(.*kill .*\), since 20\d\d-.* or end it: kill {first.process.pid}",
        second.errors,
    ), second.errors
    assert engine_pair.state("web") == "running"

    first.process.send_signal(signal.SIGKILL)
    first.ends()
    third = engine_pair.type("kill", "web")
    assert third.code == 0, third.text
    assert [engine_pair.state(service) for service in engine_pair.ports] == ["running", "running"]
    assert engine_pair.leftovers() == []


def test_the_second_local_run_is_refused_by_the_name_of_the_first(local_pair, tmp_path):
    """Also while the services of the first are down, and their ports look free."""
    local_pair.write(web="well")
    first = local_pair.open("kill", "db", "--wait", "60s")
    until(lambda: local_pair.listens("db"), "no fleet", 60)
    until(lambda: not local_pair.listens("db"), "no fault", 60)
    local_pair.state = tmp_path / "another"
    local_pair.write(web="well")
    second = local_pair.type("kill", "web")
    assert second.code == 2, second.text
    assert re.search(
        rf"another run of knockon has ports of this target, for its fleet of pair: pid {first.process.pid} "
        rf"\(.*kill .*\), since 20\d\d-.* or end it: kill {first.process.pid}",
        second.errors,
    ), second.errors
    first.process.send_signal(signal.SIGINT)
    assert first.ends().code == 130
