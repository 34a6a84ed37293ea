"""The command `doctor`: whether this machine has what catgan needs."""
