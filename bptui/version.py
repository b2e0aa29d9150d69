"""The version, where the rooms below the app can read it too."""

__version__ = "0.1.0"
