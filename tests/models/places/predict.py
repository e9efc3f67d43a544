"""Variables of the image, with all that a shell would read otherwise."""

import os


def where(number: int = 0) -> str:
    return os.environ["PLACES"].split(", ")[number] + os.environ["EMPTY"]
