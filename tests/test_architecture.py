"""The floors of the house: imports go only downwards. See docs/architecture.md."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("models", "invariants", "fuzzer")
OURS = {path: path.relative_to(ROOT).parts for floor in FLOORS for path in (ROOT / floor).rglob("*.py")}
MODELS_MAY_IMPORT = {"networkx", "pydantic", "pydantic_core"}

# Inside fuzzer/, who may import whom; a folder may import itself, its own base and what is listed.
BELOW = {
    "runtimes": {
        "edges",
        "probes",
        "files",
        "kin",
        "loads.base",
        "loads.schedule",
        "netns",
        "procfs",
        "runtimes.able",
        "runtimes.base",
        "secrecy",
        "wiring",
    },
    "probes": {"runtimes.able", "runtimes.base"},
    "targets": {"runtimes.able", "runtimes.base", "secrecy", "wiring"},
    "edges": {"kin"},
    "netns": {"probes"},
    "loads": {"kin"},
    "lint": set(),
    "exchange": {"actions"},
    "named": {"files"},
    "actions": {"recorder", "runtimes.able", "runtimes.base"},
    "safety": {"halts", "recorder"},
    "search": {
        "actions",
        "events",
        "files",
        "halts",
        "pins",
        "player",
        "runtimes.able",
        "runtimes.base",
        "scenarios",
    },
    "reports": {
        "actions",
        "events",
        "exchange",
        "recorder",
        "runs",
        "runtimes.able",
        "runtimes.base",
        "shown",
    },
    "runs": {"events", "files", "shown", "version"},
    "calibration": {"events", "files", "secrecy"},
    "watchdog": {"healing", "kin", "runtimes.base"},
}
ASSEMBLERS = {"fleets.py", "healing.py"}


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def room(module: str) -> str:
    """``fuzzer.runtimes.base`` is ``runtimes.base``; ``fuzzer.runtimes.docker.x`` is ``runtimes.docker``."""
    return ".".join(module.split(".")[1:3])


@pytest.mark.parametrize("path", sorted(OURS), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards(path):
    floor = FLOORS.index(OURS[path][0])
    above = {f"{name}." for name in FLOORS[floor + 1 :]}
    assert not [m for m in imports(path) if any(f"{m}.".startswith(upper) for upper in above)]


@pytest.mark.parametrize(
    "path", sorted(p for p in OURS if OURS[p][0] == "models"), ids=lambda path: path.name
)
def test_models_need_nothing_but_values(path):
    foreign = {m.split(".")[0] for m in imports(path)} - {"models"} - MODELS_MAY_IMPORT
    assert foreign <= set(sys.stdlib_module_names)
    assert not foreign & {"time", "random", "socket", "subprocess", "threading", "os"}


@pytest.mark.parametrize(
    "path",
    sorted(p for p in OURS if OURS[p][0] == "fuzzer" and len(OURS[p]) > 2),
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_neighbours_do_not_import_each_other(path):
    folder = OURS[path][1]
    if folder == "cli":
        return  # the door may open every room
    for module in imports(path):
        if not module.startswith("fuzzer."):
            continue
        wanted = room(module)
        top = wanted.split(".")[0]
        allowed = BELOW[folder] | {folder}
        assert top in allowed or wanted in allowed, f"{path.name} imports {module}"


SHARING = {"actions": "fuzzer.actions", "invariants": "invariants"}
"""Folders with a catalogue: beside it only ``base`` and ``base_*`` are shared."""


def is_base(module: str) -> bool:
    name = module.rpartition(".")[2]
    return name == "base" or name.startswith("base_")


@pytest.mark.parametrize("package", SHARING.values(), ids=SHARING)
def test_only_the_bases_are_shared_inside_a_folder(package):
    for path in ROOT.joinpath(*package.split(".")).glob("*.py"):
        if path.name in ("catalogue.py", "__init__.py"):
            continue
        inside = {m for m in imports(path) if m.startswith(f"{package}.")}
        assert all(map(is_base, inside)), path.name
        if path.name == "base.py":
            assert not inside, "what everybody shares builds on nobody"
        elif is_base(path.stem):
            assert inside <= {f"{package}.base"}, path.name


def test_a_base_holds_nothing_of_a_catalogue():
    from fuzzer.actions.catalogue import ACTIONS
    from invariants.catalogue import INVARIANTS

    held = {type(one).__module__ for one in (*ACTIONS.values(), *INVARIANTS)}
    assert not [module for module in held if is_base(module)]


@pytest.mark.parametrize("package", SHARING.values(), ids=SHARING)
def test_nothing_in_a_base_has_the_name_of_an_action_or_a_promise(package):
    for path in ROOT.joinpath(*package.split(".")).glob("base*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                named = [n for n in node.body if isinstance(n, ast.AnnAssign) and n.value is not None]
                assert "name" not in {ast.unparse(n.target) for n in named}, f"{path.name}: {node.name}"


def test_only_the_session_and_the_doors_name_concrete_runtimes():
    for path, parts in OURS.items():
        if parts[:2] == ("fuzzer", "runtimes") or parts[:2] == ("fuzzer", "cli") or parts[-1] in ASSEMBLERS:
            continue
        named = {
            m
            for m in imports(path)
            if room(m).startswith("runtimes.") and room(m) not in ("runtimes.able", "runtimes.base")
        }
        assert not named, f"{path} names {named}"


SAY = {"echo", "secho", "print", "write_line", "print_exception", "print_exc", "fail", "exit"}
PROGRAMS = (("fuzzer", "edges"), ("fuzzer", "netns"))
"""Programs of their own, which speak to nobody but us."""

SAYS_IT_SHOWN = {"shown.py", "main.py", "plugin.py", "wire.py", "schema.py"}
"""What hands everything that it prints to ``shown``, or prints what it has to print as it is."""


def test_whatever_is_printed_goes_through_the_one_way_out():
    for path, parts in OURS.items():
        if parts[:2] in PROGRAMS or parts[-1] in SAYS_IT_SHOWN:
            continue
        text = path.read_text(encoding="utf-8")
        assert "sys.stdout.write" not in text, path
        assert "sys.stderr.write" not in text, path
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            says = name in SAY and ast.unparse(node.func) not in ("echo", "sys.exit", "ctx.exit")
            assert not says or "shown(" in ast.unparse(node) or "drawn" in ast.unparse(node), (
                f"{path}: {ast.unparse(node)}"
            )


def test_an_actions_file_is_named_like_the_action():
    from fuzzer.actions.catalogue import ACTIONS

    for name, action in ACTIONS.items():
        assert type(action).__module__ == f"fuzzer.actions.{name}"


def test_an_invariants_file_is_named_like_the_invariant():
    from invariants.catalogue import INVARIANTS

    assert {type(i).__module__ for i in INVARIANTS} == {f"invariants.{i.name}" for i in INVARIANTS}
    assert len({i.error for i in INVARIANTS}) == len(INVARIANTS)


@pytest.mark.parametrize("path", sorted(OURS), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_no_room_is_a_hall():
    long = {str(path): count for path in OURS if (count := len(path.read_text().splitlines())) > 330}
    assert not long
