"""Drivers: how each hypervisor defines a guest."""
