# test schema
# Rules for other types.

from cog import BaseRunner, Input, Path, File, Secret


class Runner(BaseRunner):
    def run(self, a: str = Input(ge=1), b: int = Input(min_length=1, regex="x"), c: str = Input(accept="image/*"), d: bool = Input(choices=[True]), e: int | str = Input(le=3)) -> str:
        ...
