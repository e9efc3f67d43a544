"""Prints an internationalised host name in its ASCII form."""

import sys

import idna

print(idna.encode(sys.argv[1]).decode())
