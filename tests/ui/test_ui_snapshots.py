"""Pictures of the app at moments that matter, kept as text; each docstring says what the picture must show.

`BPTUI_UPDATE_SNAPSHOTS=1 pytest tests/ui/test_ui_snapshots.py` writes them anew: look at the difference before keeping it.
"""

from __future__ import annotations

from pictures import compare, every_size, small_sizes

MY = 'title = "my own"\ndata = { x = [[2, 3]], y = [[1]] }\nlayers = ["dense 3 tanh", "dense 1"]\nloss = "mse"\nlr = 0.1\n'


@every_size
async def test_start(app, size):
    """All weights and inputs, a dot for whatever is not computed, the first operation marked as the next one."""
    async with app("article", size) as reader:
        await compare(reader, "article-start", size)


@every_size
async def test_forward(app, size):
    """Both inputs of the prediction and its two weights lit; the formula ends in 0.191; the loss is the next operation."""
    async with app("article", size) as reader:
        await reader.press("n", "n")
        await compare(reader, "article-forward", size)


@every_size
async def test_backward(app, size):
    """∂E/∂W1 just done: gradients beside their values and on the lines, the chain from the error down for ∂E/∂w1."""
    async with app("article", size) as reader:
        await reader.press(*["n"] * 7)
        await compare(reader, "article-backward", size)


@every_size
async def test_update(app, size):
    """W1 has moved, W2 not yet; `w1 ← 0.11 − 0.05·(−0.22652) = 0.121326`; old activations bear their mark."""
    async with app("article", size) as reader:
        await reader.press(*["n"] * 8)
        await compare(reader, "article-update", size)


@every_size
async def test_half_done(app, size):
    """h1 is there, h2 is still a dot, in the program, the values and the network; only h1's lines are lit."""
    async with app("article", size) as reader:
        await reader.press("s")
        await compare(reader, "article-half-done", size)


@every_size
async def test_later(app, size):
    """The fifth iteration: the loss as a falling curve."""
    async with app("article", size) as reader:
        await reader.press("n", "n", "n", *["i"] * 5)
        await compare(reader, "article-later", size)


@every_size
async def test_edited_and_stale(app, size):
    """w5 set by hand after the loss: a star on it, a marked row in the listing, prediction and loss marked as outdated."""
    async with app("article", size) as reader:
        await reader.press("n", "n", "n", "e")
        await reader.type("0.2")
        await reader.press("enter")
        await compare(reader, "article-edited", size)


@every_size
async def test_the_cell_under_the_cursor(app, size):
    """The values in focus, the cursor on ∂E/∂w6, its formula shown and its full value in the status line."""
    async with app("article", size) as reader:
        await reader.press(*["n"] * 7, "2", "down", "right")
        await compare(reader, "article-cursor", size)


@every_size
async def test_the_time_page(app, size):
    """Where we are in the iteration, and the losses so far."""
    async with app("article", size) as reader:
        await reader.press("5", "right", "right", "right")
        await compare(reader, "article-time", size)


@every_size
async def test_help(app, size):
    """The keys that work, as many as fit, and how to close the page."""
    async with app("article", size) as reader:
        await reader.press("question_mark")
        await compare(reader, "article-help", size)


@every_size
async def test_the_command_line(app, size):
    """Above the line the usage of the word and what fits, the second put in by Tab and lit; its own keys below it."""
    async with app("article", size) as reader:
        await reader.press("colon")
        await reader.type("set w")
        reader.app.screen.query_one("#line").cursor_blink = False
        await reader.press("tab", "tab")
        await compare(reader, "article-line", size)


@every_size
async def test_everything_that_can_be_done(app, size):
    """What was typed underlined in the names that it is found in, keys before them, the first one in full below."""
    async with app("article", size) as reader:
        await reader.press("ctrl+p")
        await reader.type("back")
        reader.app.screen.query_one("Input").cursor_blink = False
        await reader.press()
        await compare(reader, "article-find", size)


@every_size
async def test_a_number_is_asked_for(app, size):
    """A question mark for the prediction wherever it is shown, its formula above the line, no 0.191 anywhere."""
    async with app("article", size) as reader:
        await reader.press("n", "p")
        reader.app.screen.query_one("#line").cursor_blink = False
        await reader.press()
        await compare(reader, "article-asked", size)


@every_size
async def test_the_edit_dialog(app, size):
    """The old number ready to be typed over, and three moments from which the new one may hold."""
    async with app("article", size) as reader:
        await reader.press("n", "n", "e")
        reader.app.screen.query_one("Input").cursor_blink = False
        await reader.press()
        await compare(reader, "article-dialog", size)


@every_size
async def test_the_form_of_a_restart(app, size):
    """Every setting with what holds, the second one refused, and what may stand there."""
    async with app("article", size) as reader:
        await reader.command("restart")
        await reader.press("down", "x", "enter")
        reader.app.screen.focused.cursor_blink = False
        await reader.press()
        await compare(reader, "article-restart", size)


@every_size
async def test_the_page_of_a_whole_array(app, size):
    """The numbers as text, the cursor at the reader's, what was refused under them, and from when they may hold."""
    async with app("article", size) as reader:
        await reader.command("look w4")
        await reader.press("E", "x", "ctrl+s")
        await compare(reader, "article-whole", size)


@every_size
async def test_explain(app, size):
    """The prediction opened down to inputs and weights."""
    async with app("article", size) as reader:
        await reader.press("n", "n", "2", "down", "down", "x")
        await compare(reader, "article-explain", size)


@every_size
async def test_formulas(app, size):
    """All six update formulas, and the same as matrices."""
    async with app("article", size) as reader:
        await reader.press("m")
        await compare(reader, "article-formulas", size)


@every_size
async def test_mazur(app, size):
    """Two outputs, sums and activations, biases; a gradient step back through the sigmoid."""
    async with app("mazur", size) as reader:
        await reader.press(*["n"] * 7)
        await compare(reader, "mazur-backward", size)


@every_size
async def test_xor(app, size):
    """A batch of four rows: which row is drawn is said, long listings say how much is out of sight."""
    async with app("xor", size) as reader:
        await reader.press(*["n"] * 8)
        await compare(reader, "xor-backward", size)


@small_sizes
async def test_a_tensor_as_numbers(app, size):
    """Digits' W2 and its gradient beside it, columns named by class, points under each other, the cursor on both."""
    async with app("digits", size) as reader:
        await reader.press("f", "f", "f", "f", "2", "v", "down", "right", "z")
        await compare(reader, "tensor-numbers", size)


@every_size
async def test_a_tensor_as_a_heat_map(app, size):
    """W1 of 64×64 pooled into the pane, a legend that says so; the header with range, norm, histogram and zeros."""
    async with app("digits", size) as reader:
        await reader.press("f", "f", "f", "f")
        await reader.command("look W1[20, 30]")
        await reader.press("v", "v", "z")
        await compare(reader, "tensor-heat", size)


@small_sizes
async def test_a_tensor_as_pictures(app, size):
    """Handwritten digits, each with its number, its class and the guess; wrong ones in bold."""
    async with app("digits", size) as reader:
        await reader.press("f", "f", "2")
        await reader.command("look x[3, 4]")
        await reader.command("view picture")
        await reader.press("z")
        await compare(reader, "tensor-picture", size)


@every_size
async def test_another_network(app, size, tmp_path, monkeypatch):
    """A line to type in, the folder's specs and then the examples, each with what it is; the chosen one marked."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(MY, encoding="utf-8")
    async with app("article", size) as reader:
        await reader.press("n", "ctrl+o")
        reader.app.screen.query_one("Input").cursor_blink = False
        await reader.press("down")
        await compare(reader, "article-open", size)


@every_size
async def test_a_spec_with_mistakes(app, size, tmp_path, monkeypatch):
    """The header says it on a ground of its own, the status line has the first mistake; all else is the good network."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(MY, encoding="utf-8")
    async with app("article", size) as reader:
        await reader.command("load my.toml")
        await reader.press("n", "n")
        (tmp_path / "my.toml").write_text(MY.replace("mse", "half").replace("0.1", "true"), encoding="utf-8")
        for _ in range(2):
            reader.app.screen.look_at_the_spec()
        await reader.press()
        await compare(reader, "my-mistaken", size)


@every_size
async def test_the_tour(app, size):
    """The chain rule: the caption under the app says it with the numbers that the formula and the network show."""
    async with app("article", size) as reader:
        await reader.command("tour")
        await reader.press(*["right"] * 6)
        await compare(reader, "tour-chain-rule", size)


@every_size
async def test_the_tour_with_a_page(app, size):
    """Where a number comes from, opened over the app: the caption stays below it and is as bright."""
    async with app("article", size) as reader:
        await reader.command("tour")
        await reader.press(*["right"] * 7)
        await compare(reader, "tour-explain", size)
