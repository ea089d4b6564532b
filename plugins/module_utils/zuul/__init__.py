"""Private to the zuul_* modules of this collection: may change without notice."""
