"""Small programs run inside a container, with whatever its image has to run them: sh or python3.

An image may have neither. Then a program "ends" with one of the codes in ``WITHOUT``, and who asked has
to do with less, or to say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from docker.errors import APIError

from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.containers import Container

WITHOUT = (126, 127)
"""Exit codes of an engine that found no program to run."""


@dataclass(frozen=True, slots=True)
class Program:
    """The same in two languages; arguments are ``$1`` and on, or ``sys.argv[1]`` and on."""

    shell: str
    python: str

    def words(self, python: bool, arguments: Sequence[str], mark: str = "knockon") -> list[str]:
        """The command; ``mark`` stands among its words, so that it is found again."""
        if python:
            return ["python3", "-S", "-c", self.python, *arguments, mark]
        return ["sh", "-c", self.shell, mark, *arguments]


BURN = Program(
    "i=0; while [ $i -lt $(($1 * 600)) ]; do i=$((i+1)); done",
    "import sys, time\nwhile time.process_time() < float(sys.argv[1]) / 1000: pass",
)
"""So many ms of work without a break, roughly; ends by itself."""


class Execs:
    """Runs programs."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def run(self, one: Container, program: Program, *arguments: str, user: str = "") -> tuple[int, str]:
        """Run to the end; its exit code and all that it said."""
        code, said = WITHOUT[0], ""
        for python in (False, True):
            code, said = self.run_words(one, program.words(python, arguments), user)
            if code not in WITHOUT:
                break
        return code, said

    def run_words(self, one: Container, words: Sequence[str], user: str = "") -> tuple[int, str]:
        """Run a command to the end."""
        with self._clients.lent(f"run {words[0]} in {one.name}") as api:
            made = api.exec_create(one.id, list(words), user=user)
            try:
                said: bytes = api.exec_start(made["Id"])
            except APIError as error:
                if error.status_code != 400:
                    raise
                return WITHOUT[0], str(error.explanation)  # newer engines refuse to begin
            code = api.exec_inspect(made["Id"])["ExitCode"]
        return (0 if code is None else int(code)), said.decode(errors="replace").strip()

    def can(self, one: Container) -> str:
        """``sh`` or ``python3``, whichever the image has first; "" for neither."""
        for name, words in (("sh", ["sh", "-c", ":"]), ("python3", ["python3", "-S", "-c", ""])):
            if self.run_words(one, words)[0] == 0:
                return name
        return ""

    def begin(self, one: Container, words: Sequence[str]) -> None:
        """Begin a command, and do not wait for it."""
        with self._clients.lent(f"run {words[0]} in {one.name}") as api:
            made = api.exec_create(one.id, list(words))
            api.exec_start(made["Id"], detach=True)
