"""A project of uv, without a cog.yaml, and with uv's own lock."""

from markdown_it import MarkdownIt


def render(text: str) -> str:
    return MarkdownIt().render(text).strip()
