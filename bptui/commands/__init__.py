"""The command language: one row a command, and what each of them does. Both front ends speak it."""
