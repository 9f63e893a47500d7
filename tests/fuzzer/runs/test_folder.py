"""Where runs are kept, and which one a person means."""

from datetime import UTC, datetime

import pytest

from fuzzer.runs.folder import Runs, new_id
from models.errors import RequestError

FIRST, SECOND, THIRD = "20261123-101500-shop-sim-0001", "20261124-0900-no", "20261124-090000-shop-local-0002"


def kept(tmp_path, *ids, size=1):
    runs = Runs.of(tmp_path)
    for id_ in ids:
        runs.path(id_).parent.mkdir(parents=True)
        runs.path(id_).write_text("x" * size)
    return runs


def test_an_id_begins_with_the_time_so_that_names_sort_by_it():
    id_ = new_id("My Shop/été", "local", datetime(2026, 11, 24, 2, 3, 4, tzinfo=UTC))
    assert id_.startswith("20261124-020304-my-shop-t-local-")
    assert len({new_id("a", "sim") for _ in range(20)}) > 15


def test_only_folders_of_runs_count(tmp_path):
    runs = kept(tmp_path, THIRD, FIRST, SECOND)
    (runs.folder / "20261124-100000-shop-sim-0003").mkdir()  # it has no log
    assert runs.ids() == [FIRST, THIRD]


@pytest.mark.parametrize("word", ["latest", THIRD, "20261124-09", "20261124"])
def test_a_run_is_found_by_its_id_its_first_letters_or_as_the_latest(tmp_path, word):
    runs = kept(tmp_path, FIRST, THIRD)
    assert runs.find(word) == runs.path(THIRD)


def test_so_it_is_by_its_folder_or_its_log(tmp_path):
    runs = kept(tmp_path, FIRST)
    assert runs.find(str(runs.path(FIRST))) == runs.path(FIRST)
    assert Runs.of(tmp_path / "elsewhere").find(str(runs.folder / FIRST)) == runs.path(FIRST)


def test_what_fits_several_runs_is_refused_with_their_names(tmp_path):
    with pytest.raises(RequestError, match=f"2 runs begin with '2026': {FIRST}, {THIRD}; name one of them"):
        kept(tmp_path, FIRST, THIRD).find("2026")


def test_what_fits_none_is_refused_with_the_latest(tmp_path):
    with pytest.raises(RequestError, match=f"no run 'x' in .*; the latest is {THIRD}"):
        kept(tmp_path, FIRST, THIRD).find("x")


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    with pytest.raises(RequestError, match="cannot be read: File name too long"):
        kept(tmp_path, FIRST).find("x" * 5000)


def test_without_any_run_it_says_how_to_get_one(tmp_path):
    with pytest.raises(RequestError, match="there is no run yet; play one first, as with knockon fuzz"):
        Runs.of(tmp_path).find("latest")


def test_the_oldest_runs_beyond_so_many_are_removed_with_all_that_was_made_of_them(tmp_path):
    ids = [f"2026112{n}-101500-shop-sim-000{n}" for n in range(1, 6)]
    runs = kept(tmp_path, *ids)
    (runs.folder / ids[0] / "page.html").write_text("")
    runs.prune(most=3)
    assert runs.ids() == ids[2:]
    assert not (runs.folder / ids[0]).exists()


def test_so_are_those_beyond_so_many_bytes_but_never_the_latest(tmp_path):
    ids = [f"2026112{n}-101500-shop-sim-000{n}" for n in range(1, 6)]
    runs = kept(tmp_path, *ids, size=100)
    runs.prune(most_bytes=250)
    assert runs.ids() == ids[3:]
    runs.prune(most_bytes=10)
    assert runs.ids() == ids[4:]


def test_what_is_no_run_stays(tmp_path):
    runs = kept(tmp_path, FIRST, THIRD)
    (runs.folder / "notes").mkdir()
    runs.prune(most=1)
    assert (runs.folder / "notes").is_dir()
