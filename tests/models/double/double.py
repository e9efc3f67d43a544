"""A plain function, and nothing but the standard library."""


def double(number: int) -> int:
    return 2 * number
