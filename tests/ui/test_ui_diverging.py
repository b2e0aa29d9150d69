"""The walk that the debugger is for: a run ends in nan; who is to blame, when did it begin, and what if not."""

from __future__ import annotations

LINES = (
    "break nan", "continue", "why nan", "break ratio", "reverse-continue", "set lr = 0.05", "continue", "info",
    "diff main",
)  # fmt: skip


def test_in_plain_mode(bptui, tmp_path):
    script = tmp_path / "walk.txt"
    script.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    done = bptui("diverging", "--plain", "--digits", "5", "-x", str(script), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()

    def after(start: str) -> str:
        return next(line for line in lines if line.startswith(start))

    # It stops at the loss, which is too large a sum; the numbers it is made of are finite.
    assert after("stopped at breakpoint 1") == "stopped at breakpoint 1: nan"
    assert lines[1].startswith("147:6 loss  loss = ")
    assert after("a sum of").startswith("a sum of 640 is too large for float64")
    assert "finite: z2[0,3] = " in done.stdout
    # Back to where the updates first were too large for their weights, in the first iteration.
    assert after("stopped at breakpoint 2") == "stopped at breakpoint 2: ratio (W2 by 0.1591 of its size)"
    assert after("set lr") == "set lr: 0.2 -> 0.05 at 0:16"
    # With a smaller step from there on it trains.
    assert float(after("test_accuracy").split()[1]) > 0.9
    assert float(after("at 399:17").split()[-1]) < 0.3
    assert after("edit-1 and main at") == "edit-1 and main at 399:17"
    assert "only edit-1: set lr = 0.05 at 0:16" in lines
    assert any(line.startswith("loss: 0.1") and " | nan  largest difference nan" in line for line in lines)


async def test_in_the_app(app):
    async with app("diverging", (80, 24)) as reader:
        await reader.command("break nan")
        await reader.press("c")
        await reader.until("stopped at breakpoint 1: nan", 60)
        assert reader.position == "147:6"
        await reader.command("why nan")
        await reader.until("too large for float64")
        await reader.press("escape")
        await reader.command("break ratio")
        await reader.press("C")
        await reader.until("stopped at breakpoint 2: ratio", 60)
        assert reader.position == "0:16"
        await reader.command("set lr = 0.05")
        await reader.press("c")
        await reader.until("stopped at the end: 400 iterations", 60)
        assert reader.position == "399:17"
        assert reader.session.debugger.evaluate("test_accuracy") > 0.9
        await reader.command("diff main")
        await reader.until("part at 0:17")
        assert "set lr = 0.05" in reader.text()
        assert "main ends at 147, not finite" in reader.text()
        await reader.press("escape")
