"""The project's name, its folder, and the stacks that come with knockon."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzzer.targets.files import load_target

WEB = "services: {web: {image: x}}\n"
SHOP = Path(__file__).parents[3] / "examples" / "shop"


def test_a_project_is_named_in_the_order_of_compose(load):
    assert load(WEB).name == "shop"
    assert load("name: fleet\n" + WEB).name == "fleet"
    assert load("name: fleet\n" + WEB, environ={"COMPOSE_PROJECT_NAME": "other"}).name == "other"
    assert load("name: ${N:-x}-y\n" + WEB).name == "x-y"
    assert load(WEB, env="COMPOSE_PROJECT_NAME=other").name == "other"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "My Shop",
            "0.yaml:1: name: found 'My Shop'; expected lower-case letters, digits, _ and -, such as myshop",
        ),
        ("'-'", "0.yaml:1: name: found '-'; expected lower-case letters, digits, _ and -"),
        ("3", "0.yaml:1: name: found 3; expected the project's name"),
    ],
)
def test_a_name_that_compose_refuses_is_told(refusal, name: str, told: str):
    assert refusal(f"name: {name}\n{WEB}") == [told]


def test_a_name_from_the_environment_is_checked_too(refusal):
    (only,) = refusal(WEB, environ={"COMPOSE_PROJECT_NAME": "A B"})
    assert only.startswith("the variable COMPOSE_PROJECT_NAME: found 'A B'; expected lower-case letters")


def test_a_folder_without_letters_needs_a_name(tmp_path: Path):
    (tmp_path / "_").mkdir()
    (tmp_path / "_" / "compose.yaml").write_text(WEB)
    with pytest.raises(
        Exception, match="found no `name`; expected a `name`, since the folder's name gives none"
    ):
        load_target([tmp_path / "_" / "compose.yaml"], {})


def test_the_folder_is_that_of_the_first_file_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for folder in ("My.Shop", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "compose.yaml").write_text(WEB)
    monkeypatch.chdir(tmp_path / "other")
    target = load_target([Path("../My.Shop/compose.yaml"), Path("compose.yaml")], {})
    assert target.name == "myshop"
    assert target.directory == tmp_path / "My.Shop"
    monkeypatch.chdir(tmp_path / "My.Shop")
    assert load_target([Path("compose.yaml")], {}).directory == tmp_path / "My.Shop"


def test_an_included_file_is_refused_rather_than_forgotten(refusal):
    assert refusal("include: [other.yaml]\n" + WEB) == [
        "0.yaml:1: include: found `include`; expected the files given one after the other: "
        "`docker compose config` prints such a file"
    ]


@pytest.mark.skipif(not SHOP.exists(), reason="the example is not part of this checkout")
@pytest.mark.parametrize("names", [["compose.yaml"], ["compose.yaml", "compose.hardened.yaml"]])
def test_the_shop_is_read_without_a_problem_or_a_remark(names: list[str]):
    target = load_target([SHOP / name for name in names], {})
    assert len(target.faultable) == 6
    assert target.notes == ()
    assert target.topology.blast_radius(["orders-db"]) == {
        "orders-db",
        "checkout-service",
        "user-service",
        "api-gateway",
    }
