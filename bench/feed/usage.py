"""What processes used: CPU time and resident memory, of one and all its children (Linux, /proc).

Refuses to guess: a process that is gone raises.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path


def family(pid: int) -> Iterator[int]:
    """The process and its children, theirs too."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            yield from family(int(child))


def cpu_seconds(pid: int) -> float:
    """User and system time so far: what /proc/<pid>/stat tells in hundredths, from the same count in ns."""
    return sum(time.clock_gettime(~one << 3 | 2) for one in family(pid))


def own_seconds() -> float:
    """CPU seconds of this process, its children, and those of them that have ended and were waited for."""
    ended = os.times()
    return cpu_seconds(os.getpid()) + ended.children_user + ended.children_system


def machine_seconds() -> float:
    """CPU seconds of all cores that went to anybody: here, to interrupts, or to other guests of the host."""
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid: int) -> int:
    return sum(map(_resident, family(pid)))


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
