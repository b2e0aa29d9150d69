"""The panes: each places what a drawing function gives."""
