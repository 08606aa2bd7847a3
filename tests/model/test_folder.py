from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import complaintnlp as cn
from complaintnlp.errors import InputError
from complaintnlp.model import Model, load, save
from complaintnlp.model.folder import FORMAT, default_folder

TEXTS = ["Nobody told us she had been moved.", "He waited nine hours.", "Thank you."]


@pytest.fixture
def folder(toy: Model, tmp_path: Path) -> Path:
    return save(toy, tmp_path / "toy")


def test_a_model_is_saved_and_loaded(toy: Model, folder: Path) -> None:
    again = load(folder)
    assert again.classify(TEXTS) == toy.classify(TEXTS)
    assert (again.name, again.version, again.taxonomy) == ("toy", "9", toy.taxonomy)


def test_the_same_model_is_the_same_files(toy: Model, folder: Path, tmp_path: Path) -> None:
    other = save(toy, tmp_path / "other")
    assert _contents(folder) == _contents(other)
    assert _contents(save(load(folder), tmp_path / "again")) == _contents(folder)


def test_nothing_in_the_folder_is_a_pickle(folder: Path) -> None:
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} <= {".skops", ".json", ".toml", ".md", ".cfg", "", ".bin", ".txt", ".npy"}
    for file in files:
        assert not file.read_bytes().startswith(b"\x80\x04\x95")


@pytest.mark.parametrize("name", ["model.skops", "features.json", "taxonomy.toml", "language/tokenizer", "README.md"])
def test_a_changed_file_is_found_out(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(InputError, match=f"{name} was changed"):
        load(folder)


def test_a_missing_and_a_foreign_file_are_found_out(folder: Path) -> None:
    (folder / "extra.py").write_text("print('hello')")
    with pytest.raises(InputError, match=r"extra.py does not belong"):
        load(folder)
    (folder / "extra.py").unlink()
    (folder / "taxonomy.toml").unlink()
    with pytest.raises(InputError, match=r"taxonomy.toml is missing"):
        load(folder)


def test_a_newer_format_names_the_remedy(folder: Path) -> None:
    _edit_manifest(folder, format=FORMAT + 1)
    with pytest.raises(InputError, match=r"pip install --upgrade complaintnlp"):
        load(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "x"}'])
def test_a_broken_manifest(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content)
    with pytest.raises(InputError, match="no model folder"):
        load(folder)


def test_a_type_that_is_not_on_the_list_is_refused_even_with_right_hashes(folder: Path) -> None:
    import hashlib

    path = folder / "model.skops"
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(files["schema.json"])
    schema["content"]["evil"] = {
        "__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": "system", "__id__": 999,
    }  # fmt: skip
    files["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["model.skops"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"os\.system"):
        load(folder)


def test_no_folder_and_a_folder_that_is_no_model(tmp_path: Path, toy: Model) -> None:
    with pytest.raises(InputError, match="no such model folder"):
        load(tmp_path / "none")
    with pytest.raises(InputError, match="no model folder"):
        load(tmp_path)
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(InputError, match="is no model folder"):
        save(toy, tmp_path)
    with pytest.raises(InputError, match="there is no folder"):
        save(toy, tmp_path / "none" / "model")


def test_saving_over_a_model_replaces_it(toy: Model, folder: Path) -> None:
    save(toy, folder)
    assert load(folder).name == "toy"
    assert [path.name for path in folder.parent.iterdir()] == ["toy"]


def test_names_and_numbers_of_patients_are_in_no_model_file(tmp_path: Path) -> None:
    who = "My name is Zebediah Quillfeather, NHS number 943 476 5919, ring 01632 960123. Dr Xanthopoulou saw Zebediah."
    rows = [
        {"case_id": f"Quillfeather-{i}", "text": f"{who} {text}", "themes": theme}
        for i, (text, theme) in enumerate(
            [("Nobody told us anything.", "communication"), ("Thank you.", ""), ("He waited hours.", "care_failure")]
            * 8
        )
    ]
    folder = save(cn.train(rows), tmp_path / "model")
    for name, content in _contents(folder).items():
        for secret in (b"quillf", b"zebed", b"xanthop", b"4765919", b"960123"):
            assert secret not in content.lower(), name


def test_the_shipped_folder_is_whole() -> None:
    assert load(default_folder()).taxonomy == cn.Taxonomy.default()


def _contents(folder: Path) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix == ".skops":
            with zipfile.ZipFile(file) as archive:
                contents |= {f"{file.name}/{n}": archive.read(n) for n in archive.namelist()}
        if file.is_file():
            contents[file.relative_to(folder).as_posix()] = file.read_bytes()
    return contents


def _edit_manifest(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
