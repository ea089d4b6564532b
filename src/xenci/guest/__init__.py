"""`xenci-guest`, the one program that makes and removes guests on a Xen host: JSON in, JSON out.

Runs in dom0 on Python 3.9 and needs nothing but the standard library. docs/xen_guest.md tells the protocol.
"""
