r"""Formulas as LaTeX, from the same pieces that are set on the screen: fractions, powers, roots and cases as such."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bptui.explain.formulas import Formula
from bptui.explain.pieces import Piece, piece

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁻⁺", "0123456789()-+")
_SIGNS = {
    "·": r"\cdot ", "×": r"\times ", "−": "-", "∂": r"\partial ", "Σ": r"\sum ", "½": r"\tfrac{1}{2}", "≥": r"\ge ",
    "≤": r"\le ", "≠": r"\ne ", "←": r"\leftarrow ", "…": r"\dots ", "∞": r"\infty ", "√": r"\surd ", "⌊": r"\lfloor ",
    "⌋": r"\rfloor ", "±": r"\pm ", "≈": r"\approx ", "∈": r"\in ", "⊙": r"\odot ", "∇": r"\nabla ", "Δ": r"\Delta ",
    "{": r"\{", "}": r"\}", "\\": r"\backslash ", "%": r"\%", "#": r"\#", "&": r"\&", "$": r"\$", "_": r"\_",
    "~": r"\sim ",
    "^": r"\hat{}", " ": " ",
}  # fmt: skip
_GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "η": "eta", "λ": "lambda", "μ": "mu",
          "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi"}  # fmt: skip
_PART = re.compile(
    r"(?P<number>\d+\.?\d*(?:e[+−-]?\d+)?)|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁻⁺]+)|(?P<turned>ᵀ)|(?P<word>(?!\d)(?:(?![½¹²³⁰-₿])\w)+)|(?P<sign>.)",
    re.DOTALL,
)
_SUBSCRIPTED = re.compile(r"([A-Za-z])_?(\d+)")


def aligned(formula: Formula) -> str:
    """A formula, each of its rows on a line, their signs under each other."""
    first, *more = map(latex, formula.rows)
    head = f"{latex(formula.left)} &{words(formula.relation).rstrip()} {first}"
    body = " \\\\\n  ".join([head, *(f"&= {row}" for row in more)])
    return f"\\begin{{aligned}}\n  {body}\n\\end{{aligned}}"


def latex(text: str) -> str:
    """A piece of a formula."""
    of = piece(text)
    return _built(of) or (words(of) if not of.parts else "".join(_beside(of)))


def _built(of: Piece) -> str:
    """What LaTeX has a command for; "" where it is only parts beside each other."""
    made = ""
    match of.kind, of.parts:
        case "fraction", (above, below):
            made = f"\\frac{{{latex(above)}}}{{{latex(below)}}}"
        case "derivative", (above, below, *behind):
            made = f"\\frac{{\\partial {latex(above)}}}{{\\partial {latex(below)}}}{''.join(map(latex, behind))}"
        case "power", (base, exponent):
            made = f"{{{latex(base)}}}^{{{latex(piece(exponent.translate(_RAISED)) if exponent == '²' else exponent)}}}"
        case "root", (under,):
            made = f"\\sqrt{{{latex(under)}}}"
        case "brackets", (opening, inside, closing):
            made = f"\\left{_bracket(opening)} {latex(inside)} \\right{_bracket(closing)}"
        case "cases", (this, condition, other):
            rows = f"{latex(this)} & \\text{{if }} {latex(condition)} \\\\ {latex(other)} & \\text{{otherwise}}"
            made = f"\\begin{{cases}} {rows} \\end{{cases}}"
    return made


def words(text: str) -> str:
    """Signs and words on a line, whatever is in them."""
    return "".join(_words(text)).replace("  ", " ")


def _words(text: str) -> Iterator[str]:
    for found in _PART.finditer(text):
        match found.lastgroup:
            case "number":
                mantissa, e, exponent = found[0].partition("e")
                yield f"{mantissa} \\times 10^{{{int(exponent.replace('−', '-'))}}}" if e else mantissa
            case "raised":
                yield f"^{{{found[0].translate(_RAISED)}}}"
            case "turned":
                yield r"^{\top}"
            case "word":
                yield _word(found[0])
            case _:
                yield _SIGNS.get(found[0], found[0])


def _word(word: str) -> str:
    """A name: a letter with a number below it, a letter alone, or upright."""
    if word in _GREEK:
        return f"\\{_GREEK[word]} "
    if (found := _SUBSCRIPTED.fullmatch(word)) is not None:
        return f"{found[1]}_{{{found[2]}}}"
    return word if len(word) == 1 else "\\mathrm{" + word.replace("_", r"\_") + "}"


def _bracket(sign: str) -> str:
    return {"⌊": r"\lfloor", "⌋": r"\rfloor", "{": r"\{", "}": r"\}"}.get(sign, sign if sign in "()[]|" else ".")


def _beside(of: Piece) -> Iterator[str]:
    """The parts of a text, and the signs between them."""
    at = 0
    for k, part in enumerate(of.parts):
        last = k == len(of.parts) - 1 and k > 0
        start = of.rfind(part) if last else of.index(part, at)
        yield words(of[at:start])
        yield latex(part)
        at = start + len(part)
    yield words(of[at:])
