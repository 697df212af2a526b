"""`apnet embed` as a user meets it."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import apnet.shipped
from apnet.checkpoints import save_checkpoint
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
    save_checkpoint(path, build_network(CONFIG), CONFIG, {}, half=True)
    monkeypatch.setattr(apnet.shipped, "SHIPPED", path)
    return path


@pytest.fixture
def embed(run):
    def call(*arguments, command="embed"):
        workers = ["--workers", "0"] if command == "embed" and "--workers" not in arguments else []
        return run(command, *arguments, *workers)

    return call


def picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 20, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def crops(tmp_path):
    root = tmp_path / "crops"
    names = ["b.png", "a.jpg", "z/c.webp", "m/d.bmp", "m/n/0007_c3s1_000001_00.tif"]
    for seed, name in enumerate(names):
        picture(root / name, seed)
    (root / "notes.txt").write_text("hello")
    (root / ".hidden.jpg").write_text("hello")
    return root


IN_ORDER = ["a.jpg", "b.png", "m/d.bmp", "m/n/0007_c3s1_000001_00.tif", "z/c.webp"]


def test_a_folder_is_embedded_recursively_in_order(embed, crops, tmp_path):
    out = tmp_path / "new" / "features.npz"
    code, printed, err = embed(crops, "--out", out)
    assert code == 0, err
    assert f"{out}: 5 images, 16 numbers each" in printed
    assert "1 entries left out that are not images (notes.txt)" in err
    loaded = load_features(out)
    assert list(loaded.paths) == [str(crops / name) for name in IN_ORDER]
    assert loaded.pids.tolist() == [-1, -1, -1, 7, -1]
    assert loaded.camids.tolist() == [-1, -1, -1, 3, -1]
    np.testing.assert_allclose(np.linalg.norm(loaded.features, axis=1), 1, atol=1e-5)
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_files_come_in_the_order_given_and_once(embed, crops, tmp_path):
    out = tmp_path / "f.npz"
    paths = [crops / "z" / "c.webp", crops / "a.jpg", crops / "z"]
    code, printed, _ = embed(*paths, "--out", out, "--json")
    assert code == 0
    facts = json.loads(printed)
    assert (facts["images"], facts["dimensions"], facts["skipped"]) == (2, 16, [])
    assert facts["image_size"] == [32, 16]
    assert list(load_features(out).paths) == [str(path) for path in paths[:2]]


def test_threads_and_mirror_images(embed, crops, tmp_path):
    features = []
    for number, flags in enumerate([(), ("--workers", 2), ("--no-flip",)]):
        out = tmp_path / f"{number}.npz"
        assert embed(crops, "--out", out, *flags)[0] == 0
        features.append(load_features(out).features)
    np.testing.assert_array_equal(features[0], features[1])
    assert np.abs(features[0] - features[2]).max() > 1e-4


def test_a_table_gives_people_and_cameras(embed, crops, tmp_path):
    table = crops / "images.csv"
    table.write_text(
        "path,pid,camid,split\na.jpg,12,1,query\nb.png,12,2,gallery\nm/d.bmp,-1,2,gallery\n"
    )
    code, _, err = embed(table, "--out", tmp_path / "f.npz")
    assert code == 0
    assert "1 junk images (pid -1) left out" in err
    loaded = load_features(tmp_path / "f.npz")
    assert loaded.pids.tolist() == [12, 12]
    assert loaded.camids.tolist() == [1, 2]


def test_score_of_the_features_equals_evaluate(embed, shipped, tmp_path):
    for folder, cameras in (("query", (1,)), ("bounding_box_test", (1, 2, 3))):
        for pid in (-1, 2, 3, 4, 5):
            for camera in cameras if pid > 0 or folder != "query" else ():
                name = f"{pid if pid < 0 else f'{pid:04d}'}_c{camera}s1_{pid + 10:06d}_00.png"
                picture(tmp_path / "market" / folder / name, pid * 10 + camera + 100)
        assert embed(tmp_path / "market" / folder, "--out", tmp_path / f"{folder}.npz")[0] == 0
    files = (tmp_path / "query.npz", tmp_path / "bounding_box_test.npz")
    code, scored, _ = embed(*files, "--json", command="score")
    assert code == 0
    data = ("--data", f"market1501={tmp_path / 'market'}", "--workers", 0)
    code, evaluated, _ = embed(shipped, *data, "--json", command="evaluate")
    assert code == 0
    for figure in ("mAP", "mINP", "rank1", "rank5"):
        assert json.loads(scored)[figure] == pytest.approx(json.loads(evaluated)[figure], abs=1e-9)
    network = json.loads(evaluated)["protocol"]["model"].partition("sha256:")[2]
    assert {load_features(file).fingerprint for file in files} == {network}


def refused(embed, out, *arguments):
    code, printed, err = embed(*arguments, "--out", out)
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert (code, printed, len(lines)) == (2, "", 1)
    assert not out.exists()
    assert not [path for path in out.parent.iterdir() if path.suffix in (".part", ".npz", ".txt")]
    return lines[0]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.npz"


def test_an_unreadable_image_is_named_and_nothing_is_written(embed, crops, out):
    (crops / "m" / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    for workers in (0, 2):
        message = refused(embed, out, crops, "--workers", workers)
        assert "broken.jpg: cannot be decoded" in message


def test_unreadable_images_are_skipped_and_listed_on_request(embed, crops, tmp_path):
    out, listed = tmp_path / "f.npz", tmp_path / "f.npz.skipped.txt"
    broken = [crops / "c.jpg", crops / "m" / "empty.png"]
    for path in broken:
        path.write_bytes(b"")
    code, printed, err = embed(crops, "--out", out, "--skip-unreadable")
    assert code == 0
    assert "5 images, 2 skipped" in printed
    assert err.count("an empty file") == 2
    assert listed.read_text().splitlines() == [str(path) for path in broken]
    assert list(load_features(out).paths) == [str(crops / name) for name in IN_ORDER]
    for path in broken:
        path.unlink()
    assert embed(crops, "--out", out, "--skip-unreadable")[0] == 0
    assert not listed.exists()  # nothing is skipped any more


def test_a_folder_of_broken_images_is_refused(embed, out, tmp_path):
    (tmp_path / "crops").mkdir()
    (tmp_path / "crops" / "a.jpg").write_bytes(b"")
    message = refused(embed, out, tmp_path / "crops", "--skip-unreadable")
    assert "none of the 1 images can be read" in message


def test_missing_paths_and_empty_folders_are_refused(embed, out, crops, tmp_path):
    assert "absent: no such file" in refused(embed, out, crops, tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    assert "empty: no images found" in refused(embed, out, tmp_path / "empty")
    assert "no such checkpoint" in refused(embed, out, crops, "--checkpoint", tmp_path / "run")


def test_without_shipped_weights_a_checkpoint_must_be_named(embed, crops, out, shipped):
    named = shipped.with_name("mine.safetensors")
    shipped.rename(named)
    assert "has no weights" in refused(embed, out, crops)
    assert embed(crops, "--out", out, "--checkpoint", named)[0] == 0
    assert len(load_features(out)) == 5


def test_a_folder_as_output_is_refused(embed, crops):
    code, _, err = embed(crops, "--out", crops)
    assert code == 2
    assert "not a feature store" in err
    (crops / "f.npz").mkdir()
    code, _, err = embed(crops, "--out", crops / "f.npz")
    assert (code, "name the file to write" in err) == (2, True)


def test_an_output_that_cannot_be_written_is_told_before_the_work(
    embed, crops, tmp_path, monkeypatch
):
    monkeypatch.setattr("apnet.embedding.jobs.choose_backend", None)  # would fail if it were called
    for name in ("f.npz", "store"):
        code, _, err = embed(crops, "--out", crops / "notes.txt" / name)
        assert code == 2
        assert "cannot be written" in err


def test_an_interrupted_job_leaves_the_old_file_and_no_other(embed, crops, tmp_path, monkeypatch):
    out = tmp_path / "out" / "f.npz"
    out.parent.mkdir()
    out.write_bytes(b"before")

    def interrupted(*arguments, **settings):
        raise Interrupted

    monkeypatch.setattr("apnet.embedding.jobs.embed_stream", interrupted)
    code, _, err = embed(crops, "--out", out)
    assert (code, err.splitlines()[-1]) == (130, "interrupted")
    assert out.read_bytes() == b"before"
    assert [path.name for path in out.parent.iterdir()] == ["f.npz"]


def test_links_in_a_circle_end(embed, crops, out):
    (crops / "m" / "again").symlink_to(crops, target_is_directory=True)
    assert embed(crops, "--out", out)[0] == 0
    assert len(load_features(out)) == 5


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("embed", "Parallel workers that decode images: threads"),
        ("evaluate", "Parallel workers that decode images: threads"),
        ("train", "Parallel workers that decode images: processes"),
        ("demo", "Parallel workers that render: processes"),
        ("reproduce", "Parallel workers that render people and decode large images: processes"),
    ],
)
def test_workers_are_threads_or_processes_and_the_help_says_which(run, monkeypatch, command, words):
    monkeypatch.setenv("COLUMNS", "300")
    code, printed, _ = run(command, "--help")
    assert code == 0
    assert words in " ".join(printed.replace("│", " ").split())
