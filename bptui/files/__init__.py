"""The only disk I/O: specs in, specs out, and the built-in examples."""

from bptui.files.examples import example_names, examples
from bptui.files.report import FileError, SpecError
from bptui.files.specs import load
from bptui.files.text import safe
from bptui.files.writing import new, save, to_toml

__all__ = ["FileError", "SpecError", "example_names", "examples", "load", "new", "safe", "save", "to_toml"]
