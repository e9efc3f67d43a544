"""An output of pieces, that comes as it is made."""

from cog import BaseRunner, ConcatenateIterator, Input, streaming


class Predictor(BaseRunner):
    @streaming
    def run(self, word: str, times: int = Input(default=3, ge=1, le=9)) -> ConcatenateIterator[str]:
        for _ in range(times):
            yield word
