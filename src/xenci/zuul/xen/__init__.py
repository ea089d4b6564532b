"""Provider driver `xen`: Zuul's launcher makes and removes guests on Xen hosts through `xenci-guest`.

zuul.conf has one connection; each Xen host is a section and a provider of its own (`host`), so that Zuul
places guests, fails over and shows them. Only this package leans on Zuul's provider interface (Zuul 14.3).
"""
