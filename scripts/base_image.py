"""Write a small root filesystem as a tar, made of the Python that runs this file.

On a machine that can reach no registry, `docker import` turns that tar into the
image that Dockerfiles start from (see `engine.sh`). Every path stays what it is
on this machine, so the interpreter finds its own library again in the container.

    python3 scripts/base_image.py | docker import - NAME

Linux with glibc only: the shared libraries are those that `ldd` names.
"""

import io
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

# What ordinary Dockerfiles, entrypoints and healthchecks call. Nothing that the real
# slim image lacks (ps, a kill outside the shell): what works here must work there.
COMMANDS = (
    *("sh", "bash", "env", "sleep", "timeout", "true", "false", "test", "echo", "printf"),
    *("cat", "ls", "cp", "mv", "rm", "ln", "mkdir", "chmod", "chown", "touch", "mktemp"),
    *("head", "tail", "tee", "wc", "sort", "grep", "sed", "tr", "cut", "date", "id", "nproc"),
    *("dd", "df", "readlink", "dirname", "basename", "hostname", "uname", "getent", "which", "find", "xargs"),
)

# Parts of the standard library that a service never imports, and other people's packages.
LEFT_OUT = {
    *("test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"),
    *("site-packages", "dist-packages"),
}

TEXT_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}

FOLDERS = {
    **dict.fromkeys(("etc", "proc", "sys", "dev", "run", "var", "home", "srv", "opt", "app"), 0o755),
    **dict.fromkeys(("usr", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64"), 0o755),
    **dict.fromkeys(("usr/local", "usr/local/bin"), 0o755),
    # Open to all: a Python of pyenv lives below it, and a service may run as nobody.
    "root": 0o755,
    "tmp": 0o1777,
    "var/tmp": 0o1777,
}

# Debian's layout: the old top-level folders are links into /usr.
MERGED = ("bin", "sbin", "lib", "lib64")


def name_inside(path: Path) -> str:
    """The path in the image: relative, and under `usr/` where Debian merged it."""
    parts = path.parts[1:]
    return "/".join(("usr", *parts) if parts[0] in MERGED else parts)


def standard_library() -> Iterator[Path]:
    """Every file of the standard library, compiled ones too: they make a start quicker."""
    folders = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    for root in sorted(folders):
        for path in sorted(Path(root).rglob("*")):
            parts = path.relative_to(root).parts
            skipped = LEFT_OUT.intersection(parts) or parts[0].startswith("config-")
            if path.is_file() and not skipped:
                yield path


def libraries(binaries: Iterable[Path]) -> set[Path]:
    """The shared libraries that the dynamic loader would open for these files."""
    done = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False)
    words = (word for line in done.stdout.splitlines() if line[:1].isspace() for word in line.split())
    found = {Path(word) for word in words if word.startswith("/")}
    # Opened by name at run time, when a thread is cancelled; ldd cannot see that.
    return found | {path.parent / "libgcc_s.so.1" for path in found if path.name == "libc.so.6"}


class Image:
    """A tar in which every parent folder comes before what is in it."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.tar = tar
        self.names: set[str] = set()

    def add(self, info: tarfile.TarInfo, content: io.BufferedIOBase | None = None) -> None:
        """Add an entry that belongs to root, once."""
        if info.name in self.names:
            return
        parent = info.name.rpartition("/")[0]
        if parent:
            self.folder(parent)
        self.names.add(info.name)
        self.tar.addfile(info, content)

    def folder(self, name: str, mode: int = 0o755) -> None:
        """Add an empty folder."""
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, mode
        self.add(info)

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, target
        self.add(info)

    def text(self, name: str, content: str) -> None:
        """Add a small file that is not on this machine."""
        data = content.encode()
        info = tarfile.TarInfo(name)
        info.size = len(data)
        self.add(info, io.BytesIO(data))

    def copy(self, path: Path) -> None:
        """Copy a file under its own name; what a link points to, not the link."""
        stat = path.stat()
        info = tarfile.TarInfo(name_inside(path))
        # The time is kept because Python compares it before it trusts a compiled file.
        info.size, info.mtime = stat.st_size, int(stat.st_mtime)
        info.mode = 0o755 if stat.st_mode & 0o111 else 0o644
        with path.open("rb") as content:
            self.add(info, content)


def build(tar: tarfile.TarFile) -> None:
    """Fill the tar: skeleton, shell and small commands, Python, then the libraries of all."""
    image = Image(tar)
    for name, mode in FOLDERS.items():
        image.folder(name, mode)
    for name in MERGED:
        image.link(name, f"usr/{name}")
    for name, content in TEXT_FILES.items():
        image.text(name, content)

    python = Path(sys.executable).resolve()
    commands = [Path(found) for name in COMMANDS if (found := shutil.which(name, path="/usr/bin:/bin"))]
    library = list(standard_library())
    modules = [path for path in library if ".so" in path.suffixes]
    for path in (*commands, python, *library, *sorted(libraries((*commands, python, *modules)))):
        if path.exists():
            image.copy(path)
    for name in ("python3", "python", python.name):
        image.link(f"usr/local/bin/{name}", str(python))


if __name__ == "__main__":
    if sys.stdout.isatty():
        sys.exit("base_image.py writes a tar: give it a pipe or a file.")
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as stream:
        build(stream)
