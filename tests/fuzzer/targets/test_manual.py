"""docs/target.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from fuzzer.targets.files import load_target
from models.behaviour import CallHints, Hints, Reaction, UncleanHints
from models.compose import (
    CountersKeys,
    GroupKeys,
    LocalKeys,
    ProjectKeys,
    RoleKeys,
    SafetyKeys,
    ServiceKeys,
)
from models.compose_loads import DurableKeys, EndpointKeys, LoadKeys
from models.errors import TargetError
from models.limits import Limits

MANUAL = (Path(__file__).parents[3] / "docs" / "target.md").read_text()
BLOCKS = re.findall(r"```(?:yaml|text)\n(.*?)```", MANUAL, re.DOTALL)


@pytest.mark.parametrize(
    "model",
    [
        ProjectKeys,
        ServiceKeys,
        LoadKeys,
        EndpointKeys,
        DurableKeys,
        CountersKeys,
        SafetyKeys,
        GroupKeys,
        RoleKeys,
        LocalKeys,
        Limits,
        Hints,
        CallHints,
        UncleanHints,
        Reaction,
    ],
)
def test_every_key_is_explained(model: type[BaseModel]):
    assert [key for key in model.model_fields if f"`{key}`" not in MANUAL] == []


def test_the_example_works_beside_a_file_of_the_user(load):
    target = load("services: {checkout: {image: shop}, analytics: {}, orders-db: {}}", BLOCKS[0])
    assert target.faultable == ("checkout",)


def test_the_example_of_loads_works(load):
    target = load(BLOCKS[1])
    assert [load.name for load in target.loads.values()] == ["checkout", "browse"]
    assert target.loads["browse"].services == ("gateway",)


def test_the_example_of_groups_works(load):
    target = load("services: {etcd-1: {}, etcd-2: {}, etcd-3: {}}", BLOCKS[3])
    (group,) = target.topology.groups
    assert (group.members, group.tolerates, group.failover_s) == (("etcd-1", "etcd-2", "etcd-3"), 1, 5)


def test_the_example_of_a_behaviour_works(load):
    hints = load(BLOCKS[4]).services["checkout"].model
    assert (hints.start_s, list(hints.calls), len(hints.reactions)) == (2, ["orders-db"], 2)


def test_the_transcript_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("compose.yaml").write_text(BLOCKS[5])
    with pytest.raises(TargetError) as raised:
        load_target([Path("compose.yaml")], {})
    assert str(raised.value) + "\n" == BLOCKS[6]
