"""Compile what is imported from zip files once: Ansible sends each module as one, thousands to a lab's host.

Python never keeps the compiled form of what it reads from a zip file (PEP 273), and compiling is half of what
a module costs. The lab's hosts, and the checkout's own `.venv`, import this file whenever Python starts, by a
`.pth` beside it: it imports nothing that is not there already.
"""

import _imp
import marshal
import os
import zipimport
from importlib._bootstrap_external import MAGIC_NUMBER

# Who may write to it could as well change what is imported from beside it.
DIRECTORY = f"{os.path.dirname(__file__)}/xenci_compiled"
VERSION = int.from_bytes(MAGIC_NUMBER, "little")
# Python has no other place for it.
compile_source = zipimport._compile_source


def compile_once(path: str, source: bytes) -> object:
    """Load the code of the module at `path` in a zip file, or compile it as zipimport does and keep it."""
    # As a hash-based `.pyc` is told apart (PEP 552), and by Python's version.
    kept = f"{DIRECTORY}/{_imp.source_hash(VERSION, source).hex()}"
    try:
        with open(kept, "rb") as file:
            return marshal.load(file)  # noqa: S302  # see DIRECTORY
    except (OSError, EOFError, ValueError, TypeError):
        code = compile_source(path, source)
        keep(code, kept)
        return code


def keep(code: object, kept: str) -> None:
    """Write it as a whole or not at all; who may not, or has no room, compiles anew."""
    part = f"{kept}.{os.getpid()}"
    try:
        os.makedirs(DIRECTORY, mode=0o755, exist_ok=True)
        with open(part, "wb") as file:
            marshal.dump(code, file)
        os.replace(part, kept)
    except OSError:
        return


zipimport._compile_source = compile_once
