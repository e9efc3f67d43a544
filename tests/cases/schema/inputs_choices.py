# test schema
# Choices of strings and numbers, written out.

from cog import BaseRunner, Input, Path, File, Secret


class Runner(BaseRunner):
    def run(self, fmt: str = Input(default="png", choices=["png", "jpeg"]), n: int = Input(choices=(1, 2)), f: float = Input(default=1, choices=[0.5, 1.0]), fs: list[str] = Input(default=["png"], choices=["png", "jpeg"])) -> str:
        ...
