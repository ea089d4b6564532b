"""What is fast, against what, and how it was measured: `make bench`."""
