"""Private to the xen_* modules of this collection: may change without notice."""
