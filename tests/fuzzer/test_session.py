import json

import pytest

from fuzzer.config import RunConfig
from fuzzer.fleets import read_target
from fuzzer.healing import heal_leftovers
from fuzzer.runtimes.base import Undo
from fuzzer.session import open_session
from models.errors import Inconclusive, RequestError, StepInvalid
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
    assert fleet.calls == ["unpause db", "start gateway", "start db"] * 2, "what came late is undone, too"
    assert fleet.journal.entries == {}
    assert heal_leftovers(fleet) == []


def test_what_cannot_be_undone_stays_in_the_journal_and_keeps_nothing_else_from_being_undone(monkeypatch):
    fleet = FakeFleet(target_of(*SHOP))
    fleet.journal.write([Undo("start", ("db",))])
    entry = fleet.journal.write([Undo("unpause", ("gateway",)), Undo("start", ("analytics",))])
    fleet.journal.write([Undo("unpause", ("checkout",))])
    undo = fleet.undo

    def refuse(one):
        if one.targets == ("analytics",):
            raise StepInvalid("analytics is stuck")
        undo(one)

    monkeypatch.setattr(fleet, "undo", refuse)
    with pytest.raises(Inconclusive, match="it stays in the journal: analytics is stuck"):
        heal_leftovers(fleet)
    assert list(fleet.journal.entries) == [entry]
    assert fleet.calls[:3] == ["unpause checkout", "unpause gateway", "start db"]
