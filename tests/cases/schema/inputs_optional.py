# test schema
# None may be sent where a type says so, and a secret whose default is None is one.

from typing import Any, Dict, List, Literal, Optional, Union

from cog import BaseRunner, Input, Path, Secret


class Runner(BaseRunner):
    def run(self, a: Optional[str], b: "int | None" = None, c: Union[Path, None] = Input(default=None, description="a file"), d: int = Input(default=None), e: Secret = Input(default=None), f: Optional[dict] = None) -> str:
        ...
