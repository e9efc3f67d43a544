# test schema
# Everything that Input says of an input.

from cog import BaseRunner, Input, Path, File, Secret


class Runner(BaseRunner):
    def run(self, prompt: str = Input(
        "hello",
        description="What to draw, "
        'in a few "words"',
        min_length=1,
        max_length=1_000,
        regex=r"^[a-z ]+$",
    ), steps: int = Input(default=20, ge=1, le=2**10, deprecated=True), guidance: float = Input(default=-0.5, ge=-1, le=1.5), image: Path = Input(accept="image/*,.webp")) -> str:
        ...
