"""A program of a Debian package does the work."""

import subprocess

from cog import BaseRunner


class Predictor(BaseRunner):
    def setup(self) -> None:
        version = subprocess.run(["bc", "--version"], capture_output=True, check=True, text=True)
        print("setting up with", version.stdout.splitlines()[0])

    def run(self, sum: str) -> str:
        done = subprocess.run(["bc"], input=sum + "\n", capture_output=True, check=True, text=True)
        return done.stdout.strip()
