"""What was planned, applied and compared; each run a folder with who, commit, events and result."""
