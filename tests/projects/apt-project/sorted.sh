#!/bin/sh
# Prints JSON with its keys in order: sorted FILE.
exec jq --sort-keys . "$1"
