"""Private to the gerrit_* modules of this collection: may change without notice."""
