"""Where a number came from and what it feeds: origins, uses, the history of a weight, the first that is not finite."""
