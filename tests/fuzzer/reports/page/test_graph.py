"""What the dependency graph says of a finding."""

import pytest

from fuzzer.reports.page.graph import draw, shortened
from models.expected import Effect
from tests.support.logged import BROKEN, SHOP, edge, finding_of, head_of, story_of


def roles(drawing):
    return {box.name: box.role for box in drawing.boxes}


def by(service):
    return BROKEN.model_copy(update={"service": service})


def test_who_was_harmed_who_broke_and_who_may_degrade():
    drawing = draw(SHOP, finding_of())
    assert roles(drawing) == {"gateway": "broken", "checkout": "excused", "db": "harmed", "analytics": "calm"}
    assert "db: a fault was done to it" in drawing.told
    assert drawing.marked


def test_the_way_of_harm_leads_from_what_broke_to_what_was_harmed():
    way = [(arrow.caller, arrow.dependency) for arrow in draw(SHOP, finding_of()).offending]
    assert way == [("gateway", "checkout"), ("checkout", "db")]


def test_where_no_edge_explains_it_none_is_accused():
    assert draw(SHOP, finding_of(violation=by("analytics"))).offending == ()


def test_who_was_harmed_and_broke_a_promise_itself_is_both_and_no_edge_is_accused():
    drawing = draw(SHOP, finding_of(violation=by("db"), story=story_of("db", "analytics")))
    assert roles(drawing)["db"] == "both"
    assert drawing.offending == ()


def test_a_fault_on_a_link_harms_the_connection_and_no_service():
    story = story_of("* -> db", effect=Effect.CUT)
    drawing = draw(SHOP, finding_of(story=story))
    assert "harmed" not in roles(drawing).values()
    assert [arrow.words for arrow in drawing.arrows if arrow.cut] == [
        "checkout needs db (a fault was done to this connection)"
    ]
    assert [(arrow.caller, arrow.dependency) for arrow in drawing.offending][-1] == ("checkout", "db")


def test_a_fault_on_a_replica_harms_its_service():
    assert roles(draw(SHOP, finding_of(story=story_of("db#2"))))["db"] == "harmed"


@pytest.mark.parametrize("on", ["primaries:etcd", "cache"])
def test_what_is_no_service_here_marks_nobody(on):
    assert "harmed" not in roles(draw(SHOP, finding_of(violation=by("ghost"), story=story_of(on)))).values()


def test_a_finding_without_a_story_still_says_who_broke():
    assert roles(draw(SHOP, finding_of(story=None)))["gateway"] == "broken"


def test_an_edge_to_a_service_that_is_not_there_is_left_out():
    head = SHOP.model_copy(update={"edges": (*SHOP.edges, edge("db -> ghost"))})
    assert len(draw(head).arrows) == len(SHOP.edges)


def test_circles_are_drawn_and_everything_is_on_the_canvas():
    head = head_of("a -> b", "b -> c", "c -> a", "a -> a", "c ~> b", services=("a", "b", "c", "d"))
    drawing = draw(head)
    assert len(drawing.arrows) == 5
    assert all(0 <= box.x < drawing.width - 168 and 0 <= box.y < drawing.height - 40 for box in drawing.boxes)
    assert not drawing.marked
    assert not [arrow for arrow in drawing.arrows if "nan" in arrow.path or "inf" in arrow.path]


def test_a_long_name_keeps_both_of_its_ends():
    name = "payment-reconciliation-worker-europe-west"
    assert shortened(name) == "payment-r…urope-west"
    assert len(shortened(name)) == 20
    assert shortened("short") == "short"
    assert draw(head_of(services=(name,))).boxes[0].name == name
