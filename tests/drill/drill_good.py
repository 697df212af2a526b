"""The good files that the drill spoils: a few people, a run, a store, features, lists, recipes."""

import shutil
import sys
from pathlib import Path

import numpy as np
from format_writers import WRITERS
from PIL import Image
from test_cuhk03 import write_archive, write_protocol
from test_msmt17 import GALLERY, QUERY, TRAIN, VAL, write_list

from apnet.cli import main
from market_people import write_people

TINY = (
    *("--set", "network.backbone=resnet10t"),
    *("--set", "network.backbone_options={channels=[8,8,16,16], stem_width=8}"),
    *("--set", "network.reduction=4", "--set", "network.image_size=[32, 16]"),
    *("--set", "weights=random", "--set", "precision=float32", "--set", "epochs=1"),
    *("--set", "sampling={identities_per_batch=2, images_per_identity=2}"),
    *("--device", "cpu", "--workers", "0"),
)
"""Settings with which ``apnet train`` ends within a second or two."""

EMBED = ("--checkpoint", "run", "--backend", "eager", "--precision", "float32", "--device", "cpu")
FEATURES = ("a.npz", "a.npy", "a.pt", "a.h5", "a.mat")
IMAGES = ("a.jpg", "a.png", "a.bmp", "a.tiff", "a.webp")


def call(*arguments: str) -> None:
    """Calls the command line in this process."""
    sys.argv = ["apnet", *arguments]
    try:
        main()
    except SystemExit as stopped:
        if stopped.code:
            raise RuntimeError(f"apnet {' '.join(arguments)}: exit {stopped.code}") from None


def make_good(folder: Path) -> None:
    """Makes every good file and folder; the current folder must be ``folder``."""
    market = write_people(Path("market"))
    call("train", "demo", "--data", "market1501=market", "--out", "run", *TINY)
    call("embed", "market/query", "--out", "store", *EMBED)
    call(
        "data", "make", "synth", "--ids", "4", "--images", "4", "--cameras", "2", "--size", "32x16"
    )
    _images(folder, market)
    _features()
    _lists(market)
    _gallery(market)


def _images(folder: Path, market: Path) -> None:
    first = sorted((market / "query").iterdir())[0]
    with Image.open(first) as image:
        for name in IMAGES:
            image.save(folder / name)
    shutil.copytree(market / "query", "crops")


def _features() -> None:
    chance = np.random.default_rng(0)
    pids = np.arange(12) % 4
    arrays = {
        "features": chance.standard_normal((12, 5)).astype(np.float32) + 3 * pids[:, None],
        "pids": pids,
        "camids": np.arange(12) // 4,
        "paths": np.array([f"image{row}.jpg" for row in range(12)]),
    }
    for name in FEATURES:
        WRITERS[name](Path(name), arrays)


def _lists(market: Path) -> None:
    rows = ["path,pid,camid,split"]
    for folder, split in (("bounding_box_train", "train"), ("query", "query")):
        for number, path in enumerate(sorted((market / folder).iterdir())):
            where = "gallery" if split == "query" and number % 2 else split
            rows.append(f"{path},{path.name[:4]},{path.name[6]},{where}")
    Path("people.csv").write_text("\n".join(rows) + "\n")
    Path("recipe.toml").write_text('preset = "apnet-c2-small"\nweights = "random"\nepochs = 1\n')
    for name, images, halves in (
        ("list_train.txt", TRAIN, "train"),
        ("list_val.txt", VAL, "train"),
        ("list_query.txt", QUERY, "test"),
        ("list_gallery.txt", GALLERY, "test"),
    ):
        for image in images:
            place = Path("msmt", halves, image)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy("a.jpg", place)
        write_list(Path("msmt", name), images)
    Path("cuhk").mkdir()
    write_protocol(Path("cuhk/cuhk03_new_protocol_config_labeled.mat"))
    write_archive(Path("cuhk/cuhk-03.mat"))


def _gallery(market: Path) -> None:
    call("gallery", "create", "g.gallery", "--checkpoint", "run")
    call("gallery", "add", "g.gallery", str(market / "query"), "--device", "cpu")
    call("gallery", "export", "g.gallery", "--out", "people.npz")
    rows = ("path,camera,tracklet,time,identity", "a.png,1,1,5,a", "a.jpg,2,1,9,a")
    Path("crops.csv").write_text("\n".join(rows) + "\n")
    people = ("--ids", "24", "--images", "4", "--cameras", "2", "--size", "32x16")
    call("data", "make", "town", *people, "--workers", "0")
    town = ("calibrate", "run", "--data", "synthetic=town", "--device", "cpu")
    call(*town, "--out", "calibration.json")
