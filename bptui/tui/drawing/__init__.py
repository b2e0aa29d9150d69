"""Pure drawing: a scene goes in, lines of styled text come out. Nothing here knows a widget."""
