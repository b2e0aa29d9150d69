"""What is read aloud or felt on a braille line: numbers, signs and NumPy lines as words in speaking order."""
