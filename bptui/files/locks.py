"""One process a file: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import msvcrt

    # Far beyond any content: a lock there keeps nobody from reading.
    _PLACE = 2**40

    def lock(descriptor: int) -> bool:
        """Whether the file is ours alone now; False where another process has it. Raises OSError."""
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def lock(descriptor: int) -> bool:
        """Whether the file is ours alone now; False where another process has it. Raises OSError."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
