"""What a service does while others are away, and when it has noticed."""

from __future__ import annotations

import pytest

PAIR = """
services:
  web: {restart: always, KIND, x-knockon: {soft: [SOFT], model: MODEL}}
  db: {image: x}
  log: {image: x}
"""


def pair(model="{}", *, hard=True):
    kind = "depends_on: {db: {condition: service_healthy}}" if hard else "image: x"
    soft = "log" if hard else "db, log"
    return PAIR.replace("KIND", kind).replace("SOFT", soft).replace("MODEL", model)


def when(fleet, condition, limit_s=30.0):
    """Seconds until something is so."""
    began_s = fleet.now()
    while not condition():
        assert fleet.now() - began_s < limit_s
        fleet.sleep(0.01)
    return fleet.now() - began_s


def test_without_a_hard_dependency_a_service_is_sick_for_as_long(twin):
    fleet = twin(pair())
    fleet.runtime.kill(["db"])
    assert when(fleet, lambda: fleet.away("web")) == pytest.approx(0.15, abs=0.03)
    assert fleet.away("web") == "sick"
    fleet.runtime.start(["db"])
    assert when(fleet, lambda: not fleet.away("web")) == pytest.approx(0.45, abs=0.06)
    fleet.runtime.kill(["log"])
    fleet.sleep(5.0)
    assert fleet.away("web") is None, "softly is not hard"


def test_a_hang_shows_only_when_the_wait_for_an_answer_is_over(twin):
    fleet = twin(pair("{calls: {db: {timeout_s: 2}}}"))
    fleet.runtime.pause(["db"])
    assert when(fleet, lambda: fleet.away("web")) == pytest.approx(2.15, abs=0.03)


def test_a_hang_that_is_over_sooner_is_never_noticed(twin):
    fleet = twin(pair("{calls: {db: {timeout_s: 2}}, reactions: [{when: {db: hung}, then: exits}]}"))
    for _ in range(5):
        fleet.runtime.pause(["db"])
        fleet.sleep(1.0)
        fleet.runtime.unpause(["db"])
        fleet.sleep(0.5)
    assert fleet.exits("web") == []


def test_who_starts_while_another_hangs_notices_that_too(twin):
    fleet = twin(pair("{calls: {db: {timeout_s: 2}}}"))
    fleet.runtime.pause(["db"])
    fleet.runtime.restart(["web"])
    fleet.sleep(3.0)
    assert fleet.away("web") == "sick"


def test_a_slow_service_hangs_for_those_who_do_not_wait(twin):
    fleet = twin("""
services:
  gateway: {depends_on: {web: {condition: service_healthy}}}
  patient:
    depends_on: {web: {condition: service_healthy}}
    x-knockon: {model: {calls: {web: {timeout_s: 2}}}}
  web: {x-knockon: {soft: [log], model: {reactions: [{when: {log: gone}, then: slows, delay_ms: 900}]}}}
  log: {image: x}
""")
    fleet.runtime.kill(["log"])
    fleet.sleep(3.0)
    assert [fleet.away(name) for name in ("gateway", "patient", "web")] == ["sick", None, None]
    fleet.runtime.start(["log"])
    fleet.sleep(1.0)
    assert fleet.away("gateway") is None


@pytest.mark.parametrize(("until", "after"), [("back", None), ("restart", "sick")])
def test_a_response_lasts_for_as_long_as_was_said(twin, until, after):
    fleet = twin(pair(f"{{reactions: [{{when: {{db: gone}}, then: errors, until: {until}}}]}}", hard=False))
    fleet.runtime.restart(["db"])
    fleet.sleep(2.0)
    assert fleet.away("web") == after
    fleet.runtime.restart(["web"])
    fleet.sleep(1.0)
    assert fleet.away("web") is None


def test_who_loses_patience_exits_and_waits_for_whom_it_never_met(twin):
    fleet = twin(pair("{reactions: [{when: {db: gone}, then: exits, after_s: 2}]}", hard=False))
    fleet.runtime.kill(["db"])
    gone_s = fleet.now()
    fleet.sleep(30.0)
    (exited_s,) = fleet.exits("web")
    assert exited_s - gone_s == pytest.approx(2.15, abs=0.03)
    assert fleet.state("web") == "running", "the new process has never seen db"
    fleet.runtime.start(["db"])
    fleet.sleep(1.0)
    fleet.runtime.kill(["db"])
    fleet.sleep(5.0)
    assert len(fleet.exits("web")) == 2


def test_patience_begins_anew_with_each_absence(twin):
    fleet = twin(pair("{reactions: [{when: {db: gone}, then: exits, after_s: 2}]}", hard=False))
    for _ in range(3):
        fleet.runtime.kill(["db"])
        fleet.sleep(1.5)
        fleet.runtime.start(["db"])
        fleet.sleep(1.0)
    assert fleet.exits("web") == []


@pytest.mark.parametrize(("db_back", "exits"), [(True, 0), (False, 1)])
def test_patience_that_ends_in_a_freeze_is_thought_over(twin, db_back, exits):
    fleet = twin(pair("{reactions: [{when: {db: gone}, then: exits, after_s: 2}]}", hard=False))
    fleet.runtime.kill(["db"])
    fleet.sleep(1.0)
    fleet.runtime.pause(["web"])
    fleet.sleep(5.0)
    if db_back:
        fleet.runtime.start(["db"])
        fleet.sleep(1.0)
    fleet.runtime.unpause(["web"])
    fleet.sleep(5.0)
    assert len(fleet.exits("web")) == exits


@pytest.mark.parametrize(("first", "second", "exits"), [("db", "log", 1), ("log", "db", 0)])
def test_the_order_may_matter(twin, first, second, exits):
    fleet = twin(
        pair("{reactions: [{when: {db: gone, log: gone}, then: exits, in_order: true}]}", hard=False)
    )
    fleet.runtime.kill([first])
    fleet.sleep(1.0)
    fleet.runtime.kill([second])
    fleet.sleep(5.0)
    assert len(fleet.exits("web")) == exits


def test_only_together_they_make_it_exit(twin):
    fleet = twin(pair("{reactions: [{when: {db: gone, log: hung}, then: exits}]}", hard=False))
    fleet.runtime.kill(["db"])
    fleet.sleep(2.0)
    fleet.runtime.start(["db"])
    fleet.runtime.pause(["log"])
    fleet.sleep(2.0)
    assert fleet.exits("web") == []
    fleet.runtime.kill(["db"])
    fleet.sleep(2.0)
    assert len(fleet.exits("web")) == 1


def test_a_connection_that_leads_nowhere_is_kept_until_the_restart(twin):
    fleet = twin(pair("{calls: {db: {reconnects: false}}}"))
    fleet.sleep(1.0)
    fleet.runtime.restart(["db"])
    fleet.sleep(60.0)
    assert fleet.away("web") == "sick"
    fleet.runtime.restart(["web"])
    fleet.sleep(1.0)
    assert fleet.away("web") is None


def test_services_that_need_each_other_recover(twin):
    """Each would stay sick because the other is: nobody assumes that."""
    fleet = twin("""
services:
  a: {x-knockon: {hard: [b]}}
  b: {x-knockon: {hard: [a]}}
""")
    fleet.runtime.kill(["a"])
    fleet.sleep(1.0)
    assert fleet.away("b") == "sick"
    fleet.runtime.start(["a"])
    fleet.sleep(2.0)
    assert (fleet.away("a"), fleet.away("b")) == (None, None)


def test_services_that_make_each_other_change_for_ever_take_time_for_it(twin):
    """A ring of reactions without a state of rest, and everything at once: it must not hang."""
    fleet = twin("""
services:
  a:
    x-knockon:
      soft: [b]
      model: {start_s: 0, notice_s: 0, calls: {b: {timeout_s: 0.001}}, reactions: [
        {when: {b: sick}, then: hangs}, {when: {b: hung}, then: errors}, {when: {b: gone}, then: errors}]}
  b:
    x-knockon:
      soft: [a]
      model: {start_s: 0, notice_s: 0, calls: {a: {timeout_s: 0.001}}, reactions: [
        {when: {a: sick}, then: errors}, {when: {a: hung}, then: hangs}]}
""")
    fleet.sleep(1.0)
    fleet.runtime.kill(["b"])
    fleet.sleep(1.0)
    fleet.runtime.start(["b"])
    happened = fleet.runtime.kernel.happened
    fleet.sleep(10.0)
    assert fleet.runtime.kernel.happened - happened < 100_000
