"""The network: its neurons and weights as a textbook draws them, or its layers as blocks."""
