"""The machine that a measurement ran on, and holding the measurement to one core of it."""

import os
import platform
from pathlib import Path
from typing import Any

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def one_thread_environment() -> dict[str, str]:
    """This process's environment with one thread for numpy's linear algebra; it is read when numpy is imported."""
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1")}


def pin_to_one_core() -> int | None:
    """Keep this process, and those it starts, on one core; returns its number, None where that is not possible."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def machine() -> dict[str, Any]:
    """CPU, cores (usable by this process), load (other work in cores, last minute; None where unknown) and system."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(terse=True),
        "arch": platform.machine(),
    }


def peak_rss_mb() -> float | None:
    """Largest resident set of this process so far, in MB (1e6 bytes); None where the system does not tell."""
    try:
        # Not getrusage: on Linux its maximum survives exec, so that a small child inherits its parent's.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return round(int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6, 1)
    except (OSError, IndexError, ValueError):
        return _peak_rss_elsewhere_mb()


def _peak_rss_elsewhere_mb() -> float | None:
    try:
        import resource
    except ImportError:
        return None
    unit_bytes = 1 if platform.system() == "Darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes / 1e6, 1)


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
