"""Unpack the guest part of our wheel, FOLDER.whl, into FOLDER, compiled; whole or not at all."""

import compileall
import os
import shutil
import sys
import zipfile

folder = sys.argv[1]
new = f"{folder}.new"
shutil.rmtree(new, ignore_errors=True)
with zipfile.ZipFile(f"{folder}.whl") as wheel:
    names = [
        name for name in wheel.namelist() if name == "xenci/__init__.py" or name.startswith("xenci/guest/")
    ]
    wheel.extractall(new, names)
if not compileall.compile_dir(new, quiet=1):
    sys.exit(f"{new} holds what this Python ({sys.version.split()[0]}) can't compile")
os.rename(new, folder)
