"""Runs a command in a terminal, waits for the app to show the article, presses q, and checks that it leaves with 0."""

import sys

import pexpect

child = pexpect.spawn("bash", ["-euc", sys.argv[1]], dimensions=(40, 120), timeout=600, env=None, encoding="utf-8")
child.expect("prediction")
child.send("q")
child.expect(pexpect.EOF)
child.close()
sys.exit(child.exitstatus)
