"""Every public function takes paths, devices and images in each form that people write.

The table has a line per function and form; a line is a call with the places that differ. Another
test sees that no public function is missing.
"""

import dataclasses
import inspect
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import apnet


class OtherPath:
    """A path of another library, such as py.path.local."""

    def __init__(self, path):
        self._path = os.fspath(path)

    def __fspath__(self):
        return self._path


PATHS = {"str": str, "Path": Path, "PathLike": OtherPath}

TAKES_PATHS = {
    "load_dataset": lambda of, it: apnet.load_dataset("market1501", of(it.people)).train,
    "check_dataset": lambda of, it: apnet.check_dataset("market1501", of(it.people)).counts,
    "load_model": lambda of, it: apnet.load_model(of(it.weights)).fingerprint,
    "load_checkpoint": lambda of, it: apnet.load_checkpoint(of(it.weights)).fingerprint,
    "save_checkpoint": lambda of, it: apnet.save_checkpoint(
        of(it.out / "w.safetensors"), it.model.network, it.model.config, {}
    ),
    "load_features": lambda of, it: apnet.load_features(of(it.features)).pids.tolist(),
    "save_features": lambda of, it: apnet.save_features(of(it.out / "f.npz"), it.embeddings),
    "load_recipe": lambda of, it: apnet.load_recipe(of(it.recipe)).epochs,
    "RunFolder": lambda of, it: apnet.RunFolder(of(it.run)).recipe(),
    "embed, model": lambda of, it: apnet.embed(of(it.weights), it.pixels).features.tolist(),
    "embed, image": lambda of, it: it.model.embed(of(it.crops / "0.png")).features.tolist(),
    "embed, folder": lambda of, it: it.model.embed(of(it.crops)).features.tolist(),
    "embed_images": None,
    "evaluate, model": lambda of, it: apnet.evaluate(of(it.weights), it.data).mAP,
    "evaluate, run": lambda of, it: apnet.evaluate(of(it.run), it.data).mAP,
    "evaluate, features": lambda of, it: apnet.evaluate(of(it.features), of(it.features)).mAP,
    "search, picture": lambda of, it: apnet.search(it.model, of(it.crops / "0.png"), it.pixels)[0],
    "search, folder": lambda of, it: apnet.search(it.model, it.pixels[0], of(it.crops))[0],
    "search, features": lambda of, it: apnet.search(it.model, it.pixels[0], of(it.features))[0],
    "explain, images": lambda of, it: len(apnet.explain(it.model, of(it.crops))),
    "explain, out": lambda of, it: len(apnet.explain(it.model, it.pixels, out=of(it.out / "why"))),
    "plot_ranks, model": lambda of, it: apnet.plot_ranks(of(it.weights), it.data).size,
    "plot_ranks, out": lambda of, it: (
        apnet.plot_ranks(it.model, it.data, out=of(it.out / "ranks.png")).size
    ),
    "resume_run": lambda of, it: apnet.resume_run(of(it.run), device="cpu").fingerprint,
    "load_calibration": lambda of, it: apnet.load_calibration(of(it.calibration)).people,
    "calibrate, model": lambda of, it: apnet.calibrate(of(it.weights), it.many).content.eer,
    "compare, images": lambda of, it: (
        apnet.compare(
            of(it.crops / "0.png"), of(it.crops), model=it.model, calibration=it.table, fmr=0.1
        ).similarity
    ),
    "compare, files": lambda of, it: (
        apnet.compare(
            *it.pixels[:2], model=of(it.weights), calibration=of(it.calibration), fmr=0.1
        ).similarity
    ),
}

DEVICES = {"str": "cpu", "torch.device": torch.device("cpu"), "with index": "cpu:0"}

TAKES_DEVICES = {
    "load_model": lambda device, it: apnet.load_model(it.weights, device=device).fingerprint,
    "Model.to": lambda device, it: it.model.to(device).fingerprint,
    "evaluate": lambda device, it: apnet.evaluate(it.model, it.data, device=device).mAP,
    "evaluate, features": lambda device, it: (
        apnet.evaluate(it.embeddings, it.embeddings, device=device).mAP
    ),
    "explain": lambda device, it: len(apnet.explain(it.model, it.pixels, device=device)),
    "top_matches": lambda device, it: apnet.top_matches(
        it.embeddings, it.embeddings, 2, junk_rule="none", device=device
    ).indices.tolist(),
    "resume_run": lambda device, it: apnet.resume_run(it.run, device=device).fingerprint,
    "calibrate": lambda device, it: apnet.calibrate(it.model, it.many, device=device).content.eer,
    "compare": lambda device, it: (
        apnet.compare(
            *it.pixels[:2], model=it.weights, calibration=it.table, fmr=0.1, device=device
        ).similarity
    ),
}


def read_only(array):
    return np.frombuffer(array.tobytes(), np.uint8).reshape(array.shape)


IMAGES = {
    "array (N, H, W, 3)": lambda it: it.pixels,
    "list of arrays (H, W, 3)": lambda it: list(it.pixels),
    "read-only arrays": lambda it: [
        np.frombuffer(p.tobytes(), np.uint8).reshape(p.shape) for p in it.pixels
    ],
    "arrays that are not contiguous": lambda it: [p[:, ::-1][:, ::-1] for p in it.pixels],
    "tensor (N, 3, H, W) of uint8": lambda it: torch.tensor(it.pixels).permute(0, 3, 1, 2),
    "tensor of floats": lambda it: torch.tensor(it.pixels).permute(0, 3, 1, 2) / 255,
    "Pillow images": lambda it: [Image.fromarray(p) for p in it.pixels],
    "paths": lambda it: [it.crops / f"{index}.png" for index in range(4)],
    "texts": lambda it: [str(it.crops / f"{index}.png") for index in range(4)],
    "a folder": lambda it: it.crops,
    "a mixed list": lambda it: (
        it.pixels[0],
        Image.fromarray(it.pixels[1]),
        str(it.crops / "2.png"),
        torch.tensor(it.pixels[3]).permute(2, 0, 1),
    ),
    "records": lambda it: [apnet.ImageRecord(it.crops / f"{index}.png", 0) for index in range(4)],
}


def without_title(picture):
    """The picture below its title, which names the file."""
    return picture.crop((0, 60, *picture.size)).tobytes()


TAKES_IMAGES = {
    "Model.embed": lambda images, it: it.model.embed(images).features.tolist(),
    "embed": lambda images, it: apnet.embed(it.model, images).features.tolist(),
    "search, query": lambda images, it: [
        [hit.row for hit in hits if hit.similarity < 1]
        for hits in apnet.search(it.model, images, it.pixels)
    ],
    "search, gallery": lambda images, it: [
        hit.row for hit in apnet.search(it.model, it.pixels[0], images)[0]
    ],
    "explain": lambda images, it: without_title(apnet.explain(it.model, images)[1]),
    "compare": lambda images, it: (
        apnet.compare(images, it.pixels, model=it.model, calibration=it.table, fmr=0.1).similarity
    ),
}

TAKES_NEITHER = {
    "insert_pyramids",
    "remove_pyramids",
    "create_network",
    "network_cost",
    "smoothed_cross_entropy",
    "batch_hard_triplet",
    "apnet_loss",
    "embed_images",  # of tensors that are normalised already
    "default_card",
}
ELSEWHERE = {
    "train": "test_five_lines.py",
    "export": "tests/exporting",
    "embed_records": "tests/test_embedding.py",
    "evaluate_network": "tests/test_fast_paths.py",
    "evaluate_checkpoint": "an earlier name of evaluate",
}


@dataclasses.dataclass
class Things:
    """What the calls of the tables take."""

    people: Path
    data: apnet.ReidDataset
    weights: Path
    model: apnet.Model
    pixels: np.ndarray
    crops: Path
    embeddings: apnet.Embeddings
    features: Path
    recipe: Path
    run: Path
    out: Path
    many: apnet.Embeddings
    table: apnet.Calibration
    calibration: Path


@pytest.fixture(scope="module")
def many(model):
    """Features of 12 people in two cameras."""
    pids = np.arange(48) % 12
    features = np.random.default_rng(0).standard_normal((48, model.network.feature_dim))
    return apnet.Embeddings(
        features.astype(np.float32), pids, np.arange(48) // 24, (), model.fingerprint
    )


@pytest.fixture(scope="module")
def trained(people_folder, tmp_path_factory):
    """The folder of a finished run."""
    run = tmp_path_factory.mktemp("runs") / "tiny"
    apnet.train(str(write_recipe(run.parent)), f"market1501={people_folder}", run, device="cpu")
    return run


@pytest.fixture
def it(people_folder, weights, model, pixels, crops, trained, many, tmp_path):
    embeddings = dataclasses.replace(
        model.embed(pixels), pids=np.array([1, 1, 2, 2]), camids=np.array([0, 1, 0, 1])
    )
    apnet.save_features(tmp_path / "features.npz", embeddings)
    table = apnet.calibrate(model, many)
    apnet.calibration.save_calibration(table, tmp_path / "calibration.json")
    return Things(
        people_folder,
        apnet.load_dataset("market1501", people_folder),
        weights,
        model,
        pixels,
        crops,
        embeddings,
        tmp_path / "features.npz",
        write_recipe(tmp_path),
        trained,
        tmp_path / "out",
        many,
        table,
        tmp_path / "calibration.json",
    )


def write_recipe(folder: Path) -> Path:
    path = folder / "recipe.toml"
    path.write_text(
        'epochs = 1\nweights = "random"\nprecision = "float32"\n'
        '[network]\nbackbone = "resnet10t"\nimage_size = [32, 16]\nreduction = 4\n'
        "[network.backbone_options]\nchannels = [8, 8, 16, 16]\nstem_width = 8\n"
        "[sampling]\nidentities_per_batch = 2\nimages_per_identity = 2\n"
        "[augmentation]\npad = 2\n"
    )
    return path


@pytest.mark.parametrize("call", [name for name, call in TAKES_PATHS.items() if call])
def test_paths(call, it, tmp_path):
    results = {}
    for form, of in PATHS.items():
        it.out = tmp_path / form
        it.out.mkdir()
        results[form] = TAKES_PATHS[call](of, it)
    first = results.pop("Path")
    assert all(result == first for result in results.values())


@pytest.mark.parametrize("call", TAKES_DEVICES)
def test_devices(call, it):
    first, *others = [TAKES_DEVICES[call](device, it) for device in DEVICES.values()]
    assert others == [first] * 2


@pytest.mark.parametrize("form", IMAGES)
@pytest.mark.parametrize("call", TAKES_IMAGES)
def test_images(call, form, it):
    expected = TAKES_IMAGES[call](it.pixels, it)
    assert TAKES_IMAGES[call](IMAGES[form](it), it) == expected


def test_every_public_function_is_in_a_table():
    tables = (*TAKES_PATHS, *TAKES_DEVICES, *TAKES_IMAGES)
    named = {name.split(",")[0] for name in tables} | TAKES_NEITHER | set(ELSEWHERE)
    functions = {name for name in apnet.__all__ if inspect.isfunction(getattr(apnet, name))}
    assert functions <= named, functions - named


WRONG_PATHS = {
    "load_dataset": lambda: apnet.load_dataset("market1501", 5),
    "load_dataset, name": lambda: apnet.load_dataset(5, "people"),
    "check_dataset": lambda: apnet.check_dataset("market1501", None),
    "load_model": lambda: apnet.load_model(5),
    "load_checkpoint": lambda: apnet.load_checkpoint(5),
    "load_features": lambda: apnet.load_features(5),
    "save_features": lambda: apnet.save_features(5, None),
    "load_recipe": lambda: apnet.load_recipe(5),
    "train, recipe": lambda: apnet.train(5, "market1501=people", "run"),
    "train, data": lambda: apnet.train("paper-c", 5, "run"),
    "train, out": lambda: apnet.train("paper-c", apnet.ReidDataset("x", Path(), (), (), ()), 5),
    "resume_run": lambda: apnet.resume_run(5),
    "RunFolder": lambda: apnet.RunFolder(5),
    "evaluate, subject": lambda: apnet.evaluate(5, "market1501=people"),
    "embed": lambda: apnet.embed(5, "who.jpg"),
    "search": lambda: apnet.search(5, "who.jpg", "crops"),
    "explain": lambda: apnet.explain(5, "who.jpg"),
    "plot_ranks": lambda: apnet.plot_ranks(5, "market1501=people"),
}


@pytest.mark.parametrize("call", WRONG_PATHS)
def test_a_number_is_no_path(call):
    with pytest.raises(TypeError, match=r"(?s)got .*|takes") as caught:
        WRONG_PATHS[call]()
    assert "5" in str(caught.value) or "NoneType" in str(caught.value)


@pytest.mark.parametrize("call", TAKES_DEVICES)
def test_a_device_that_is_not_there(call, it):
    for device in ("cuda:77", "meta-physical", ""):
        with pytest.raises(apnet.ApnetError, match="device"):
            TAKES_DEVICES[call](device, it)
    with pytest.raises(TypeError, match=r"torch\.device"):
        TAKES_DEVICES[call](7, it)
