"""The compose file is changed or removed under a run."""

from __future__ import annotations

import pytest

from tests.support.waiting import until


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        (lambda file: file.write_text("services: [nonsense"), "changed"),
        (lambda file: file.unlink(), "is gone"),
    ],
    ids=["broken", "removed"],
)
def test_a_run_goes_by_the_file_as_it_was_and_says_so(local_pair, deed, told):
    local_pair.write(web="well")
    run = local_pair.open("kill", "db", "--wait", "2s")
    until(lambda: local_pair.listens("db"), "no fleet", 60)
    until(lambda: not local_pair.listens("db"), "no fault", 60)
    deed(local_pair.file)
    done = run.ends()
    assert done.code == 0, done.text
    assert "HOLDS: " in done.output
    assert done.errors == (
        f"note: while this ran, {local_pair.file} {told}; what is said here is of the file as it was at the "
        "start\n"
    )
