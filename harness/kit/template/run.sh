#!/bin/sh
# The one command of the image. /input is read-only, results go to /output, /tmp is the only other place to write.
set -eu
exec python3 /app/main.py
