#!/bin/sh
exec python3 /team/main.py
