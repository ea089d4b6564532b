"""What xenci adds around Zuul: a start command (own drivers, strict host keys) and a way to wait for Zuul."""
