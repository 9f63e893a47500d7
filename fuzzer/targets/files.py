"""The journey of compose files: read, fill in variables, merge, check, and build the ``Target``."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from fuzzer.secrecy import SECRETS
from fuzzer.targets.base import Place, Problems, nearest
from fuzzer.targets.confidential import learn_secrets
from fuzzer.targets.dotenv import read_variables
from fuzzer.targets.edges import Caller, Known, completed_by_others, read_edges
from fuzzer.targets.extension import read_extension
from fuzzer.targets.hints import check_hints
from fuzzer.targets.merging import merge_documents
from fuzzer.targets.proxied import led_directly, read_proxies
from fuzzer.targets.services import is_active, read_service, refuse_elsewhere
from fuzzer.targets.variables import Variables
from fuzzer.targets.yaml_source import read_documents
from fuzzer.wiring import wires
from models.compose import ProjectKeys, ServiceKeys
from models.compose_nodes import MapNode, Mark, quoted
from models.compose_spec import EXTENSION, PROJECT_NAME, TOP_LEVEL_KEYS, project_name
from models.errors import Problem, TargetError
from models.target import ProbeKind, Service, Target
from models.topology import Topology


def load_target(paths: Sequence[Path], environ: Mapping[str, str]) -> Target:
    """Read compose files, later ones overriding earlier ones.

    ``environ`` gives the variables; it wins over the ``.env`` file beside the first compose file.

    Raises:
        TargetError: with every problem in the files, not only the first.
    """
    if not paths:
        raise TargetError([Problem("the request", "", "no compose file", "at least one")])
    problems = Problems([str(path) for path in paths])
    directory = Path(os.path.abspath(paths[0])).parent
    variables = Variables(_with_dotenv(directory, environ, problems), problems)
    SECRETS.learn(environ)
    documents = [variables.fill(document) for document in _documents(paths, problems)]
    for document in documents:
        learn_secrets(document)
    tree = merge_documents(documents, problems)
    target = _Reader(Place(tree, "", problems), directory, variables).target(tuple(paths))
    SECRETS.never_hide(
        [target.name, *target.services, *target.loads, *(one.name for one in target.topology.groups)]
    )
    return target


def _with_dotenv(directory: Path, environ: Mapping[str, str], problems: Problems) -> Mapping[str, str]:
    file = directory / ".env"
    return {**read_variables(file, environ, problems), **environ} if file.is_file() else environ


def _documents(paths: Sequence[Path], problems: Problems) -> list[MapNode]:
    """All documents of all files; ends here when a file has none, since every reference would dangle."""
    read = [read_documents(path, problems) for path in paths]
    if not all(read):
        problems.raise_if_any()
    return [document for documents in read for document in documents]


class _Reader:
    """Reads one merged tree."""

    def __init__(self, root: Place, directory: Path, variables: Variables) -> None:
        self.root = root
        self.directory = directory
        self.variables = variables
        self.notes = variables.notes

    def target(self, files: tuple[Path, ...]) -> Target:
        self.root.check_keys(TOP_LEVEL_KEYS, "a compose file")
        refuse_elsewhere(self.root)
        keys = read_extension(self.root, ProjectKeys)
        places = self.places()
        proxies = read_proxies(places)
        absent = self.absent(places)
        missing = absent.keys() | proxies.keys()
        service_keys = {name: read_extension(place, ServiceKeys) for name, place in places.items()}
        read = {
            name: read_service(
                name, place, service_keys[name], keys.enabled, self.directory, self.variables.values
            )
            for name, place in places.items()
        }
        present = {name: service for name, service in read.items() if name not in missing}
        services = led_directly(present, proxies)
        callers = [Caller(n, places[n], services[n].environment) for n in services]
        edges, inferred = read_edges(callers, Known(services.keys(), missing))
        self.check_names(services, missing)
        for name in services:
            model = places[name].at(EXTENSION, "model")
            if model:
                check_hints(name, model, services, [e.dependency for e in edges if e.caller == name])
        self.notes += [*_left_out(absent), *inferred, *_about_health(services.values())]
        self.notes += [*_about_opt_in(services.values()), *self.lookalikes()]
        groups = tuple(group.group(name) for name, group in keys.groups.items())
        name = self.name()
        self.root.problems.raise_if_any()
        return Target(
            name=name,
            directory=self.directory,
            services=services,
            topology=Topology(tuple(services), tuple(edges), groups),
            limits=keys.limits,
            loads={name: load.load(name) for name, load in keys.loads.items()},
            load_command=tuple(keys.load_command or ()),
            safety=keys.safety.safety(),
            wires=wires(services),
            files=files,
            notes=tuple(self.notes),
        )

    def places(self) -> dict[str, Place]:
        """The services of the file."""
        services = self.root.get("services")
        if services is None:
            self.root.complain("a mapping of services", found="no services")
            return {}
        places = dict(services.entries("a mapping of services"))
        for place in places.values():
            if not isinstance(place.node, MapNode):
                place.complain("a mapping")
        if services.node == MapNode(services.mark):
            services.complain("at least one service", found="no services")
        return places

    def absent(self, places: Mapping[str, Place]) -> dict[str, str]:
        """Services that do not run while the fleet runs, each with the reason."""
        profiles = self.variables.values.get("COMPOSE_PROFILES", "").replace(" ", "").split(",")
        inactive = {n: "no profile of it is active" for n, p in places.items() if not is_active(p, profiles)}
        active = [place for name, place in places.items() if name not in inactive]
        ended = completed_by_others(active) & places.keys()
        absent = {
            **inactive,
            **dict.fromkeys(sorted(ended), "it runs once and ends, and others wait for that"),
        }
        if places and absent.keys() == places.keys():
            self.root.complain(
                "at least one service that runs", found=f"none: {', '.join(_left_out(absent))}"
            )
        return absent

    def check_names(self, services: Collection[str], absent: Collection[str]) -> None:
        """Complain about loads and protections of services that do not exist."""
        loads = self.root.at(EXTENSION, "loads")
        for load in loads.children() if loads else ():
            for place in _services_named(load):
                if place.word is not None and place.word not in services:
                    place.complain(f"the name of a service that runs{nearest(place.word, services)}")
        self.check_groups(services)
        protect = self.root.at(EXTENSION, "safety", "protect")
        for item in protect.children() if protect else ():
            if item.word is not None and item.word not in {*services, *absent}:
                item.complain(f"the name of a service{nearest(item.word, services)}")

    def check_groups(self, services: Collection[str]) -> None:
        """Complain about members that do not exist, or that are named twice."""
        groups = self.root.at(EXTENSION, "groups")
        seen: set[str] = set()
        for group in groups.children() if groups else ():
            members = group.get("members")
            for item in members.children() if members else ():
                if item.word is not None and item.word not in services:
                    item.complain(f"the name of a service that runs{nearest(item.word, services)}")
                elif item.word in seen:
                    item.complain("each service in one group at most, once", found=quoted(item.word))
                seen.add(item.word or "")

    def name(self) -> str:
        """The project's name, in compose's order: the environment, ``name:``, the folder."""
        given = self.variables.values.get("COMPOSE_PROJECT_NAME")
        name = self.root.get("name")
        written = name.text("the project's name") if name else None
        if name and written is not None and not PROJECT_NAME.fullmatch(written):
            name.complain(f"lower-case letters, digits, _ and -{_such_as(project_name(written))}")
        if given and not PROJECT_NAME.fullmatch(given):
            where = Mark("the variable COMPOSE_PROJECT_NAME")
            expected = f"lower-case letters, digits, _ and -{_such_as(project_name(given))}"
            self.root.problems.add(where, "", quoted(given), expected)
        folder = project_name(self.directory.name)
        if not (given or written or folder):
            self.root.complain("a `name`, since the folder's name gives none", found="no `name`")
        return given or written or folder

    def lookalikes(self) -> Iterator[str]:
        """Remarks about extensions that are probably a misspelt ``x-knockon``."""
        services = self.root.get("services")
        for place in (self.root, *(services.children() if services else ())):
            for name, key in place.names():
                if name != EXTENSION and difflib.get_close_matches(name, [EXTENSION], cutoff=0.8):
                    yield f"{key.path} is not read ({key.mark}); did you mean {EXTENSION}?"


def _services_named(load: Place) -> Iterator[Place]:
    """Wherever a load names a service."""
    endpoints = load.get("endpoints")
    for place in (load, *(endpoints.children() if endpoints else ())):
        needs = place.get("needs")
        yield from needs.children() if needs else ()
        yield from (entry for entry in (place.get("entry"), place.at("durable", "entry")) if entry)


def _such_as(name: str) -> str:
    return f", such as {name}" if name else ""


def _left_out(absent: Mapping[str, str]) -> Iterator[str]:
    return (f"{name} is left out: {reason}" for name, reason in absent.items())


def _about_health(services: Iterable[Service]) -> Iterator[str]:
    """A remark for the services whose health is told by something weaker than a URL."""
    for kind, means in (
        (ProbeKind.ENGINE, "their health is what the container's health check says"),
        (ProbeKind.RUNNING, "they count as healthy while they run"),
    ):
        names = [service.name for service in services if service.health.kind is kind]
        if names:
            yield f"without x-knockon.health, {means}: {', '.join(names)}"


def _about_opt_in(services: Iterable[Service]) -> Iterator[str]:
    if not any(service.opted_in for service in services):
        yield "no service is opted in, so no fault will touch any: set x-knockon.enabled to true"
