# test schema
# Arguments of the wrong type.

from cog import BaseRunner, Input, Path, File, Secret


class Runner(BaseRunner):
    def run(self, a: int = Input(ge="1"), b: str = Input(min_length=-1, description=5), c: str = Input(choices=[]), d: str = Input(choices="ab", deprecated=1), e: Path = Input(accept="image"), f: str = Input(regex=1)) -> str:
        ...
