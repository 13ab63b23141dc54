"""Tokenizers: texts as numbers of characters or words, and back."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Final, Self, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail_train.data.vocabulary import Vocabulary

__all__ = ["CharacterTokenizer", "Tokenizer", "WordTokenizer"]

_WORD: Final = r"\w+(?:['’]\w+)*|[^\w\s]"


class Tokenizer(ABC):
    """Base of tokenizers: takes texts apart into tokens, numbers them by a vocabulary, and puts them together again."""

    vocabulary: Vocabulary

    @abstractmethod
    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text."""

    @abstractmethod
    def join(self, tokens: Iterable[str]) -> str:
        """Return the text of tokens."""

    def encode(self, text: str) -> Any:
        """Return the numbers of a text's tokens, int32; for ``map`` of a dataset of texts.

        Raises:
            DTypeError: it is no text.
            NotFoundError: a token is not in the vocabulary, which has none for unknown ones.
        """
        return self.vocabulary.encode(self.tokenize(as_text(text)))

    def decode(self, numbers: Any) -> str:
        """Return the text of numbers; padding is left out."""
        padding = self.vocabulary.padding_id
        kept = [int(number) for number in np.asarray(numbers).ravel() if number != padding]
        return self.join(self.vocabulary.decode(kept))

    def __len__(self) -> int:
        """Return the size of the vocabulary."""
        return len(self.vocabulary)


def as_text(value: Any) -> str:
    """Return a text that a dataset gives; bytes are UTF-8.

    Raises:
        DTypeError: it is none.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if not isinstance(value, str):
        raise DTypeError(f"a tokenizer takes one text, a string, but was given a {type(value).__name__}.")
    return str(value)


@final
class CharacterTokenizer(Tokenizer):
    """Each character is a token.

    Args:
        vocabulary: the characters; build it from texts by ``CharacterTokenizer.build``.

    Example:
        >>> letters = dt.data.CharacterTokenizer.build(["abba"])
        >>> letters.encode("bab"), letters.decode([2, 3, 3, 0])
        (array([3, 2, 3], dtype=int32), 'abb')
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Keep the vocabulary."""
        self.vocabulary = vocabulary

    @classmethod
    def build(cls, texts: Iterable[str], **options: Any) -> Self:
        """Return one with the characters of texts; options are those of ``Vocabulary.build``."""
        return cls(Vocabulary.build((list(as_text(text)) for text in _several(texts)), **options))

    def tokenize(self, text: str) -> list[str]:
        """Return the characters."""
        return list(text)

    def join(self, tokens: Iterable[str]) -> str:
        """Return them one after another."""
        return "".join(tokens)


@final
class WordTokenizer(Tokenizer):
    """Words are tokens, and so are signs of punctuation.

    Args:
        vocabulary: the words; build it from texts by ``WordTokenizer.build``.
        lower: whether capitals are as small letters.
        pattern: a regular expression of what a token is; words of letters, digits and apostrophes, and each other sign
            that is no blank, unless given.

    Example:
        >>> words = dt.data.WordTokenizer.build(["The cat sat.", "A cat!"])
        >>> words.tokenize("Don't sit, cat!")
        ["don't", 'sit', ',', 'cat', '!']
        >>> words.decode(words.encode("The cat sat on it."))
        'the cat sat <unk> <unk>.'
    """

    def __init__(self, vocabulary: Vocabulary, *, lower: bool = True, pattern: str = _WORD) -> None:
        """Keep the vocabulary and the settings."""
        self.vocabulary = vocabulary
        self.lower = lower
        self._pattern = _compiled(pattern)

    @classmethod
    def build(cls, texts: Iterable[str], *, lower: bool = True, pattern: str = _WORD, **options: Any) -> Self:
        """Return one with the words of texts; further options are those of ``Vocabulary.build``."""
        made = cls(Vocabulary([]), lower=lower, pattern=pattern)
        made.vocabulary = Vocabulary.build((made.tokenize(as_text(text)) for text in _several(texts)), **options)
        return made

    def tokenize(self, text: str) -> list[str]:
        """Return the words and signs."""
        return [one.group() for one in self._pattern.finditer(text.lower() if self.lower else text)]

    def join(self, tokens: Iterable[str]) -> str:
        """Return words with blanks between them, and none before signs that close."""
        return re.sub(r" (?=[.,;:!?)\]}])", "", " ".join(tokens))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise InvalidArgumentError(f"WordTokenizer: pattern is {pattern!r}, no regular expression: {error}.") from error


def _several(texts: Any) -> Any:
    if isinstance(texts, (str, bytes)):
        raise DTypeError("build takes several texts, such as a list or a dataset of them, but was given a single one.")
    return texts
