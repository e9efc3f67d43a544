# test schema
# A plain function is a model too, and so is an async one.
# run: run.py:run

from cog import Input


async def run(text: str, /, times: int = Input(default=2), *, loud: bool = False) -> str:
    return text * times
