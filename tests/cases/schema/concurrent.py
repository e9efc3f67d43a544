# test schema
# An async handler that serves several requests, and streams.
# whole

import cog
from cog import AsyncConcatenateIterator, BaseRunner, streaming

AT_ONCE = 8


class Runner(BaseRunner):
    @streaming
    @cog.concurrent(max=AT_ONCE)
    async def run(self, prompt: str) -> AsyncConcatenateIterator[str]:
        yield "a"
