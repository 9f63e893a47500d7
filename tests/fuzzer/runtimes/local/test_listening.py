"""Where a local fleet's own helpers listen: on loopback, and nowhere else."""

from __future__ import annotations

import os
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from fuzzer.runtimes.local.fleets import members
from fuzzer.runtimes.local.runtime import LocalRuntime
from fuzzer.runtimes.proxies import proxies_at
from fuzzer.targets.files import load_target
from tests.support.ports import free_ports

LISTENS = "0A"
COMPOSE = """\
x-knockon: {{enabled: true}}
services:
  db:
    image: x
    ports: ["127.0.0.1:{db}:80"]
    x-knockon: {{local: {{command: [sleep, "60"]}}}}
  web:
    image: x
    environment: {{DB: "http://db:80"}}
    ports: ["127.0.0.1:{web}:80"]
    x-knockon: {{local: {{command: [sleep, "60"]}}}}
"""


def listeners(pids):
    """Addresses at which any of these processes listens."""
    sockets = set()
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                sockets.add(os.readlink(handle).removeprefix("socket:[").removesuffix("]"))
    for table, address in (("tcp", IPv4Address), ("tcp6", IPv6Address)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENS and fields[9] in sockets:
                host = bytes.fromhex(fields[1].partition(":")[0])
                words = [host[at : at + 4][::-1] for at in range(0, len(host), 4)]
                yield address(b"".join(words))


def children(pid):
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def test_only_on_loopback(tmp_path):
    db, web = free_ports(2)
    (tmp_path / "compose.yaml").write_text(COMPOSE.format(db=db, web=web))
    target = load_target([tmp_path / "compose.yaml"], {})
    with LocalRuntime(target, state_dir=tmp_path / "state", proxies=proxies_at(None, tmp_path)) as runtime:
        [folder] = (tmp_path / "state").glob("fleet-*")
        assert runtime.edges() == [("web", "db")]
        found = list(listeners({os.getpid(), *children(os.getpid()), *members(folder)}))
        assert len(found) >= 2, "the proxy, and its API"
        assert all(address.is_loopback for address in found)
