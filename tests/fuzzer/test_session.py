import json

import pytest

from fuzzer.config import RunConfig
from fuzzer.runtimes.base import Undo
from fuzzer.session import heal_leftovers, open_session, read_target
from models.errors import RequestError
from tests.support.fake_fleet import SHOP, FakeFleet, target_of


def compose(tmp_path, **top):
    file = tmp_path / "compose.json"
    file.write_text(json.dumps({"services": {"web": {"image": "x"}}, **top}))
    return file


def test_the_default_is_the_hardened_shop_on_processes():
    config = RunConfig()
    assert config.runtime_name == "local"
    assert config.options() == ""
    target = read_target(config, {})
    assert target.name == "shop"
    assert len(target.faultable) == 6
    assert str(target.services["checkout-service"].restart) == "unless-stopped"


def test_printed_commands_lead_to_the_same_fleet(tmp_path):
    config = RunConfig((tmp_path / "my file.yaml",), project="p")
    assert config.runtime_name == "docker"
    assert config.options() == f" --target '{tmp_path}/my file.yaml' --project p --runtime docker"


def test_nothing_is_touched_without_opt_in(tmp_path):
    with (
        pytest.raises(RequestError, match="no service may be touched"),
        open_session(RunConfig((compose(tmp_path),))),
    ):
        pass


def test_an_unknown_runtime_is_named(tmp_path):
    file = compose(tmp_path, **{"x-knockon": {"enabled": True}})
    with pytest.raises(RequestError, match="moon"), open_session(RunConfig((file,), runtime="moon")):
        pass


def test_leftovers_of_dead_runs_are_undone_newest_first():
    fleet = FakeFleet(target_of(*SHOP))
    fleet.journal.write([Undo("start", ("db",))])
    fleet.journal.write([Undo("start", ("gateway",)), Undo("unpause", ("db",))])
    assert heal_leftovers(fleet) == ["unpause db", "start gateway", "start db"]
    assert fleet.calls == ["unpause db", "start gateway", "start db"]
    assert fleet.journal.entries == {}
    assert heal_leftovers(fleet) == []
