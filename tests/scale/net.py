"""Hosts on a network of their own: Linux network namespaces on a bridge, whose cables can be pulled.

A pulled cable is what a failed switch or host looks like from the other end: no answer, no reset.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MISSING = "network namespaces need Linux, root (CAP_NET_ADMIN, CAP_SYS_ADMIN) and iproute2's `ip`"

_CLOCK = Path(__file__).parents[1] / "chaos/shifted_clock.c"


def ip(*arguments: str) -> None:
    """Runs `ip`. Raises CalledProcessError."""
    subprocess.run(("ip", *arguments), check=True, capture_output=True, timeout=20)


@cache
def possible() -> bool:
    """Whether this machine lets us make namespaces, bridges and cables."""
    if not sys.platform.startswith("linux") or shutil.which("ip") is None:
        return False
    name = f"srp{os.getpid() % 100000}"
    try:
        ip("netns", "add", name)
        try:
            ip("link", "add", name, "type", "bridge")
            ip("link", "del", name)
        finally:
            ip("netns", "del", name)
    except (subprocess.SubprocessError, OSError):
        return False
    return True


def wrong_clock(folder: Path, ahead_s: int) -> dict[str, str]:
    """The environment of a process whose clock is ahead by so many seconds; empty without a C compiler.

    Only the time of day: the monotonic clock goes on as it is, as when somebody sets a machine's clock.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return {}
    library, ahead = folder / "clock.so", folder / "ahead"
    subprocess.run((compiler, "-shared", "-fPIC", "-o", library, _CLOCK, "-ldl"), check=True)
    ahead.write_bytes((ahead_s * 10**9).to_bytes(8, "little", signed=True))
    return {"LD_PRELOAD": str(library), "SHIFTED_BY": str(ahead)}


@dataclass(frozen=True)
class Host:
    """A machine of the network: its address, and the cable to it."""

    name: str
    address: str
    cable: str

    @property
    def enter(self) -> tuple[str, ...]:
        """What a command is put behind to run on it."""
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """Pulls the cable. What is open stays open at both ends, and hears nothing."""
        ip("link", "set", self.cable, "down")

    def mend(self) -> None:
        """Plugs the cable in again."""
        ip("link", "set", self.cable, "up")


@dataclass(frozen=True)
class Network:
    """A bridge that this machine is on too, at `here`."""

    here: str
    hosts: dict[str, Host]


@contextmanager
def network(*names: str) -> Iterator[Network]:
    """A network with these hosts; it is gone afterwards, with whatever still runs on it cut off."""
    number = os.getpid()
    bridge, net = f"srb{number % 100000}", f"198.18.{number % 250}"  # RFC 2544: nobody's addresses
    hosts: dict[str, Host] = {}
    try:
        ip("link", "add", bridge, "type", "bridge")
        ip("addr", "add", f"{net}.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for place, name in enumerate(names):
            host = Host(f"sr{number % 100000}{name}", f"{net}.{10 + place}", f"sv{number % 100000}{place}")
            ip("netns", "add", host.name)
            hosts[name] = host
            inner = ("netns", "exec", host.name, "ip")
            ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
            ip("link", "set", host.cable, "master", bridge, "up")
            ip(*inner, "addr", "add", f"{host.address}/24", "dev", "eth0")
            ip(*inner, "link", "set", "lo", "up")
            ip(*inner, "link", "set", "eth0", "up")
        yield Network(f"{net}.1", hosts)
    finally:
        for host in hosts.values():
            ip("netns", "del", host.name)  # and its cable with it
        ip("link", "del", bridge)
