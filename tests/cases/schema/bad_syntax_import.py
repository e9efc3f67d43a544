# test schema
# A file that is imported for a type does not parse.
--- run.py
from data import Answer


class Runner:
    def run(self) -> Answer: ...
--- data.py
class Answer(BaseModel)
    text: str
