"""The data of a spec: made up or built in by name, read from a file, or written out."""

from bptui.files.data.finishing import Data
from bptui.files.data.reading import NAMES, classes_to_columns, read_data

__all__ = ["NAMES", "Data", "classes_to_columns", "read_data"]
