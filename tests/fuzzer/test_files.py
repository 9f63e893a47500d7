"""Files are whole, private unless they are for others, never too large, and no link leads them astray."""

import os
import stat

import pytest

from fuzzer.files import append, private_folder, read_limited, write_atomically
from models.errors import RequestError


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_file_is_its_owners_alone_unless_it_is_shared(tmp_path, umask):
    write_atomically(tmp_path / "state" / "a.json", "a")
    write_atomically(tmp_path / "pins" / "b.json", "b", shared=True)
    append(tmp_path / "state" / "c.ndjson", "c")
    assert mode(tmp_path / "state") == 0o700
    assert mode(tmp_path / "state" / "a.json") == mode(tmp_path / "state" / "c.ndjson") == 0o600
    assert mode(tmp_path / "pins") == 0o755
    assert mode(tmp_path / "pins" / "b.json") == 0o644


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (tmp_path / "a.json").symlink_to(elsewhere)
    write_atomically(tmp_path / "a.json", "new")
    assert elsewhere.read_text() == "mine"
    assert not (tmp_path / "a.json").is_symlink()


def test_nothing_is_added_to_what_a_link_leads_to(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (tmp_path / "a.ndjson").symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic link"):
        append(tmp_path / "a.ndjson", "new")
    assert elsewhere.read_text() == "mine"


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomically(tmp_path / "a", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_link_in_the_state_folder_is_refused(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "findings").symlink_to(tmp_path)
    with pytest.raises(RequestError, match=r"findings: found a link .* remove it"):
        private_folder(tmp_path / "state")


def test_a_state_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(RequestError, match="--state"):
        private_folder(tmp_path / "state")


def test_no_more_is_read_than_fits(tmp_path):
    path = tmp_path / "a"
    path.write_text("x" * 10)
    assert read_limited(path, 10) == "x" * 10
    with pytest.raises(OSError, match="larger"):
        read_limited(path, 9)
    with pytest.raises(OSError, match="larger"):
        read_limited(type(path)("/dev/zero"), 2**20)
