"""Runs a command within bounds and reports what it took: python launch.py REPORT COMMAND …

A process inherits the largest size that its parent ever had as its own, so that a test's size would count for what it
starts. This one is small.
"""

import os
import resource
import sys
import time
from pathlib import Path

report, command = sys.argv[1], sys.argv[2:]
begun = time.monotonic()
child = os.fork()
if not child:
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    os.execv(command[0], command)
_, status, usage = os.wait4(child, 0)
with Path(report).open("w") as file:
    took = usage.ru_utime + usage.ru_stime
    file.write(f"{os.waitstatus_to_exitcode(status)} {took} {usage.ru_maxrss / 1024} {time.monotonic() - begun}")
