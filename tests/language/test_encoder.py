from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.samples import RAISING, small_cases

import complaintnlp as cn
from complaintnlp.errors import InputError
from complaintnlp.language import encoder, encoder_of, load_language, make_language, read_texts, save_language
from complaintnlp.model import load, save
from complaintnlp.retraining import retrain

NAME = "an_encoder"
WIDTH = 8
TEXTS = ["They never rang. We waited!", "", "Nobody came."]


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """A stand-in: a direction for each text, made of its letters."""
    out = np.zeros((len(texts), WIDTH), dtype=np.float32)
    for row, text in enumerate(texts):
        np.add.at(out[row], [ord(c) % WIDTH for c in text], 1)
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the encoders that were asked for; each is the stand-in."""
    names: list[str] = []

    def load_encoder(name: str) -> encoder.Encode:
        names.append(name)
        return encode

    monkeypatch.setattr(encoder, "load_encoder", load_encoder)
    return names


@pytest.fixture
def unfetched(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Libraries in which every encoder is to be had; what they were asked for."""
    calls: list[dict[str, Any]] = []

    class Auto:
        @classmethod
        def from_pretrained(cls, name: str, **options: Any) -> Any:
            calls.append({"name": name, **options})
            return SimpleNamespace(eval=lambda: SimpleNamespace(config=SimpleNamespace(hidden_size=WIDTH)))

    transformers = ModuleType("transformers")
    vars(transformers).update(AutoModel=Auto, AutoTokenizer=Auto)
    monkeypatch.setitem(sys.modules, "transformers", transformers)
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    return calls


@pytest.fixture(autouse=True)
def nothing_cached() -> None:
    encoder.load_encoder.cache_clear()


@pytest.mark.usefixtures("asked")
def test_a_reading_has_the_vectors_of_its_sentences() -> None:
    readings = read_texts(make_language(encoder=NAME), TEXTS)
    assert readings.texts.tolist() == [0, 2, 2, 3]
    assert readings.vectors == pytest.approx(encode(["They never rang.", "We waited!", "Nobody came."]))
    assert read_texts(make_language(encoder=NAME), []).vectors.shape == (0, WIDTH)


@pytest.mark.usefixtures("asked")
def test_a_sentence_of_nothing_but_marks_takes_no_row() -> None:
    texts = ["---. They never rang.", "They never rang."]
    readings = read_texts(make_language(encoder=NAME), texts)
    assert len(readings.offsets) == len(readings.vectors)
    assert readings.vectors[-1] == pytest.approx(encode(texts[1:])[0])


def test_the_component_works_by_itself(asked: list[str]) -> None:
    doc = make_language(encoder=NAME)("They never rang. We waited!")
    assert doc.user_data[encoder.VECTORS_KEY] == pytest.approx(encode(["They never rang.", "We waited!"]))
    assert asked == [NAME]


def test_a_model_with_an_encoder_is_trained_saved_and_loaded(asked: list[str], tmp_path: Path) -> None:
    model = cn.train(small_cases(), encoder=NAME)
    assert encoder_of(model.language) == NAME
    assert model.estimator._weights.shape[0] == len(model.features.names) + WIDTH
    again = load(save(model, tmp_path / "model"))
    assert encoder_of(again.language) == NAME
    texts = [text for texts in RAISING.values() for text in texts]
    asked.clear()
    assert again.classify(texts) == model.classify(texts)
    assert set(asked) == {NAME}
    assert NAME in (tmp_path / "model" / "language" / "config.cfg").read_text()


@pytest.mark.usefixtures("asked")
def test_retraining_keeps_the_encoder() -> None:
    rows = [{"text": f"{text} {i}", "soup": int(i % 2)} for i in range(20) for text in ["cold" if i % 2 else "nice"]]
    base = cn.train(rows, encoder=NAME)
    new = [{**row, "text": f"{row['text']} again"} for row in rows]
    result = retrain(new, base)
    assert result.accepted
    assert result.model is not base
    assert encoder_of(result.model.language) == NAME


def test_without_the_libraries_the_remedy_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError) as raised:
        cn.train(small_cases(), encoder=encoder.DEFAULT)
    message = str(raised.value)
    assert message.endswith("pip install 'complaintnlp[contextual]'")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["sentence-transformers/all-MiniLM-L6-v2", "no_such_package", "https://example.org/x"])
def test_an_encoder_that_a_folder_names_is_never_fetched(
    name: str, unfetched: list[dict[str, Any]], tmp_path: Path
) -> None:
    save_language(make_language(encoder=name), tmp_path / "language")
    nlp = load_language(tmp_path / "language")
    assert encoder_of(nlp) == name
    with pytest.raises(InputError, match=r"no encoder .* pip install 'complaintnlp\[contextual\]'"):
        read_texts(nlp, ["They never rang."])
    assert unfetched == []


def test_an_encoder_in_a_folder_is_read_from_there_alone(unfetched: list[dict[str, Any]], tmp_path: Path) -> None:
    encoder.load_encoder(str(tmp_path))
    assert [call["name"] for call in unfetched] == [str(tmp_path)] * 2
    assert all(call["local_files_only"] for call in unfetched)
    assert unfetched[1]["use_safetensors"]
    assert not any(call.get("trust_remote_code") for call in unfetched)


def test_an_encoder_in_a_package_is_found_and_no_code_of_it_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "an_encoder_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('this ran')")
    monkeypatch.syspath_prepend(tmp_path)
    assert encoder.folder_of("an_encoder_package") == str(package / "model")


def test_a_pipeline_with_components_of_ones_own_is_not_saved(tmp_path: Path) -> None:
    nlp = make_language()
    nlp.add_pipe("doc_cleaner")
    with pytest.raises(InputError, match="doc_cleaner"):
        save_language(nlp, tmp_path / "language")
