# test schema
# Streaming text, as language models are written.

from typing import Any

from cog import BaseRunner, ConcatenateIterator, Input, Secret

DEFAULTS = dict(temperature=0.7)
SYSTEM_PROMPT = (
    "You are a helpful assistant. "
    "Answer in one sentence."
)


class Runner(BaseRunner):
    def setup(self, weights: str = ""):
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(weights)

    def run(
        self,
        prompt: str = Input(description="Prompt"),
        system_prompt: str = Input(default=SYSTEM_PROMPT),
        temperature: float = Input(default=0.7, ge=0.01, le=5),
        top_k: int = Input(default=50, ge=-1),
        stop_sequences: str = Input(default="<end>,<stop>"),
        hf_token: Secret = Input(default=None, description="A token"),
        debug: bool = Input(default=False),
    ) -> ConcatenateIterator[str]:
        for token in self.generate(prompt):
            yield token
