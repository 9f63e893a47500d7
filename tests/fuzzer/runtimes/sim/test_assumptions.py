"""What is read from a file, what was learnt, and what a verdict is told to rest on."""

from __future__ import annotations

from fuzzer.runtimes.sim.assumptions import assume
from models.behaviour import Away, CallHints, Hints, Reaction, Response, UncleanHints

PAIR = """
services:
  web: {depends_on: [db], scale: 2, x-knockon: {soft: [log], model: MODEL}}
  db: {image: x}
  log: {image: x}
"""


def behaviour(read, model="{}", learnt=None):
    return assume(read(PAIR.replace("MODEL", model)), {"web": learnt} if learnt else None).behaviours["web"]


def test_a_hint_counts_more_than_what_was_learnt_and_that_more_than_an_assumption(read):
    learnt = Hints(start_s=9, stop_s=8, replicas=7, calls={"db": CallHints(timeout_s=6, retries=5)})
    web = behaviour(read, "{start_s: 1, calls: {db: {timeout_s: 2}}}", learnt)
    assert (web.start_s, web.stop_s, web.notice_s, web.replicas) == (1, 8, 0.15, 2)
    assert (web.calls["db"].timeout_s, web.calls["db"].retries, web.calls["db"].breaker) == (2, 5, 3)


def test_a_hint_about_an_absence_replaces_what_was_learnt_and_assumed_of_it(read):
    learnt = Hints(
        reactions=[
            Reaction(when={"db": Away.GONE}, then=Response.HANGS),
            Reaction(when={"db": Away.HUNG}, then=Response.SERVES),
        ]
    )
    web = behaviour(read, "{reactions: [{when: {db: gone}, then: exits}]}", learnt)
    assert {(*one.when.items(), one.then) for one in web.reactions} == {
        (("db", Away.GONE), Response.EXITS),
        (("db", Away.HUNG), Response.SERVES),
        (("db", Away.SICK), Response.ERRORS),
    }


def test_one_kind_of_unclean_start_replaces_the_other(read):
    web = behaviour(read, "{unclean: {start_s: 3}}", Hints(unclean=UncleanHints(exit_code=1)))
    assert (web.unclean_start_s, web.unclean_exit) == (3, None)


def test_what_was_learnt_of_services_that_are_no_more_is_forgotten(read):
    learnt = Hints(
        needs_at_start=["cache", "db"],
        calls={"cache": CallHints(retries=1)},
        reactions=[Reaction(when={"cache": Away.GONE}, then=Response.EXITS)],
    )
    web = behaviour(read, "{}", learnt)
    assert web.needs_at_start == ("db",)
    assert web.minds == ("db", "log")


def test_who_needs_nobody_at_its_start_can_say_so(read):
    assert behaviour(read).needs_at_start == ("db",)
    assert behaviour(read, "{needs_at_start: []}").needs_at_start == ()


def test_whatever_nobody_said_is_named(read):
    assumed = assume(read(PAIR.replace("MODEL", "{}")))
    assert assumed.about(["web", "db"]) == (
        "web starts in 0.3 s",
        "web is well while it runs, and ready once it has started: it has no health check",
        "web exits when db does not answer at its start: its depends_on names no "
        "`condition: service_healthy`, so nobody seems to have thought of it",
        "web answers with errors while db is gone or hung (no answer within 0.5 s) or sick, and no longer",
        "db starts in 0.3 s",
        "db is well while it runs, and ready once it has started: it has no health check",
    )
    assert assumed.about(["web", "log"])[-3] == (
        "web serves on while log is gone or hung (no answer within 0.5 s) or sick"
    )


def test_what_was_said_is_no_assumption(read):
    reactions = ", ".join(f"{{when: {{db: {away}}}, then: serves}}" for away in Away)
    model = f"{{start_s: 1, needs_at_start: [], reactions: [{reactions}]}}"
    told = assume(read(PAIR.replace("MODEL", model))).about(["web", "db"])
    assert [text for text in told if text.startswith("web")] == [
        "web is well while it runs, and ready once it has started: it has no health check"
    ]


def test_under_load_what_a_request_takes_is_an_assumption(read):
    target = read("""
x-knockon:
  enabled: true
  loads: {pages: {entry: web}}
services:
  web: {image: x, ports: ["1:1"]}
  db: {x-knockon: {model: {work_ms: 1}}}
""")
    told = assume(target).about(["web", "db"])
    assert [text for text in told if "request" in text] == [
        "web takes 3 ms for a request, and works on 32 at a time"
    ]


def test_what_is_assumed_of_calls_is_told_where_their_connection_was_harmed(read):
    wired = "x-knockon: {soft: [log], model: MODEL}, environment: {DB_URL: 'http://db:80'}}"
    text = PAIR.replace("x-knockon: {soft: [log], model: MODEL}}", wired)
    assumed = assume(read(text.replace("MODEL", "{calls: {db: {timeout_s: 2}}}")))
    told = (
        "calls of web to db are not repeated, are not sent after 3 failures in a row, get over a broken "
        "connection, have 200 bytes, like their answers"
    )
    assert told in assumed.about(["web", "db", "web -> db"])
    assert told in assumed.about(["web", "db", "log", "* -> db"])
    assert told not in assumed.about(["web", "db"])
    assert told not in assumed.about(["web", "db", "web -> log"])
    assert told not in assumed.about(["web", "web -> db"])
