"""`apnet embed` into a folder, as a user meets it."""

import errno
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import apnet.shipped
from apnet.checkpoints import save_checkpoint
from apnet.cli import main
from apnet.config import NetworkConfig
from apnet.errors import Interrupted
from apnet.model import build_network
from apnet.retrieval import load_features

CONFIG = NetworkConfig(
    backbone="resnet10t",
    backbone_options={"channels": [8, 8, 16, 16], "stem_width": 8},
    reduction=4,
    image_size=(32, 16),
)


@pytest.fixture(autouse=True)
def shipped(tmp_path_factory, monkeypatch):
    """A tiny network takes the place of the shipped one."""
    path = tmp_path_factory.mktemp("shipped") / "people.safetensors"
    torch.manual_seed(0)
    save_checkpoint(path, build_network(CONFIG), CONFIG, {})
    monkeypatch.setattr(apnet.shipped, "SHIPPED", path)
    return path


@pytest.fixture
def embed(run):
    return lambda *arguments, command="embed": run(command, *arguments)


def picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 20, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def crops(tmp_path):
    for seed in range(6):
        picture(tmp_path / "crops" / f"{seed // 2 + 1:04d}_c{seed % 2}s1_00000{seed}_00.png", seed)
    return tmp_path / "crops"


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def test_a_store_holds_what_a_file_holds(embed, crops, store, tmp_path):
    code, printed, err = embed(crops, "--out", store)
    assert code == 0, err
    assert f"{store}: 6 images, 16 numbers each" in printed
    assert embed(crops, "--out", tmp_path / "f.npz")[0] == 0
    kept, filed = load_features(store), load_features(tmp_path / "f.npz")
    np.testing.assert_array_equal(kept.features, filed.features)
    assert kept.paths == filed.paths
    assert (kept.pids == filed.pids).all()
    assert (kept.camids == filed.camids).all()
    scores = [embed(at, at, "--json", command="score")[1] for at in (store, tmp_path / "f.npz")]
    assert scores[0] == scores[1]


def test_half_the_space(embed, crops, store, tmp_path):
    embed(crops, "--out", tmp_path / "whole")
    assert embed(crops, "--out", store, "--half")[0] == 0
    assert (store / "features.f16").stat().st_size == 6 * 16 * 2
    kept, whole = load_features(store).features, load_features(tmp_path / "whole").features
    assert kept.dtype == np.float32
    np.testing.assert_allclose(kept, whole, atol=5e-4)
    code, _, err = embed(crops, "--out", tmp_path / "f.npz", "--half")
    assert (code, "--half is for a folder" in err) == (2, True)


def test_new_images_are_appended_and_the_rest_stays(embed, crops, store, monkeypatch):
    embed(crops, "--out", store)
    before = (store / "features.f32").read_bytes()
    picture(crops / "0000_new.png", 99)
    assert embed(crops, "--out", store)[0] == 0
    after = (store / "features.f32").read_bytes()
    assert after[: len(before)] == before
    assert len(after) == len(before) * 7 // 6
    assert load_features(store).paths[-1].endswith("0000_new.png")
    monkeypatch.setattr("apnet.embedding.jobs.choose_backend", None)  # nothing is left to compute
    code, printed, _ = embed(crops, "--out", store, "--json")
    assert code == 0
    assert (json.loads(printed)["images"], json.loads(printed)["backend"]) == (7, None)


@pytest.mark.parametrize("stop", [Interrupted, MemoryError])
def test_a_stopped_job_goes_on(embed, crops, store, tmp_path, monkeypatch, stop):
    import apnet.embedding.jobs as job

    stream = job.embed_stream

    def stopping(backend, records, options):
        small = type(options)(options.image_size, batch_size=2)
        for number, batch in enumerate(stream(backend, records, small)):
            if number == 2:
                raise stop
            yield batch

    monkeypatch.setattr(job, "embed_stream", stopping)
    if stop is Interrupted:
        code, _, err = embed(crops, "--out", store)
        assert code == 130
        assert "has 4 images; the same command goes on from there" in err
    else:
        monkeypatch.setattr(sys, "argv", ["apnet", "embed", str(crops), "--out", str(store)])
        with pytest.raises(MemoryError):
            main()
    assert len(load_features(store)) == 4
    monkeypatch.setattr(job, "embed_stream", stream)
    assert embed(crops, "--out", store)[0] == 0
    embed(crops, "--out", tmp_path / "whole")
    again, whole = load_features(store), load_features(tmp_path / "whole")
    assert again.paths == whole.paths
    np.testing.assert_allclose(again.features, whole.features, atol=1e-6)


def test_another_network_or_setting_is_refused(embed, crops, store, tmp_path):
    embed(crops, "--out", store)
    torch.manual_seed(1)
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, build_network(CONFIG), CONFIG, {})
    for flags, words in [
        (("--checkpoint", other), "network "),
        (("--no-flip",), "mirror image added, now left out"),
        (("--half",), "kind of numbers float32, now float16"),
        (("--precision", "bf16"), "precision float32, now bf16"),
    ]:
        code, _, err = embed(crops, "--out", store, *flags)
        assert code == 2
        assert "computed with other settings" in err
        assert words in err
    assert len(load_features(store)) == 6


def test_a_broken_image_ends_the_command_and_what_was_done_stays(embed, crops, store):
    (crops / "0003_z.jpg").write_bytes(b"\xff\xd8\xff nothing")
    code, _, err = embed(crops, "--out", store)
    assert code == 2
    assert "0003_z.jpg: cannot be decoded" in err
    assert len(load_features(store)) == 6
    code, printed, err = embed(crops, "--out", store, "--skip-unreadable")
    assert code == 0
    assert "6 images, 1 skipped" in printed
    lines = [json.loads(line) for line in (store / "skipped.jsonl").read_text().splitlines()]
    assert [line["path"] for line in lines] == [str(crops / "0003_z.jpg")]
    assert embed(crops, "--out", store, "--skip-unreadable")[0] == 0
    assert len((store / "skipped.jsonl").read_text().splitlines()) == 1  # listed once
    picture(crops / "0003_z.jpg", 5)
    assert embed(crops, "--out", store)[0] == 0
    assert len(load_features(store)) == 7


def test_nothing_readable(embed, tmp_path, store):
    (tmp_path / "crops").mkdir()
    (tmp_path / "crops" / "a.jpg").write_bytes(b"")
    code, _, err = embed(tmp_path / "crops", "--out", store, "--skip-unreadable")
    assert code == 2
    assert "none of the 1 images can be read" in err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--backend", "fast"), "choose one of auto, eager"),
        (("--precision", "int4"), "choose one of auto, float32"),
        (("--backend", "folded", "--precision", "int8"), "has no int8"),
        (("--backend", "onnx", "--precision", "bf16"), "float32 or int8"),
    ],
)
def test_wrong_names(embed, crops, store, flags, words):
    code, _, err = embed(crops, "--out", store, *flags)
    assert code == 2
    assert words in err


def test_a_backend_by_name_is_judged_and_told(embed, crops, store):
    code, printed, err = embed(crops, "--out", store, "--backend", "folded", "--precision",
                               "float32", "--json")  # fmt: skip
    assert code == 0, err
    assert "computing with folded float32: smallest cosine 1.0" in err
    facts = json.loads(printed)
    assert (facts["backend"], facts["precision"]) == ("folded", "float32")
    assert facts["agreement"]["ranks"] == 1


def test_replaced_images_are_embedded_again_in_their_rows(run, crops, tmp_path):
    store = tmp_path / "store"
    assert run("embed", crops, "--out", store)[0] == 0
    before = load_features(store)
    kept = np.array(before.features)  # a copy: the store's own are mapped into memory
    name = sorted(path.name for path in crops.iterdir())[1]
    Image.new("RGB", (30, 60), "orange").save(crops / name)
    code, _, err = run("embed", crops, "--out", store)
    assert code == 0
    assert "1 images were replaced" in err
    assert name in err
    after = load_features(store)
    assert after.paths == before.paths
    changed = (kept != after.features).any(axis=1).tolist()
    assert [Path(path).name == name for path in after.paths] == changed
    assert run("embed", crops, "--out", tmp_path / "fresh")[0] == 0
    assert np.allclose(load_features(tmp_path / "fresh").features, after.features, atol=1e-5)
    code, _, err = run("embed", crops, "--out", store)
    assert (code, "replaced" in err) == (0, False)


def test_a_touched_image_of_the_same_content_is_left_alone(run, crops, tmp_path):
    assert run("embed", crops, "--out", tmp_path / "store")[0] == 0
    for path in crops.iterdir():
        os.utime(path, (1, 1))
    code, _, err = run("embed", crops, "--out", tmp_path / "store")
    assert (code, "replaced" in err) == (0, False)


def test_rehash_finds_what_size_and_time_do_not_show(run, crops, tmp_path):
    store = tmp_path / "store"
    path = sorted(crops.iterdir())[0].rename(crops / "0.bmp")
    for colour in ("red", "blue"):
        Image.new("RGB", (8, 8), colour).save(path)
        os.utime(path, (1_000, 1_000))
        code, _, err = run("embed", crops, "--out", store)
        assert (code, "replaced" in err) == (0, False)
    code, _, err = run("embed", crops, "--out", store, "--rehash")
    assert code == 0
    assert "0.bmp" in err
    code, _, err = run("embed", crops, "--out", tmp_path / "f.npz", "--rehash")
    assert code == 2
    assert "--rehash is for a folder" in err


def test_an_interrupted_replacement_leaves_no_old_feature_behind(run, crops, tmp_path, monkeypatch):
    store = tmp_path / "store"
    assert run("embed", crops, "--out", store)[0] == 0
    images = len(load_features(store))
    path = sorted(crops.iterdir())[0]
    Image.new("RGB", (30, 60), "orange").save(path)
    with monkeypatch.context() as patched:
        patched.setattr("apnet.embedding.store._put", refuse)
        assert run("embed", crops, "--out", store)[0] == 2
    assert str(path) not in load_features(store).paths
    assert run("embed", crops, "--out", store)[0] == 0
    assert len(load_features(store)) == images


def refuse(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_new_identities_of_embedded_images_are_noted(run, crops, tmp_path):
    store = tmp_path / "store"
    names = sorted(path.name for path in crops.iterdir())
    assert run("embed", crops, "--out", store)[0] == 0
    lines = [f"{name},{index},3,gallery" for index, name in enumerate(names)]
    (crops / "table.csv").write_text("\n".join(["path,pid,camid,split", *lines]))
    code, _, err = run("embed", crops / "table.csv", "--out", store)
    assert code == 0
    assert "another identity or camera" in err
    assert load_features(store).pids.tolist() == list(range(len(names)))
    assert load_features(store).camids.tolist() == [3] * len(names)


def test_a_failed_first_job_leaves_nothing(run, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    code, _, err = run("embed", tmp_path / "bad.jpg", "--out", tmp_path / "store")
    assert code == 2
    assert err.count("\n") == 1
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("name", ["f.npy", "f.pt", "f.NPZ"])
def test_files_of_further_formats_are_written(run, crops, tmp_path, name):
    assert run("embed", crops, "--out", tmp_path / name)[0] == 0
    assert run("embed", crops, "--out", tmp_path / "store")[0] == 0
    expected = load_features(tmp_path / "store")
    assert load_features(tmp_path / name).paths == expected.paths
