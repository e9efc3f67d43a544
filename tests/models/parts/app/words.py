"""What the model beside this file imports."""


def split(text: str) -> list[str]:
    return text.split()
