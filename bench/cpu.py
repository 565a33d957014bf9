"""CPU time of processes as the operating system counts it, and what else a report says of the machine."""

import os
import re
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree_seconds(root: int) -> float:
    """CPU seconds of a process, its living descendants, and those it has buried. Linux only; 10 ms fine."""
    return sum(sum(map(int, fields[11:15])) / _TICKS for fields in _tree(root).values())


def tree_megabytes(root: int) -> float:
    """Memory of a process and its living descendants now; a page that processes share is divided among them (Pss)."""
    return sum(map(_megabytes, _tree(root)))


def _tree(root: int) -> dict[int, list[str]]:
    """What the system says of a process and of its living descendants, by process id."""
    known = {pid: fields for pid in _pids() if (fields := _stat(pid))}
    born: dict[int, list[int]] = {}
    for pid, fields in known.items():
        born.setdefault(int(fields[1]), []).append(pid)
    found, todo = {}, [root]
    while todo:
        pid = todo.pop()
        if pid in known:
            found[pid] = known[pid]
        todo += born.get(pid, [])
    return found


def _megabytes(pid: int) -> float:
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def children(root: int) -> list[int]:
    """Return the living children of a process."""
    known = {pid: _stat(pid) for pid in _pids()}
    return [pid for pid, fields in known.items() if fields and int(fields[1]) == root and fields[0] != "Z"]


def parent_of(pid: int) -> int:
    """Return the parent's process id, 0 when the process is not one of this machine."""
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def name_of(pid: int) -> str:
    """Return the name of the process's program, empty when there is none."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def peak_megabytes(pid: int) -> float:
    """Return the most memory that a process has held so far. What `wait4` tells counts its parent's too."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def model() -> str:
    """Name the processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third (state) on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
