"""``Vocabulary``: words, or other tokens, and their numbers."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self, final

import numpy as np

from dovetail.errors import DataError, DTypeError, FormatError, InvalidArgumentError, NotFoundError, StorageError
from dovetail_train.data.arguments import natural, positive

__all__ = ["Vocabulary"]

_FORMAT: Final = "dovetail-vocabulary"


@final
class Vocabulary:
    """Tokens and their numbers: 0 is padding and 1 is unknown, where there are such tokens, and the others follow.

    Args:
        tokens: the tokens in the order of their numbers, without the two special ones.
        padding: the token that fills up sequences; ``None`` for none.
        unknown: the token for all that are not there; ``None`` for none, so that such a token is an error.

    Raises:
        InvalidArgumentError: a token comes twice.

    Example:
        >>> words = dt.data.Vocabulary.build([["the", "cat"], ["the", "dog"]])
        >>> len(words), words["the"], words["bird"], words.decode([2, 1, 0])
        (5, 2, 1, ['the', '<unk>', '<pad>'])
        >>> words.encode(["the", "dog"])
        array([2, 4], dtype=int32)
    """

    def __init__(self, tokens: Iterable[str], *, padding: str | None = "<pad>", unknown: str | None = "<unk>") -> None:
        """Number the tokens."""
        special = [one for one in (padding, unknown) if one is not None]
        self.tokens: tuple[str, ...] = (*special, *tokens)
        self.padding = padding
        self.unknown = unknown
        self._numbers = {token: number for number, token in enumerate(self.tokens)}
        if len(self._numbers) < len(self.tokens):
            twice = Counter(self.tokens).most_common(1)[0][0]
            raise InvalidArgumentError(f"Vocabulary: the token {twice!r} comes more than once.")

    @classmethod
    def build(
        cls,
        sequences: Iterable[Iterable[str]],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        padding: str | None = "<pad>",
        unknown: str | None = "<unk>",
    ) -> Self:
        """Return the vocabulary of sequences of tokens: the most frequent first, those as frequent by alphabet.

        Args:
            sequences: sequences of tokens, such as what a tokenizer makes of each text of a dataset.
            min_count: how often a token must come to be taken.
            max_size: how many tokens to take at most, the special ones included.
            padding: as of the class.
            unknown: as of the class.
        """
        if isinstance(sequences, str):
            raise DTypeError("Vocabulary.build takes several sequences of tokens, but was given a single text.")
        least = positive(min_count, "Vocabulary: min_count")
        counts: Counter[str] = Counter()
        for number, one in enumerate(sequences):
            tokens = [one] if isinstance(one, str) else list(one)
            if isinstance(one, str) and len(one) > 1:
                raise DataError(
                    f"Vocabulary.build: sequence {number} is a text, {one!r:.40}; give its tokens, such as "
                    "tokenizer.tokenize(text)."
                )
            counts.update(tokens)
        special = [one for one in (padding, unknown) if one is not None]
        for one in special:
            counts.pop(one, None)
        ordered = sorted((token for token in counts if counts[token] >= least), key=lambda one: (-counts[one], one))
        if max_size is not None:
            ordered = ordered[: max(0, positive(max_size, "Vocabulary: max_size") - len(special))]
        return cls(ordered, padding=padding, unknown=unknown)

    def __len__(self) -> int:
        """Return how many tokens there are, the special ones included."""
        return len(self.tokens)

    def __iter__(self) -> Iterator[str]:
        """Go through the tokens in the order of their numbers."""
        return iter(self.tokens)

    def __contains__(self, token: object) -> bool:
        """Whether a token has a number of its own."""
        return token in self._numbers

    def __getitem__(self, token: str) -> int:
        """Return the number of a token, or that of the unknown one.

        Raises:
            NotFoundError: it is not there, and there is no unknown token.
        """
        found = self._numbers.get(token)
        if found is not None:
            return found
        if self.unknown is None:
            raise NotFoundError(
                f"Vocabulary: {token!r} is none of the {len(self)} tokens, and there is no token for unknown ones."
            )
        return self._numbers[self.unknown]

    def __eq__(self, other: object) -> bool:
        """Whether tokens and special tokens are the same."""
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return (self.tokens, self.padding, self.unknown) == (other.tokens, other.padding, other.unknown)

    def __hash__(self) -> int:
        """Hash by the tokens."""
        return hash(self.tokens)

    def __repr__(self) -> str:
        """Show the size and the first tokens."""
        first = ", ".join(map(repr, self.tokens[:4]))
        return f"Vocabulary({len(self)} tokens: {first}{', ...' if len(self) > 4 else ''})"

    @property
    def padding_id(self) -> int | None:
        """The number of the token that fills up sequences; ``None`` where there is none."""
        return None if self.padding is None else self._numbers[self.padding]

    @property
    def unknown_id(self) -> int | None:
        """The number of the token for unknown ones; ``None`` where there is none."""
        return None if self.unknown is None else self._numbers[self.unknown]

    def encode(self, tokens: Iterable[str]) -> Any:
        """Return the numbers of tokens, int32.

        Raises:
            NotFoundError: a token is not there, and there is no unknown token.
        """
        return np.array([self[one] for one in tokens], np.int32)

    def decode(self, numbers: Iterable[int]) -> list[str]:
        """Return the tokens of numbers.

        Raises:
            InvalidArgumentError: a number is none of a token.
        """
        found = []
        for one in numbers:
            number = natural(one, "Vocabulary.decode: a number")
            if number >= len(self.tokens):
                raise InvalidArgumentError(f"Vocabulary.decode: {number} is no token's number; there are {len(self)}.")
            found.append(self.tokens[number])
        return found

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the vocabulary to a file of JSON text, which takes the place of an older one when it is whole.

        Raises:
            StorageError: the file system refuses.
        """
        special = (self.padding is not None) + (self.unknown is not None)
        data = {
            "format": _FORMAT,
            "version": 1,
            "padding": self.padding,
            "unknown": self.unknown,
            "tokens": self.tokens[special:],
        }
        target = Path(path)
        unfinished = target.with_name(target.name + ".part")
        try:
            unfinished.write_text(json.dumps(data, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
            unfinished.replace(target)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise StorageError(
                f'the vocabulary could not be saved in "{target}": {error.strerror or error}.'
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the vocabulary of a file that ``save`` wrote.

        Raises:
            StorageError: the file cannot be read.
            FormatError: it holds no vocabulary.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise StorageError(f'"{path}" cannot be read: {error.strerror or error}.') from error
        except ValueError as error:
            raise FormatError(f'"{path}" holds no vocabulary: {error}.') from error
        if not isinstance(data, dict) or data.get("format") != _FORMAT:
            raise FormatError(f'"{path}" holds no vocabulary; Vocabulary.save writes one.')
        if data.get("version") != 1:
            raise FormatError(
                f'"{path}" is a vocabulary of version {data.get("version")!r}, and this Dovetail reads version 1. '
                "Install a newer one."
            )
        tokens: Any = data.get("tokens")
        special = [data.get("padding"), data.get("unknown")]
        if not _are_texts(tokens) or not all(one is None or isinstance(one, str) for one in special):
            raise FormatError(f'"{path}" is damaged: its tokens are no list of texts.')
        try:
            return cls(tokens, padding=special[0], unknown=special[1])
        except InvalidArgumentError as error:
            raise FormatError(f'"{path}" is damaged: {error}') from error


def _are_texts(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, str) for one in value)
