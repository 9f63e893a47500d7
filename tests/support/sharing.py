"""Which tests one worker of pytest-xdist plays, one after the other: those that would notice each other.

Most tests wait, so several at once take less time. But there is only one container engine, and a run of
knockon sweeps away what a dead run left in it, which another test may just be looking at. And the tests of
what is told to the millisecond need not disturb each other.

Not by marks and ``--dist loadgroup``: that relies on node ids that can be changed, which pytest 9.2 ended.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "tests/end_to_end/test_docker.py": "engine",
    "tests/fuzzer/runtimes/docker/": "engine",
    "tests/fuzzer/cli/test_docker.py": "engine",
    "tests/fuzzer/cli/test_doctor.py": "engine",
    "tests/fuzzer/targets/test_project.py": "engine",
    "tests/fuzzer/loads/": "clocks",
    "tests/fuzzer/probes/": "clocks",
}

APART = ("tests/end_to_end/", "tests/fuzzer/search/test_campaign.py", "tests/fuzzer/cli/test_fuzz.py")
"""Where tests share nothing, and a single one takes long."""


class Sharing(LoadScopeScheduling):  # type: ignore[misc]
    """The tests of a file stay together, but for the above."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The name of the group to which a test belongs."""
    for start, group in TOGETHER.items():
        if nodeid.startswith(start):
            return group
    file, _, name = nodeid.partition("::")
    if re.search(r"[\[-]docker[]-]", name):
        return "engine"
    return nodeid if file.startswith(APART) else file
