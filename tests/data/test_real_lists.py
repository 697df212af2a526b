"""The published counts, from folders with the real file names; these need the lists."""

import gzip

import numpy as np
import pytest

from apnet.data import PUBLISHED, SplitCounts, check_dataset, counts_of, load_dataset
from apnet.data.benchmarks import cuhk03np, dukemtmcreid, market1501
from apnet.data.benchmarks.msmt17 import read_list
from apnet.data.listing import bare_name
from apnet.data.published import SPLITS
from apnet.types import JUNK_PID

pytestmark = [
    pytest.mark.shared,
    pytest.mark.filterwarnings("ignore::apnet.data.WithdrawnDataWarning"),
]


@pytest.fixture
def lines(shared):
    def read(name):
        path = shared / "lists" / name
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        return [line for line in text.splitlines() if line.strip()]

    return read


def assert_published(name, root):
    dataset = load_dataset(name, root)
    assert counts_of(dataset) == PUBLISHED[name]
    assert not any("published" in note for note in dataset.notes)
    assert load_dataset(name, dataset.root) == dataset
    return dataset


def splits_of(name, lines):
    """The names of the images in train, query and gallery, as the lists have them."""
    if name == "occluded-duke":
        parts = ("train.list.gz", "query.list", "gallery.list.gz")
        return [lines(f"occluded_duke_{part}") for part in parts]
    if name.startswith("cuhk03np"):
        rows = [line.split("\t") for line in lines(f"derived_{name.replace('np-', '_np_')}.tsv.gz")]
        return [[row[5] for row in rows if row[1] == split] for split in SPLITS]
    parts = ("train.csv.gz", "query.csv", "test.csv.gz")
    return [[line.split("/")[1] for line in lines(f"{name}_{part}")] for part in parts]


GRAMMARS = {
    "market1501": market1501.GRAMMAR,
    "dukemtmcreid": dukemtmcreid.GRAMMAR,
    "occluded-duke": dukemtmcreid.GRAMMAR,
    "cuhk03np-labeled": cuhk03np.GRAMMAR,
    "cuhk03np-detected": cuhk03np.GRAMMAR,
}


@pytest.mark.parametrize("name", GRAMMARS)
def test_the_grammar_reads_every_name(lines, name):
    for split, names in zip(SPLITS, splits_of(name, lines), strict=True):
        matches = [GRAMMARS[name].fullmatch(bare_name(each)) for each in names]
        people = [(int(match["pid"]), int(match["camid"])) for match in matches]
        used = [(pid, camid) for pid, camid in people if pid != JUNK_PID]
        assert (
            SplitCounts(
                ids=len({pid for pid, _ in used}),
                images=len(used),
                cameras=len({camid for _, camid in used}),
            )
            == PUBLISHED[name][split]
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", GRAMMARS)
def test_folders_of_real_names(lines, touch, tmp_path, name):
    base = tmp_path / name.removeprefix("cuhk03np-")
    base = base if name.startswith("cuhk03np") else tmp_path
    folders = ("bounding_box_train", "query", "bounding_box_test")
    for folder, names in zip(folders, splits_of(name, lines), strict=True):
        touch(base / folder, names)
    dataset = assert_published(name, tmp_path)
    check = check_dataset(name, tmp_path, decode=False)
    assert check.problems() == []
    assert check.one_camera_train == ((1351,) if name == "cuhk03np-labeled" else ())
    assert check.unanswerable_queries == ()
    if name == "market1501":
        assert "bounding_box_test: 3,819 junk images (pid -1) left out" in dataset.notes
        assert sum(record.pid == 0 for record in dataset.gallery) == 2798
    if name == "occluded-duke":
        query, gallery = (
            {record.path.name for record in split} for split in (dataset.query, dataset.gallery)
        )
        assert len(query & gallery) == 1870


@pytest.mark.slow
@pytest.mark.parametrize("edition", ["labeled", "detected"])
def test_cuhk03_release(shared, tmp_path, edition):
    h5py, scipy_io = pytest.importorskip("h5py"), pytest.importorskip("scipy.io")
    protocol = f"cuhk03_new_protocol_config_{edition}.mat"
    (tmp_path / protocol).write_bytes((shared / "lists" / protocol).read_bytes())
    names = [str(cell.item()) for cell in scipy_io.loadmat(tmp_path / protocol)["filelist"].ravel()]
    (tmp_path / "cuhk03_release").mkdir()
    write_release(h5py, tmp_path / "cuhk03_release" / "cuhk-03.mat", edition, names)
    assert_published(f"cuhk03np-{edition}", tmp_path)


def write_release(h5py, path, edition, names):
    """Writes the release's structure, with one tiny image that all references point to."""
    people = (843, 440, 77, 58, 49)
    with h5py.File(path, "w") as opened:
        image = opened.create_dataset("#refs#/image", data=np.zeros((3, 2, 4), np.uint8))
        empty = opened.create_dataset("#refs#/empty", data=np.zeros(2, np.uint64))
        tables = [np.full((10, count), empty.ref, dtype=h5py.ref_dtype) for count in people]
        for name in names:
            tables[int(name[0]) - 1][int(name[8:10]) - 1, int(name[2:5]) - 1] = image.ref
        pairs = opened.create_dataset(edition, (1, 5), dtype=h5py.ref_dtype)
        for pair, table in enumerate(tables):
            pairs[0, pair] = opened.create_dataset(f"#refs#/{pair}", data=table).ref


@pytest.mark.parametrize(
    ("split", "count"), [("train", 30_248), ("val", 2_373), ("query", 11_659), ("gallery", 82_161)]
)
def test_msmt17_lists(lines, tmp_path, split, count):
    path = tmp_path / f"list_{split}.txt"
    path.write_text("\n".join(lines(f"msmt17_v1_list_{split}.txt" + ".gz" * (split != "val"))))
    records = read_list(path)
    assert len(records) == count
    assert {record.camid for record in records.values()} == set(range(1, 16))


@pytest.mark.slow
def test_msmt17_release(lines, touch, tmp_path):
    for split, half, packed in (
        ("train", "train", ".gz"),
        ("val", "train", ""),
        ("query", "test", ".gz"),
        ("gallery", "test", ".gz"),
    ):
        rows = lines(f"msmt17_v1_list_{split}.txt{packed}")
        (tmp_path / f"list_{split}.txt").write_text("\n".join(rows) + "\n")
        touch(tmp_path / half, (row.split()[0] for row in rows))
    assert_published("msmt17", tmp_path)
    assert_published("msmt17-noval", tmp_path)


@pytest.mark.slow
def test_msmt17_repacked_train(lines, touch, tmp_path):
    names = [row.split()[0] for row in lines("msmt17_repacked_trainval.txt.gz")]
    touch(tmp_path / "bounding_box_train", names)
    touch(tmp_path, ["query/0000_c15_0001.jpg", "bounding_box_test/0000_c2_0001.jpg"])
    dataset = load_dataset("msmt17", tmp_path)
    assert counts_of(dataset)["train"] == PUBLISHED["msmt17"]["train"]


def test_rendered_crops_load_as_market1501(shared):
    check = check_dataset("market1501", shared / "data" / "multiviewx")
    assert check.problems() == []
    assert sum(check.counts[split].images for split in ("train", "query", "gallery")) == 732
    assert check.counts["gallery"].cameras == 6
