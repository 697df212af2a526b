import os

import numpy as np
import pytest
from PIL import Image

from apnet.data import load_dataset
from apnet.errors import DataError, MissingExtraError

NP = [
    "bounding_box_train/0001_c1_1.png",
    "query/0003_c1_22.png",
    "bounding_box_test/0003_c2_26.png",
]
NAMES = ["1_001_1_01.png", "1_001_2_06.png", "1_002_1_02.png", "5_001_2_10.png", "1_002_2_07.png"]
LABELS, CAMERAS = [1, 1, 2, 3, 2], [1, 2, 1, 2, 2]
SPLITS = {"train": [1, 2], "query": [3], "gallery": [4, 5]}


def cells(records):
    return [(record.path.name, record.pid, record.camid) for record in records]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("inside", ["labeled", "cuhk03-np/labeled"])
def test_np_folder(touch, tmp_path, suffix, inside):
    names = [name.replace(".png", suffix) for name in NP]
    base = touch(tmp_path / inside, names)
    dataset = load_dataset("cuhk03np-labeled", tmp_path)
    assert cells(dataset.query) == [(f"0003_c1_22{suffix}", 3, 1)]
    assert load_dataset("cuhk03np-labeled", base) == dataset
    with pytest.raises(DataError, match="CUHK03-NP's folder detected"):
        load_dataset("cuhk03np-detected", tmp_path)


def test_one_edition_is_not_taken_for_the_other(touch, tmp_path):
    touch(tmp_path / "labeled", NP)
    with pytest.raises(DataError, match="CUHK03-NP's folder detected"):
        load_dataset("cuhk03np-detected", tmp_path / "labeled")


def pixels_of(name):
    height, width = 12 + int(name[2:5]), 6  # differs from person to person, and is not square
    return np.random.default_rng(int(name[8:10])).integers(0, 256, (height, width, 3), np.uint8)


def write_protocol(path, names=NAMES, splits=SPLITS, labels=LABELS):
    scipy_io = pytest.importorskip("scipy.io")
    cells = np.empty((len(names), 1), dtype=object)
    cells[:, 0] = names
    content = {"filelist": cells, "labels": np.array([labels]).T, "camId": np.array([CAMERAS]).T}
    content |= {f"{split}_idx": np.array([rows]).T for split, rows in splits.items()}
    scipy_io.savemat(path, content)


def write_archive(path, names=NAMES, edition="labeled"):
    """An HDF5 file laid out as MATLAB 7.3 lays out the release."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as opened:
        empty = opened.create_dataset("#refs#/empty", data=np.zeros(2, np.uint64))
        pairs = opened.create_dataset(edition, (1, 5), dtype=h5py.ref_dtype)
        for pair in range(5):
            table = opened.create_dataset(f"#refs#/pair{pair}", (10, 2), dtype=h5py.ref_dtype)
            for column, person in np.ndindex(10, 2):
                table[column, person] = empty.ref
            pairs[0, pair] = table.ref
        for name in names:
            image = opened.create_dataset(f"#refs#/{name}", data=pixels_of(name).transpose(2, 1, 0))
            table = opened[pairs[0, int(name[0]) - 1]]
            table[int(name[8:10]) - 1, int(name[2:5]) - 1] = image.ref


@pytest.fixture(params=["", "cuhk03_release"], ids=["side by side", "inner folder"])
def release(request, tmp_path):
    archive = tmp_path / request.param / "cuhk-03.mat"
    archive.parent.mkdir(exist_ok=True)
    write_archive(archive)
    write_protocol(tmp_path / "cuhk03_new_protocol_config_labeled.mat")
    return archive


def test_release_is_extracted_once(release, tmp_path):
    dataset = load_dataset("cuhk03np-labeled", tmp_path)
    assert cells(dataset.train) == [("1_001_1_01.png", 1, 1), ("1_001_2_06.png", 1, 2)]
    assert cells(dataset.query) == [("1_002_1_02.png", 2, 1)]
    assert cells(dataset.gallery) == [("5_001_2_10.png", 3, 2), ("1_002_2_07.png", 2, 2)]
    for record in (*dataset.train, *dataset.query, *dataset.gallery):
        assert np.array_equal(np.asarray(Image.open(record.path)), pixels_of(record.path.name))
    assert "images extracted from cuhk-03.mat into images_labeled" in dataset.notes
    release.unlink()
    assert load_dataset("cuhk03np-labeled", tmp_path) == dataset
    assert load_dataset("cuhk03np-labeled", dataset.root) == dataset


def test_the_inner_folder_will_do(release, tmp_path):
    assert len(load_dataset("cuhk03np-labeled", release.parent).train) == 2


def test_an_interrupted_extraction_leaves_nothing(release, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            load_dataset("cuhk03np-labeled", tmp_path)
    assert not [path for path in tmp_path.iterdir() if "images" in path.name]
    assert len(load_dataset("cuhk03np-labeled", tmp_path).train) == 2


def test_another_process_may_be_faster(release, tmp_path, monkeypatch):
    save = Image.Image.save

    def save_and_overtake(image, path):
        save(image, path)
        other = tmp_path / "images_labeled"
        other.mkdir(exist_ok=True)
        save(image, other / path.name)

    monkeypatch.setattr(Image.Image, "save", save_and_overtake)
    assert len(load_dataset("cuhk03np-labeled", tmp_path).train) == 2
    assert [path.name for path in tmp_path.iterdir() if "images" in path.name] == ["images_labeled"]


def test_missing_extracted_images(release, tmp_path):
    load_dataset("cuhk03np-labeled", tmp_path)
    (tmp_path / "images_labeled" / NAMES[0]).unlink()
    with pytest.raises(DataError, match="delete this folder"):
        load_dataset("cuhk03np-labeled", tmp_path)


def test_an_absent_image_is_an_error(tmp_path):
    write_archive(tmp_path / "cuhk-03.mat", NAMES[:-1])
    write_protocol(tmp_path / "cuhk03_new_protocol_config_labeled.mat")
    with pytest.raises(DataError, match=r"no image where 1_002_2_07\.png should be"):
        load_dataset("cuhk03np-labeled", tmp_path)


def test_damaged_files(tmp_path):
    protocol = tmp_path / "cuhk03_new_protocol_config_labeled.mat"
    (tmp_path / "cuhk-03.mat").write_bytes(b"no HDF5")
    write_protocol(protocol)
    with pytest.raises(DataError, match="cannot be extracted"):
        load_dataset("cuhk03np-labeled", tmp_path)
    whole = protocol.read_bytes()
    protocol.write_bytes(whole[:150])
    with pytest.raises(DataError, match="cannot be read as the CUHK03 new protocol"):
        load_dataset("cuhk03np-labeled", tmp_path)


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["../../x_1_01.png", *NAMES[1:]], SPLITS),
        (NAMES, SPLITS | {"query": [6]}),
        (NAMES, SPLITS | {"query": [0]}),
        (NAMES[:-1], SPLITS | {"gallery": [4]}),
    ],
)
def test_a_protocol_that_does_not_fit(tmp_path, names, splits):
    (tmp_path / "cuhk-03.mat").touch()
    write_protocol(tmp_path / "cuhk03_new_protocol_config_labeled.mat", names, splits)
    with pytest.raises(DataError, match="do not fit"):
        load_dataset("cuhk03np-labeled", tmp_path)


def test_a_missing_extra_is_named(release, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"apnet-reid\[cuhk03\]"):
        load_dataset("cuhk03np-labeled", tmp_path)


@pytest.mark.parametrize("label", [-1, 2**31, 2**40])
def test_labels_out_of_range(release, tmp_path, label):
    path = tmp_path / "cuhk03_new_protocol_config_labeled.mat"
    write_protocol(path, labels=[label, *LABELS[1:]])
    with pytest.raises(DataError, match="its file list, labels and splits do not fit"):
        load_dataset("cuhk03np-labeled", tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="special files of POSIX")
@pytest.mark.parametrize("target", ["/dev/zero", "cuhk03_new_protocol_config_labeled.mat", None])
def test_a_protocol_that_is_no_file(release, tmp_path, target):
    path = tmp_path / "cuhk03_new_protocol_config_labeled.mat"
    path.unlink()
    os.mkfifo(path) if target is None else path.symlink_to(target)
    with pytest.raises(DataError, match=r"_labeled\.mat: .*(a device|circle|a pipe)"):
        load_dataset("cuhk03np-labeled", tmp_path)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_protocols_are_read_or_told(tmp_path, seed):
    write_archive(tmp_path / "cuhk-03.mat")
    protocol = tmp_path / "cuhk03_new_protocol_config_labeled.mat"
    write_protocol(protocol)
    content = bytearray(protocol.read_bytes())
    random = np.random.default_rng(seed)
    for place in random.integers(128, len(content), random.integers(1, 12)):
        content[place] = random.integers(256)
    protocol.write_bytes(content[: random.integers(100, 2 * len(content))])
    told, pids = f"{tmp_path}", [0]
    try:
        pids = [record.pid for record in load_dataset("cuhk03np-labeled", tmp_path).train]
    except DataError as error:
        told = str(error)
    assert told.startswith(str(tmp_path))
    assert "\n" not in told
    assert all(pid >= 0 for pid in pids)
