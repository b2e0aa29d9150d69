"""How a formula may be set, by the names that a reader turns through: what sets it is loaded with the first formula."""

AUTO, LINE, TWO = VIEWS = ("auto", "line", "two-dimensional")
