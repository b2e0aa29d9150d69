"""Explanation: from an instruction, a state and a cell to mathematics that a person can read. Text only."""
