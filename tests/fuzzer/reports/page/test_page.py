"""The page as text; test_browser.py opens it."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fuzzer.config import RunConfig
from fuzzer.reports.page.page import page
from fuzzer.reports.page.shown import DONE
from fuzzer.runs.lines import LoggedFault, LoggedService, LoggedStretch
from fuzzer.runs.reading import read_run
from fuzzer.session import open_session
from models.expected import Effect
from models.scenario import Scenario
from models.verdict import Outcome
from tests.support.logged import (
    BROKEN,
    SHOP,
    TOTAL,
    beats,
    edge,
    end_of,
    finding_of,
    run_of,
    scenario_of,
    story_of,
)

ROOT = Path(__file__).parents[4]
HOLDS, VIOLATED, UNKNOWN = Outcome
FOUND = run_of(scenario_of(purpose="search"), findings=[finding_of()], end=end_of())


class Text(HTMLParser):
    """What is to be read, and every tag."""

    def __init__(self, html):
        super().__init__()
        self.words, self.tags = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def __str__(self):
        return " ".join(" ".join(self.words).split())


def text_of(run):
    return str(Text(page(run)))


def test_somebody_who_never_saw_knockon_is_told_what_broke_why_and_what_to_do():
    text = text_of(FOUND)
    assert "VIOLATED gateway exited with code 1 after harm to db" in text
    assert "knockon harms services of fake on purpose, and watches whether the others keep" in text
    assert "Harmed on purpose db: its process was ended, and nothing was to bring it back" in text
    assert "The promise isolation: no process exits unless it was a fault's own target" in text
    assert "Harm spread along gateway needs checkout checkout needs db" in text
    assert "What to do fix: let gateway go on without db" in text
    assert "knockon replay 'kill db' --target compose.yaml" in text
    assert "knockon pin .knockon/findings/fake.json" in text
    assert "1 step, reproduced 3/3; found as 2 steps." in text


def test_it_can_be_done_by_somebody_who_has_no_knockon_where_there_are_containers():
    def told(runtime):
        head = FOUND.head.model_copy(update={"runtime": runtime})
        return text_of(replace(FOUND, head=head))

    assert "The same without knockon" in told("docker")
    assert "docker kill fake-db-1 docker start fake-db-1" in told("docker")
    assert "without knockon" not in told("local")


def test_every_effect_of_a_fault_is_told_in_words():
    assert DONE.keys() == set(Effect)


def test_where_no_edge_explains_it_that_is_told():
    violation = BROKEN.model_copy(update={"service": "analytics"})
    assert "no dependency that is declared: none leads from analytics to db" in text_of(
        run_of(findings=[finding_of(violation=violation)])
    )


def test_what_held_is_told_with_what_was_not_put_to_the_test():
    verdicts = (
        {"invariant": "isolation", "outcome": "holds"},
        {"invariant": "latency", "outcome": "unknown", "exercised": False, "reason": "no load was sent"},
    )
    text = text_of(run_of(scenario_of(HOLDS, verdicts=verdicts)))
    assert "HOLDS no promise was broken in 1 scenario" in text
    assert "Kept isolation" in text
    assert "Not put to the test latency (no load was sent)" in text
    assert "What broke" not in text


def test_unknown_says_why_and_claims_neither():
    text = text_of(run_of(scenario_of(UNKNOWN, story=None, verdicts=())))
    assert "UNKNOWN nothing can be said: the fleet is not steady" in text
    assert "No timeline was kept" in text
    assert "Kept" not in text
    assert "Harmed on purpose" not in text


def test_a_search_that_did_not_end_says_so():
    text = text_of(run_of(scenario_of(HOLDS, "search")))
    assert "UNKNOWN nothing can be said: the search did not come to its end" in text


def test_a_simulation_says_that_nothing_was_touched_and_what_it_rests_on():
    run = run_of(
        scenario_of(rests_on=("gateway exits when db is not there",)),
        head=SHOP.model_copy(update={"modelled": True, "runtime": "sim"}),
    )
    text = text_of(run)
    assert "No service was started or touched: every one was modelled." in text
    assert "Modelled, not measured; it rests on what the files do not say: gateway exits when" in text


def test_pins_that_still_break_are_told_but_are_no_news():
    text = text_of(run_of(scenario_of(VIOLATED, "pin"), scenario_of(HOLDS, "search"), end=end_of()))
    assert "HOLDS no promise was broken" in text
    assert "1 pin still broke, as is known." in text


def test_a_guard_that_breaks_is_told_whole():
    assert "Harm spread along" in text_of(run_of(scenario_of(VIOLATED, "guard")))


def test_faults_on_connections_blind_spans_interference_and_outside_tools_are_told():
    story = story_of(
        "gateway -> checkout",
        effect=Effect.SILENT,
        blind=((1.0, 2.0, "not scheduled"),),
        interference=("somebody restarted db",),
        totals=(TOTAL,),
        loads={"browse": beats(4), "checkout": beats(4)},
    )
    text = text_of(run_of(scenario_of(story=story)))
    assert "gateway -> checkout: what was sent was lost" in text
    assert "A dotted arrow: a fault was done to this connection." in text
    assert "From 1.00 s to 2.00 s knockon did not look: not scheduled." in text
    assert "somebody restarted db" in text
    assert "hey GET /products 900 3 4 ms 31.5 ms" in text


@pytest.mark.parametrize(
    ("scenario", "told"), [("load browse 30rps 4s; kill db", 0), ("kill db; wait 2s", 1)]
)
def test_a_tool_that_no_step_names_is_told_for_a_replay_goes_without(scenario, told):
    text = text_of(run_of(scenario_of(scenario=scenario)))
    assert text.count("browse sent requests beside it; a replay goes without.") == told


def test_every_finding_is_told_and_can_be_reached_from_the_top():
    names = [f"svc-{number}" for number in range(12)]
    found = [finding_of(violation=BROKEN.model_copy(update={"service": name})) for name in names]
    html = page(run_of(findings=found, end=end_of()))
    links = [attrs["href"] for tag, attrs in Text(html).tags if tag == "a" and "shown" in attrs["href"]]
    ids = {attrs["id"] for _, attrs in Text(html).tags if "id" in attrs}
    assert len(links) == 12
    assert {link[1:] for link in links} <= ids


def test_no_id_is_given_twice():
    html = page(run_of(scenario_of(), findings=[finding_of(), finding_of()], end=end_of()))
    ids = [attrs["id"] for _, attrs in Text(html).tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_a_long_table_is_cut_and_says_so():
    run = run_of(*[scenario_of(HOLDS, "search", number=n) for n in range(600)], end=end_of())
    text = text_of(run)
    assert "The latest 500; the log has 100 more." in text
    assert "HOLDS no promise was broken in 600 scenarios" in text


CANARY = "<script>canary()</script>\"'><img src=x onerror=canary()>"


def canaries():
    """A run in which everything that can come from outside is a script."""
    violation = BROKEN.model_copy(
        update={
            "invariant": CANARY,
            "service": CANARY,
            "summary": CANARY,
            "evidence": (CANARY,),
            "advice": (CANARY,),
        }
    )
    story = story_of(
        "db",
        faults=(LoggedFault(on=CANARY, effect=Effect.DOWN, since_s=0, ended_s=1),),
        lanes={CANARY: (LoggedStretch(state="down", since_s=0, until_s=2, detail=CANARY),)},
        loads={CANARY: beats(2)},
        totals=(TOTAL.model_copy(update={"load": CANARY, "endpoint": CANARY}),),
        steps=({"step": CANARY, "began_s": 0, "ended_s": 1, "reason": CANARY},),
        blind=((0, 1, CANARY),),
        interference=(CANARY,),
    )
    head = SHOP.model_copy(
        update={
            **dict.fromkeys(
                ("id", "at", "knockon", "python", "platform", "options", "runtime", "target", "digest"),
                CANARY,
            ),
            "files": (CANARY,),
            "notes": (CANARY,),
            "services": (*SHOP.services, LoggedService(name=CANARY)),
            "edges": (*SHOP.edges, edge("gateway -> db").model_copy(update={"dependency": CANARY})),
            "limits": {CANARY: 1.0},
        }
    )
    cells = tuple(
        cell.model_copy(update={"row": CANARY, "column": CANARY}) for cell in end_of().coverage["actions"]
    )
    finding = finding_of(
        violation=violation,
        also=(violation,),
        minimal=(CANARY,),
        story=story,
        saved=CANARY,
        rests_on=(CANARY,),
    )
    scenario = scenario_of(
        scenario=CANARY, reason=CANARY, violations=(violation,), story=story, rests_on=(CANARY,)
    )
    end = end_of(ended=CANARY, coverage={"actions": cells})
    return run_of(scenario, findings=[finding], end=end, head=head)


def test_nothing_that_comes_from_outside_becomes_markup():
    html = page(canaries())
    assert html.count("canary()") > 50
    assert "<script>canary" not in html
    assert [tag for tag, _ in Text(html).tags].count("script") == 1
    assert not [tag for tag, _ in Text(html).tags if tag == "img"]
    assert not [name for _, attrs in Text(html).tags for name in attrs if name.startswith("on")]


@pytest.mark.parametrize(
    "run", [FOUND, run_of(scenario_of()), canaries()], ids=["found", "replay", "canaries"]
)
def test_the_page_refers_to_nothing_outside_of_itself(run):
    tags = Text(page(run)).tags
    named = [
        attrs[key] for _, attrs in tags for key in ("src", "href", "srcset", "action", "data") if key in attrs
    ]
    assert all(name.startswith("#") for name in named)
    html = page(run)
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", html)
    assert "default-src 'none'" in html


def test_a_minute_of_the_shop_under_two_loads_is_told_in_less_than_300_kilobytes(tmp_path):
    """A simulated one; tests/end_to_end has the real cascade of the fragile shop."""
    config = RunConfig((ROOT / "examples" / "shop" / "compose.yaml",), runtime="sim", state=tmp_path)
    scenario = "load checkout 40rps 40s; load browse 40rps 40s; wait 3s; pause product-service; wait 20s"
    with open_session(config) as session:
        session.runner.play(Scenario.parse(scenario))
    html = page(read_run(session.log.path))
    assert "requests, up to 40/s" in html
    assert 50_000 < len(html.encode()) < 300_000
