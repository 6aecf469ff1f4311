"""Memory that starting up used and an idle driver does not need."""

from __future__ import annotations

import gc
import sys


def give_back_memory() -> None:
    """Return to the system what imports left free in the C library's heap (glibc; 1.5 MiB), nothing elsewhere."""
    if sys.platform != "linux":
        return
    import ctypes

    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
