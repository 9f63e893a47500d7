"""The keys under x-knockon: what they become, and how a mistake in them is told."""

# ruff: noqa: E501  (a table of mistakes is read across)

from __future__ import annotations

import pytest

from models.behaviour import Away, CallHints, Reaction, Response, UncleanHints
from models.load import Durable, Endpoint, Load
from models.target import Counters, Criticality, LocalCommand, Safety

WEB = "services: {web: {image: x}, db: {image: x}}\n"


def test_every_key_reaches_the_target(load):
    target = load("""
x-knockon:
  enabled: true
  limits: {recovery_s_max: 12, health_timeout_s: 0.5}
  loads:
    browse: {entry: web}
    buy: {entry: web, method: POST, path: "/buy?x=1", rate_rps: 2.5, body: '{"sku": 1}'}
    mixed:
      entry: web
      timeout_s: 2
      endpoints:
        - {path: /a, weight: 3, needs: [db], expect: ok}
        - name: write
          entry: db
          method: PUT
          path: "/b/{id}"
          headers: {X-A: b}
          durable: {path: "/b/{id}"}
        - {method: POST, path: /c, durable: {path: "/c/{id}", id: a.b, entry: db}}
  load_command: k6 run "a b.js"
  safety: {max_faults: 3, protect: [db]}
services:
  web:
    x-knockon:
      health: http://127.0.0.1:8001/health
      hard: [db]
      soft: [log]
      criticality: critical
      counters: {url: "http://127.0.0.1:8001/metrics", calls: a.calls}
      local: {command: python3 -m web, environment: {PORT: 8001, DEBUG: true, NAME: web}}
  db: {image: x}
  log: {image: x, x-knockon: {enabled: false}}
""")
    assert (target.limits.recovery_s_max, target.limits.health_timeout_s) == (12, 0.5)
    assert target.loads == {
        "browse": Load("browse", (Endpoint("GET /", "web"),)),
        "buy": Load(
            "buy", (Endpoint("POST /buy?x=1", "web", "POST", "/buy?x=1", body='{"sku": 1}'),), rate_rps=2.5
        ),
        "mixed": Load(
            "mixed",
            (
                Endpoint("GET /a", "web", path="/a", weight=3.0, needs=("db",), expect="ok"),
                Endpoint("write", "db", "PUT", "/b/{id}", {"X-A": "b"}, durable=Durable("db", "/b/{id}")),
                Endpoint("POST /c", "web", "POST", "/c", durable=Durable("db", "/c/{id}", "a.b")),
            ),
            timeout_s=2.0,
        ),
    }
    assert target.load_command == ("k6", "run", "a b.js")
    assert target.safety == Safety(3, frozenset({"db"}))
    assert target.faultable == ("web",)
    web = target.services["web"]
    assert web.health.url == "http://127.0.0.1:8001/health"
    assert web.counters == Counters("http://127.0.0.1:8001/metrics", "a.calls")
    assert web.criticality is Criticality.CRITICAL
    assert web.local == LocalCommand(
        ("python3", "-m", "web"), {"PORT": "8001", "DEBUG": "true", "NAME": "web"}
    )


@pytest.mark.parametrize(
    ("top", "label", "own", "opted_in"),
    [
        (None, None, None, False),
        (None, "true", None, True),
        (None, None, "true", True),
        ("true", None, None, True),
        ("true", "false", None, False),
        ("true", None, "false", False),
        ("true", "true", "false", False),
        ("true", "false", "true", True),
        ("false", "true", "true", False),
    ],
)
def test_only_what_opted_in_is_touched(
    load, top: str | None, label: str | None, own: str | None, opted_in: bool
):
    text = f"x-knockon: {{enabled: {top}}}\n" if top else ""
    text += "services:\n  web:\n    image: x\n"
    text += f'    labels: {{knockon.enable: "{label}"}}\n' if label else ""
    text += f"    x-knockon: {{enabled: {own}}}\n" if own else ""
    target = load(text)
    assert target.faultable == (("web",) if opted_in else ())
    assert any("no service is opted in" in note for note in target.notes) is not opted_in


def test_the_enable_label_says_true_or_false(refusal):
    assert refusal("services: {web: {labels: [knockon.enable=1]}}") == [
        '0.yaml:1: services.web.labels.knockon.enable: found \'1\'; expected "true" or "false"'
    ]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("[]", ": found a list; expected a mapping"),
        ("{enabled: 1}", ".enabled: found 1; expected true or false"),
        ("{enabled: yes}", '.enabled: found yes, which YAML 1.1 reads as true; expected "yes" in quotes, or true'),
        ("{enable: true}", ".enable: found an unknown key; expected one of enabled, limits, loads, load_command, safety, groups; "
         "did you mean `enabled`?"),
        ("{limits: 3}", ".limits: found 3; expected a mapping"),
        ("{limits: {recovery_s_max: '30'}}", ".limits.recovery_s_max: found '30'; expected a number"),
        ("{limits: {recovery_s_max: 0}}", ".limits.recovery_s_max: found 0; expected a number above 0"),
        ("{limits: {recovery_s_max: 4000}}", ".limits.recovery_s_max: found 4000; expected at most 3600"),
        ("{limits: {recovery_s_max: .inf}}", ".limits.recovery_s_max: found .inf; expected a finite number"),
        ("{limits: {recovery_s_max: 1e999}}", ".limits.recovery_s_max: found 1e999; expected a finite number"),
        ("{limits: {observe_s: -.nan}}", ".limits.observe_s: found '-.nan'; expected a number"),
        ("{limits: {observe_s: }}", ".limits.observe_s: found nothing; expected a number"),
        ("{limits: {observe_s: 1:30}}", ".limits.observe_s: found 1:30, which YAML 1.1 reads as a number to the base 60; "
         'expected "1:30" in quotes'),
        ("{limits: {observe_s: 1_0}}", ".limits.observe_s: found 1_0, which YAML 1.1 reads as a number; "
         'expected "1_0" in quotes, or 10'),
        ("{safety: {max_faults: 1.5}}", ".safety.max_faults: found 1.5; expected a whole number"),
        ("{safety: {max_faults: 0}}", ".safety.max_faults: found 0; expected at least 1"),
        ("{safety: {protect: db}}", ".safety.protect: found 'db'; expected a list"),
        ("{safety: {protect: [dbb]}}", ".safety.protect[0]: found 'dbb'; expected the name of a service; did you mean `db`?"),
        ("{safety: {protect: [3]}}", ".safety.protect[0]: found 3; expected text"),
        ("{loads: {l: {path: /}}}", ".loads.l: found no `entry`; expected `entry`"),
        ("{loads: {l: {entry: wbe}}}", ".loads.l.entry: found 'wbe'; expected the name of a service that runs; "
         "did you mean `web`?"),
        ("{loads: {l: {entry: web, method: post}}}", ".loads.l.method: found 'post'; expected 'GET', 'HEAD', "),
        ("{loads: {l: {entry: web, path: x}}}", ".loads.l.path: found 'x'; expected a path that begins with / and "),
        ("{loads: {l: {entry: web, rate: 1}}}", ".loads.l.rate: found an unknown key; expected one of name, entry, "
         "method, path, headers, body, weight, needs, expect, durable, rate_rps, timeout_s, endpoints; did you mean `rate_rps`?"),
        ("{loads: {l: {entry: web, body: {a: 1}}}}", ".loads.l.body: found a mapping; expected text"),
        ("{loads: {l: {entry: web, endpoints: [{entry: wbe}]}}}", ".loads.l.endpoints[0].entry: found 'wbe'; expected "
         "the name of a service that runs; did you mean `web`?"),
        ("{loads: {l: {entry: web, needs: [dbb]}}}", ".loads.l.needs[0]: found 'dbb'; expected the name of a service "
         "that runs; did you mean `db`?"),
        ("{loads: {l: {entry: web, durable: {path: '/{id}', entry: dbb}}}}", ".loads.l.durable.entry: found 'dbb'; "
         "expected the name of a service that runs; did you mean `db`?"),
        ("{loads: {l: {entry: web, durable: {path: /x}}}}", ".loads.l.durable.path: found '/x'; expected a path that "
         "holds {id}, such as /orders/{id}"),
        ("{loads: {l: {entry: web, path: /a, endpoints: [{path: /b}]}}}", ".loads.l: found a mapping; expected either "
         "`endpoints` or path, not both"),
        ("{loads: {l: {entry: web, endpoints: [{path: /b}, {path: /b}]}}}", ".loads.l: found a mapping; expected "
         "endpoints with different names"),
        ("{loads: {l: {entry: web, weight: 0}}}", ".loads.l.weight: found 0; expected a number above 0"),
        ("{loads: {2s: {entry: web}}}", ".loads.2s: found '2s'; expected a name that a scenario can say"),
        ("{loads: {on: {entry: web}}}", '.loads.on: found on, which YAML 1.1 reads as true; expected "on" in quotes'),
    ],
)  # fmt: skip
def test_a_mistake_at_the_top_is_told_in_plain_words(refusal, keys: str, told: str):
    (only,) = refusal(f"{WEB}x-knockon: {keys}")
    assert only.startswith(f"0.yaml:2: x-knockon{told}")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("3", ": found 3; expected a mapping"),
        ("{helth: x}", ".helth: found an unknown key; expected one of enabled, health, hard, soft, criticality, counters, role, disk, clock, replicas_max, local, direct, model; "
         "did you mean `health`?"),
        ("{health: web}", ".health: found 'web'; expected an http:// or https:// URL with a host"),
        ("{health: [http://x]}", ".health: found a list; expected text"),
        ("{hard: db}", ".hard: found 'db'; expected a list"),
        ("{hard: [web]}", ".hard[0]: found the service itself; expected another service"),
        ("{soft: [dbs]}", ".soft[0]: found 'dbs'; expected the name of a service; did you mean `db`?"),
        ("{hard: [db], soft: [db]}", ".soft[0]: found 'db' under both; expected each name under hard or under soft"),
        ("{criticality: high}", ".criticality: found 'high'; expected 'critical', 'normal' or 'low'"),
        ("{local: python3}", ".local: found 'python3'; expected a mapping"),
        ("{local: {}}", ".local: found no `command`; expected `command`"),
        ("{local: {command: a 'b}}", ".local.command: found \"a 'b\"; expected a command whose quotes are closed"),
        ("{local: {command: []}}", ".local.command: found a list; expected a command with at least the program to run"),
        ("{local: {command: [a, 1]}}", ".local.command[1]: found 1; expected text"),
        ("{local: {command: a, environment: {A: [1]}}}", ".local.environment.A: found a list; expected text"),
        ("{local: {command: a, environment: {A: off}}}", ".local.environment.A: found off, which YAML 1.1 reads as false; "),
        ("{local: {command: a, environment: {B=C: 1}}}", ".local.environment.B=C: found 'B=C'; expected the name of a "),
        ("{model: {start: 1}}", ".model.start: found an unknown key; expected one of replicas, start_s, stop_s, notice_s, "
         "health_ms, work_ms, workers, queue, commit_s, unclean, needs_at_start, calls, reactions; did you mean `start_s`?"),
        ("{model: {start_s: -1}}", ".model.start_s: found -1; expected at least 0"),
        ("{model: {needs_at_start: [dbb]}}", ".model.needs_at_start[0]: found 'dbb'; expected the name of a service that "
         "runs; did you mean `db`?"),
        ("{model: {calls: {dbb: {retries: 1}}}}", ".model.calls.dbb: found 'dbb'; expected the name of a service that runs; "),
        ("{model: {calls: {db: {retries: 1}}}}", ".model.calls.db: found 'db'; expected a service that web depends on"),
        ("{hard: [db], model: {calls: {db: {retry: 1}}}}", ".model.calls.db.retry: found an unknown key; expected one of "),
        ("{hard: [db], model: {calls: {db: {timeout_s: 0}}}}", ".model.calls.db.timeout_s: found 0; expected at least 0.001"),
        ("{model: {reactions: [{when: {dbb: gone}, then: exits}]}}", ".model.reactions[0].when.dbb: found 'dbb'; expected the "
         "name of a service that runs; did you mean `db`?"),
        ("{model: {reactions: [{when: {web: gone}, then: exits}]}}", ".model.reactions[0].when.web: found the service itself; "
         "expected another service"),
        ("{model: {reactions: [{when: {db: dead}, then: exits}]}}", ".model.reactions[0].when.db: found 'dead'; expected "
         "'gone', 'hung' or 'sick'"),
        ("{model: {reactions: [{when: {db: gone}, then: dies}]}}", ".model.reactions[0].then: found 'dies'; expected 'serves'"),
        ("{model: {reactions: [{when: {}, then: exits}]}}", ".model.reactions[0].when: found a mapping; expected at least one "),
        ("{model: {reactions: [{when: {db: gone}, then: exits, delay_ms: 9}]}}", ".model.reactions[0].delay_ms: found `then: "
         "exits`; expected `then: slows` where there is a `delay_ms`"),
        ("{model: {reactions: [{when: {db: gone}, then: exits, in_order: true}]}}", ".model.reactions[0].in_order: found one; "
         "expected at least two services that go away in order"),
        ("{model: {unclean: {start_s: 1, exit_code: 0}}}", ".model.unclean: found both; expected either `start_s` or "),
    ],
)  # fmt: skip
def test_a_mistake_in_a_service_is_told_in_plain_words(refusal, keys: str, told: str):
    (only,) = refusal(f"services:\n  db: {{image: x}}\n  web:\n    x-knockon: {keys}")
    assert only.startswith(f"0.yaml:4: services.web.x-knockon{told}")


def test_how_a_service_behaves_reaches_the_target(load):
    target = load("""
services:
  web:
    depends_on: [db]
    x-knockon:
      model:
        start_s: 2
        unclean: {exit_code: 3}
        needs_at_start: [db]
        calls: {db: {timeout_s: 1.5, retries: 2}}
        reactions: [{when: {db: hung}, then: exits, after_s: 0.7}]
  db: {image: x}
""")
    hints = target.services["web"].model
    assert (hints.start_s, hints.stop_s, hints.needs_at_start) == (2, None, ["db"])
    assert hints.unclean == UncleanHints(exit_code=3)
    assert hints.calls == {"db": CallHints(timeout_s=1.5, retries=2)}
    assert hints.reactions == [Reaction(when={"db": Away.HUNG}, then=Response.EXITS, after_s=0.7)]


def test_one_mistake_does_not_hide_another(refusal):
    found = refusal(f"""{WEB}x-knockon:
  enabled: yes
  limits: {{recovery_s_max: soon, stedy_s: 1}}
  loads: {{l: {{entry: nobody, rate_rps: 0}}}}
  safety: {{max_faults: many, protect: [nobody]}}
""")
    assert [line.split(":")[2].strip() for line in found] == [
        "x-knockon.enabled",
        "x-knockon.limits.recovery_s_max",
        "x-knockon.limits.stedy_s",
        "x-knockon.loads.l.rate_rps",
        "x-knockon.loads.l.entry",
        "x-knockon.safety.max_faults",
        "x-knockon.safety.protect[0]",
    ]


def test_a_misspelt_extension_is_pointed_out(load):
    target = load("x-knockn: {enabled: true}\nservices: {web: {x-knock-on: {}, x-other: {}}}")
    assert [note for note in target.notes if "not read" in note] == [
        note for note in target.notes if note.endswith("did you mean x-knockon?")
    ]
    assert sum("is not read" in note for note in target.notes) == 2
