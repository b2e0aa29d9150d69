"""The debugger: walks a timeline in both directions, edits it and answers questions. It knows no screen."""
