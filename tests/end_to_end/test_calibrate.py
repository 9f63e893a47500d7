"""The twin is taught by the real shop, as a user does it."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.end_to_end.conftest import SHOP


@pytest.fixture
def shop(desk):
    """A copy of the shop of the incident: what is learnt is written beside its compose file."""
    shutil.copytree(SHOP, desk.folder / "shop")
    (desk.folder / "shop" / "knockon-twin.json").unlink(missing_ok=True)
    return "--target shop/compose.yaml"


def test_what_one_service_takes_along_is_learnt_and_foretold(desk, shop):
    asked = f"knockon replay 'kill analytics-service; wait 3s' {shop} --runtime sim"
    assert "isolation: product-service exited" not in desk.type(asked).text

    learnt = desk.type(f"knockon calibrate analytics-service {shop} --runtime local")
    assert learnt.code == 0, learnt.text
    row = learnt.line("product-service    while analytics-service is gone")
    assert row.startswith("exits after"), learnt.text
    [fleet] = json.loads((desk.folder / "shop" / "knockon-twin.json").read_text())["fleets"].values()
    assert fleet["scenarios"] >= 5

    told = desk.type(asked)
    assert told.code == 1, told.text
    assert "VIOLATED isolation: product-service exited with code 1" in told.text

    check = desk.type(f"knockon calibrate --check {shop}")
    assert check.code == 0, check.text
    verdicts = check.line("agree in verdict:")
    same, of = int(verdicts.split()[0]), int(verdicts.split()[2])
    assert same >= of - 1, check.text
