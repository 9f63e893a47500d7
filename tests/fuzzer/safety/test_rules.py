from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fuzzer.safety.refusals import refuse_by, refuse_remote, refuse_unmeant
from fuzzer.safety.rules import stop_file, windows
from models.errors import RequestError
from models.place import Place
from models.target import Safety
from models.windows import Window
from tests.support.fake_fleet import SHOP, target_of


def safe(**safety):
    return replace(target_of(*SHOP), safety=Safety(**safety))


def test_a_stop_file_refuses_and_says_how_to_go_on(tmp_path):
    rule = stop_file(tmp_path / "my state")
    refuse_by([rule])
    (tmp_path / "my state").mkdir()
    (tmp_path / "my state" / "stop").touch()
    with pytest.raises(RequestError, match=r"no run begins or goes on.*: rm '.*/my state/stop'$"):
        refuse_by([rule])


def test_a_window_refuses_and_says_when_it_ends():
    target = safe(excluded_windows=(Window.parse("Mon-Fri 09:00-17:00 Europe/Berlin"),))
    moments = [datetime(2026, 11, 24, 7, 59, tzinfo=UTC), datetime(2026, 11, 24, 8, 0, tzinfo=UTC)]
    rule = windows(target, lambda: moments.pop(0))
    assert rule() == ""
    told = rule()
    assert "x-knockon.safety.excluded_windows: nothing is touched inside `Mon-Fri 09:00-17:00 Europe" in told
    assert "lasts until Tue 2026-11-24 17:00 CET" in told


def test_by_default_the_clock_of_this_machine_is_asked():
    assert windows(safe(excluded_windows=(Window.parse("00:00-24:00 UTC"),)))()
    assert not windows(safe())()


def test_a_remote_engine_has_to_be_allowed():
    place = Place((), "the engine is at ssh://far")
    refuse_remote(place, allowed=True)
    refuse_remote(Place(()), allowed=False)
    with pytest.raises(RequestError, match=r"^the engine is at ssh://far, .* --allow-remote$"):
        refuse_remote(place, allowed=False)


def test_what_looks_like_production_has_to_be_named_all_of_it():
    place = Place((("the project", "shop-prod"), ("the engine", "prod 1"), ("the context", "dev")))
    with pytest.raises(RequestError) as refused:
        refuse_unmeant(place, safe(), ["dev"])
    assert str(refused.value) == (
        "the project is called 'shop-prod' (like '*prod*'), the engine is called 'prod 1' (like '*prod*'): "
        "that looks like production to x-knockon.safety.production; if it is meant: "
        "--i-mean shop-prod --i-mean 'prod 1'"
    )
    with pytest.raises(RequestError, match=r"--i-mean 'prod 1'$"):
        refuse_unmeant(place, safe(), ["shop-prod"])
    refuse_unmeant(place, safe(), ["shop-prod", "prod 1"])
    refuse_unmeant(place, safe(production=("live",)), [])
