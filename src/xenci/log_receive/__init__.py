"""The receiving end of the log server: takes a build's logs over SSH, and removes them when they are old.

Standard library only, Python 3.9 and later. A folder is either a whole build or not there at all: uploads are
unpacked below `ROOT/.incoming`, which no web server shows, and renamed into place.
"""
