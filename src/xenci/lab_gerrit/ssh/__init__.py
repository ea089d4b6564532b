"""The ssh front: public keys in, git and `gerrit ...` commands out."""
