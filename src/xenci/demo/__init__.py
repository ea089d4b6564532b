"""The demo: a whole CI on this machine, and two changes that it votes on."""
