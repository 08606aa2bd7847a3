"""The model folder: save and load, with nothing in it that runs.

model.skops      the scikit-learn part, loaded against the list of types below
features.json    names of the columns
network.npz      the parameters of the network, if there is one: arrays of numbers
language/        the spaCy pipeline, in spaCy's own format
taxonomy.toml    the themes
manifest.json    format number, versions, sha256 of every other file, calibration, metrics
README.md        the model card
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from complaintnlp.errors import InputError
from complaintnlp.language import load_language, save_language
from complaintnlp.model.calibration import Calibration
from complaintnlp.model.estimator import Estimator
from complaintnlp.model.features import Features
from complaintnlp.model.model import FINDINGS, Model
from complaintnlp.model.network import Network
from complaintnlp.taxonomy import Taxonomy

FORMAT = 1
"""Raised by one whenever a folder written now could not be read by the version before; older formats stay readable."""
LIBRARIES = ("complaintnlp", "spacy", "scikit-learn", "skops", "thinc", "numpy", "scipy")
ALLOWED = frozenset(
    (
        "builtins.dict",
        "builtins.list",
        "builtins.str",
        "builtins.tuple",
        "numpy.dtype",
        "numpy.float32",
        "numpy.float64",
        "numpy.int64",
        "numpy.ndarray",
        "scipy.sparse._dia.dia_array",
        "scipy.sparse._dia.dia_matrix",
        "sklearn.dummy.DummyClassifier",
        "sklearn.feature_extraction.text.TfidfTransformer",
        "sklearn.linear_model._logistic.LogisticRegression",
    )
)
"""Every type that `model.skops` may name, looked for in the file itself before skops reads it."""
_UNPACKED_LIMIT = 1 << 30
NETWORK = "network.npz"


def save(model: Model, folder: str | Path, card: str = "") -> Path:
    """Write a model folder, whole or not at all; one that is there is replaced.

    Args:
        model: the model.
        folder: where to. Its parent must be there.
        card: the text of the model card.

    Raises:
        InputError: when `folder` is there and is no model folder, or its parent is not there.
    """
    import skops.io as sio

    folder = Path(folder)
    if not folder.absolute().parent.is_dir():
        raise InputError(f"{folder}: there is no folder {folder.parent}; make it first")
    if folder.exists() and not (folder / "manifest.json").is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there and is no model folder; choose another name or empty it")
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        _write_skops(
            sio.dumps({"tfidf": model.estimator.tfidf, "labels": list(model.estimator.labels)}), part / "model.skops"
        )
        _write_json(
            part / "features.json",
            list(model.features.names),
            indent=None,
        )
        if model.network is not None:
            _write_network(model.network, part / NETWORK)
        save_language(model.language, part / "language")
        (part / "taxonomy.toml").write_text(model.taxonomy.to_toml(), "utf-8")
        (part / "README.md").write_text(card or f"# {model.name} {model.version}\n", "utf-8")
        _write_json(part / "manifest.json", _manifest(model, part))
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def load(folder: str | Path | None = None) -> Model:
    """Load a model.

    Args:
        folder: a model folder; the shipped model where it is left out.

    Raises:
        InputError: when there is no such folder, it is no model folder, a file was changed since it was
            written, it comes from a newer version, or it names a type that is not on the list.
    """
    import skops.io as sio

    path = default_folder() if folder is None else Path(folder)
    manifest = read_manifest(path)
    _check_hashes(path, manifest)
    try:
        _check_types(path / "model.skops")
        fitted = sio.load(path / "model.skops")
        features = Features(tuple(json.loads((path / "features.json").read_text("utf-8"))))
        taxonomy, language = Taxonomy.read(path / "taxonomy.toml"), load_language(path / "language")
        sizes = language.vocab.vectors.shape[1], len(taxonomy.label_ids) + len(FINDINGS)
        return Model(
            name=str(manifest["name"]),
            version=str(manifest["version"]),
            taxonomy=taxonomy,
            language=language,
            features=features,
            estimator=Estimator(fitted["tfidf"], tuple(fitted["labels"])),
            network=_read_network(path / NETWORK, features, *sizes),
            calibrations=_calibrations(manifest["calibrations"]),
            evidence=_calibrations(manifest["evidence"]),
            review=float(manifest["review"]),
            facts=manifest["facts"],
        )
    except InputError:
        raise
    except Exception as error:  # whatever a broken folder does to the libraries that read it
        raise InputError(
            f"{path}: the model can't be read ({type(error).__name__}); make it again or get a new copy"
        ) from error


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a model folder; raises InputError as `load` does."""
    if not path.is_dir():
        raise InputError(f"{path}: there is no such model folder; name one that `train` or `retrain` wrote")
    try:
        manifest = json.loads((path / "manifest.json").read_text("utf-8"))
        number = int(manifest["format"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path} is no model folder: it has no manifest.json that can be read") from None
    if number > FORMAT:
        raise InputError(
            f"{path} is of format {number}, made by complaintnlp "
            f"{manifest.get('libraries', {}).get('complaintnlp', '?')}; "
            f"this version reads up to {FORMAT}. Upgrade: pip install --upgrade complaintnlp"
        )
    return dict(manifest)


def default_folder() -> Path:
    """Where the shipped model is: in the installed package, or at the top of a checkout."""
    return shipped("models/default")


def shipped(name: str) -> Path:
    """A folder that comes with the package, in an installed wheel or at the top of a checkout."""
    inside = Path(str(resources.files("complaintnlp"))) / name
    return inside if inside.exists() else Path(__file__).parents[3] / name


def _manifest(model: Model, part: Path) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": model.name,
        "version": model.version,
        "libraries": {name: version(name) for name in LIBRARIES},
        "calibrations": {label: asdict(model.calibrations[label]) for label in model.taxonomy.label_ids},
        "evidence": {name: asdict(one) for name, one in model.evidence.items()},
        "review": model.review,
        "facts": model.facts,
        "files": {name: _sha256(part / name) for name in _files(part)},
    }


def _calibrations(values: Mapping[str, Any]) -> dict[str, Calibration]:
    return {
        label: Calibration(tuple(one["weights"]), one["intercept"], one["threshold"]) for label, one in values.items()
    }


def _check_hashes(path: Path, manifest: Mapping[str, Any]) -> None:
    hashes = manifest.get("files")
    if not isinstance(hashes, dict):
        raise InputError(f"{path}: the manifest lists no files; get a new copy of the model")
    there = set(_files(path)) - {"manifest.json"}
    for name in sorted(there | set(hashes)):
        if name not in there:
            raise InputError(f"{path}: {name} is missing; get a new copy of the model")
        if name not in hashes:
            raise InputError(f"{path}: {name} does not belong there; remove it or get a new copy of the model")
        if _sha256(path / name) != hashes[name]:
            raise InputError(f"{path}: {name} was changed after the model was made; get a new copy of the model")


def _files(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_network(network: Network, path: Path) -> None:
    # Half the bytes: the parameters were rounded to these when the network was fitted.
    arrays: dict[str, Any] = {name: array.astype(np.float16) for name, array in network.arrays.items()}
    np.savez(path, **arrays)


def _read_network(path: Path, features: Features, dimensions: int, labels: int) -> Network | None:
    if not path.exists():
        return None
    _check_size(path)
    with np.load(path, allow_pickle=False) as arrays:
        halves = dict(arrays.items())
    if any(array.dtype != np.float16 for array in halves.values()):
        raise ValueError(f"{NETWORK} holds arrays of another type than it was written with")
    floats = {name: array.astype(np.float32) for name, array in halves.items()}
    return Network(features.words, dimensions, labels, floats)


def _check_size(path: Path) -> None:
    """Refuse an archive that would fill the memory."""
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _UNPACKED_LIMIT:
            raise InputError(f"{path} would unpack to over 1 GB; do not use this model")


def _write_skops(data: bytes, path: Path) -> None:
    """Write the archive again, packed and without memory addresses, so that the same model is the same file."""
    packed = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(path, "w", packed, compresslevel=9) as new:
        schema = json.loads(old.read("schema.json"))
        files: dict[str, str] = {}
        _number(schema, files, {})
        for name, numbered in files.items():
            new.writestr(zipfile.ZipInfo(numbered), old.read(name), packed)
        new.writestr(zipfile.ZipInfo("schema.json"), json.dumps(schema), packed)


def _number(node: Any, files: dict[str, str], objects: dict[int, int]) -> None:
    """Skops names arrays and objects by memory address; number them as they are met instead."""
    if isinstance(node, list):
        for value in node:
            _number(value, files, objects)
    elif isinstance(node, dict):
        if "__id__" in node:
            node["__id__"] = objects.setdefault(node["__id__"], len(objects))
        if isinstance(node.get("file"), str):
            node["file"] = files.setdefault(node["file"], f"{len(files)}{Path(node['file']).suffix}")
        for value in node.values():
            _number(value, files, objects)


def _check_types(path: Path) -> None:
    """Refuse an estimator that names a type not in `ALLOWED`, before anything of it is made."""
    _check_size(path)
    with zipfile.ZipFile(path) as archive:
        nodes = [json.loads(archive.read("schema.json"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            if "__class__" in node and f"{node.get('__module__')}.{node['__class__']}" not in ALLOWED:
                raise InputError(
                    f"{path} names {node.get('__module__')}.{node['__class__']}, which no model of ours has; do "
                    f"not use it"
                )
            nodes += node.values()
        elif isinstance(node, list):
            nodes += node


def _write_json(path: Path, data: Any, indent: int | None = 2) -> None:
    path.write_text(json.dumps(data, indent=indent, ensure_ascii=False) + "\n", "utf-8")
