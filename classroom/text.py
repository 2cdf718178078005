"""Words that a notebook shows as they are."""


class Text:
    """Some words that show themselves without quotes."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __repr__(self) -> str:
        return self.words
