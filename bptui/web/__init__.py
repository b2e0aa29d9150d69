"""The app in a browser on this machine: a server that only who knows its address can use."""
