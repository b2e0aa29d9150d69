"""The engine: networks as flat programs of NumPy instructions, replayable to the bit.

It knows no file, no screen and no text but its own source lines, and imports NumPy and itself alone.
"""
