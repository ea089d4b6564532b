"""The REST API: one file per part of the URL space, each with a list `routes`."""
