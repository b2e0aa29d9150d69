"""One what-if question asked of many variants at once."""
