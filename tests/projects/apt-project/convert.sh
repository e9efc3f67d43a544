#!/bin/sh
# Converts a video to its first frame: convert IN OUT.
exec ffmpeg -i "$1" -frames:v 1 "$2"
