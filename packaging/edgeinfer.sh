#!/bin/sh
# /usr/bin/edgeinfer: the command, in the environment that belongs to the package and to the Python of this system.
exec /opt/edgeinfer/venv/bin/python -I -m edgeinfer "$@"
