"""knockon report: on runs of a fleet in memory; test_real.py has one of real processes."""

import json
from pathlib import Path

import pytest

from fuzzer.runs.folder import Runs
from tests.fuzzer.cli.conftest import analytics_takes_checkout_along

CASCADE = "crash analytics; wait 1s"


@pytest.fixture
def played(shop):
    """A cascade was replayed here."""
    shop.misbehave = analytics_takes_checkout_along
    assert shop("replay", CASCADE).exit_code == 1
    return Runs.of(Path(".knockon"))


def test_the_page_is_named_after_the_run_and_so_after_its_time(knockon, played):
    result = knockon("report")
    [id_] = played.ids()
    assert result.exit_code == 0
    first, *card, last = result.stdout.splitlines()
    assert first == "VIOLATED: fake on fake, 1 played"
    assert card[:2] == [
        "aspect                grade          shown by",
        f"service isolation     fail           {CASCADE}",
    ]
    assert "durability            not exercised" in card
    assert last == f"report: .knockon/runs/{id_}/{id_}.html"
    assert (
        "checkout exited with code 1 after harm to analytics"
        in Path(f".knockon/runs/{id_}/{id_}.html").read_text()
    )


def test_it_can_be_written_elsewhere_and_made_again_from_the_log_alone(knockon, played, tmp_path):
    knockon("report")
    [id_] = played.ids()
    log = played.path(id_).rename(tmp_path / "moved.ndjson")
    assert knockon("report", str(log), "--html", "a/page.html").exit_code == 0
    made = (tmp_path / "a" / "page.html").read_text()
    assert made == Path(f".knockon/runs/{id_}/{id_}.html").read_text()
    assert "moved.html" in knockon("report", str(log)).stdout


def test_json_is_printed_alone(knockon, played):
    told = knockon.json("report", "--json", "-")
    assert (told["verdict"], told["run"]["target"]) == ("violated", "fake")
    assert told["scenarios"][0]["scenario"] == CASCADE
    assert told["scenarios"][0]["story"]["lanes"]["checkout"]
    assert not list(played.folder.glob("*/*.html"))


def test_so_is_a_page(knockon, played):
    text = knockon("report", "--html", "-").stdout
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>\n")


def test_json_and_the_page_can_be_written_at_once(knockon, played):
    result = knockon("report", "latest", "--json", "r.json", "--html", "r.html")
    assert result.stdout.splitlines()[-2:] == ["report: r.json", "report: r.html"]
    assert json.loads(Path("r.json").read_text())["verdict"] == "violated"
    assert Path("r.html").read_text().startswith("<!doctype html>")


def test_runs_are_listed_the_latest_first_with_what_they_found(knockon, shop, played):
    shop.misbehave = lambda fleet: None
    shop("replay", CASCADE)
    result = knockon("report", "--list")
    heading, *rows = result.stdout.splitlines()
    assert heading.split() == ["run", "verdict", "scenarios", "what", "was", "found"]
    assert {row.split()[1] for row in rows} == {"holds", "violated"}
    assert "checkout exited with code 1 after harm to analytics" in result.stdout
    told = knockon.json("report", "--list", "--json", "-")
    assert [one["id"] for one in told] == played.ids()[::-1]
    assert {one["scenarios"] for one in told} == {1}
    assert all(Path(one["log"]).is_file() for one in told)


def test_an_unreadable_run_is_listed_as_such_and_hides_no_other(knockon, played):
    broken = played.path("20270101-000000-shop-sim-0001")
    broken.parent.mkdir()
    broken.write_text("nonsense\n")
    lines = knockon("report", "--list").stdout.splitlines()
    assert "unreadable" in lines[1]
    assert "is no log of a run" in lines[1]
    assert "violated" in lines[2]
    assert knockon("report").exit_code == 2


def test_without_any_run_the_list_says_how_to_get_one(knockon):
    assert "no run is kept in .knockon/runs; knockon fuzz makes one" in knockon("report", "--list").stdout
    assert knockon.json("report", "--list", "--json", "-") == []
    result = knockon("report")
    assert result.exit_code == 2
    assert "there is no run yet" in result.stderr


def test_damaged_lines_are_told_and_the_rest_is_shown(knockon, played):
    path = played.path(*played.ids())
    path.write_text(path.read_text() + "{\n")
    result = knockon("report")
    assert result.exit_code == 0
    assert "are damaged and left out: 3" in result.stderr
    assert "1 line of the log could not be read and are left out" not in result.stdout


@pytest.mark.parametrize("option", ["--html", "--json"])
def test_a_place_that_cannot_be_written_is_told(knockon, played, option):
    Path("file").write_text("")
    result = knockon("report", "latest", option, "file/x")
    assert result.exit_code == 2
    assert "file/x: cannot be written: " in result.stderr
    assert "name another file" in result.stderr
