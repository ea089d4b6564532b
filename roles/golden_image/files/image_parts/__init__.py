"""What make-image consists of."""
