"""One tensor, seen: as numbers, as a heat map, as pictures, and what can be said of all its cells at once."""
