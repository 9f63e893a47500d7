import pytest

from models.place import Place
from models.target import PRODUCTION


@pytest.mark.parametrize(
    ("name", "looks_so"),
    [
        ("shop-prod", True),
        ("PRODUCTION", True),
        ("myprod1", True),
        ("eu.prd.example.org", True),
        ("shop-live", True),
        ("live", True),
        ("live.example.org", True),
        ("delivery", False),
        ("shop-staging", False),
        ("olive", False),
    ],
)
def test_what_looks_like_production_by_default(name, looks_so):
    assert bool(Place((("the project", name),)).like(PRODUCTION)) is looks_so


def test_each_name_is_told_once_with_what_has_it_and_the_pattern():
    place = Place((("the project", "a-prod"), ("the engine", "a-prod"), ("the context", "b")))
    assert place.like(["*prod*", "b"]) == [("the project", "a-prod", "*prod*"), ("the context", "b", "b")]
