import pytest

from apnet.data import load_dataset
from apnet.data.identity_numbers import cameras_in, number_names
from apnet.errors import DataError
from apnet.types import NO_CAMERA


def people(count, images=("c1_0.jpg", "c1_1.jpg", "c2_0.jpg", "c2_1.jpg")):
    return [f"person {number}/{image}" for number in range(count) for image in images]


def test_names_that_are_integers_keep_their_value():
    assert number_names(["0007", "12", "0007"]) == {"0007": 7, "12": 12}
    assert number_names(["7", "007"]) == {"007": 0, "7": 1}
    assert number_names(["bob", "12", "ann"]) == {"12": 0, "ann": 1, "bob": 2}
    assert number_names([]) == {}


@pytest.mark.parametrize(
    ("name", "camid"),
    [
        ("c3.jpg", 3),
        ("0002_c1s1_000451_03.jpg", 1),
        ("bob-cam12-001.png", 12),
        ("C07 bob.jpg", 7),
        ("pic3.jpg", NO_CAMERA),
        ("c3po.jpg", NO_CAMERA),
        ("abc1.jpg", NO_CAMERA),
    ],
)
def test_camera_in_a_file_name(name, camid):
    assert cameras_in([name]).camids == (camid,)


def test_half_known_cameras_are_unknown():
    cameras = cameras_in(["c1_0.jpg", "1.jpg"])
    assert cameras.camids == (NO_CAMERA, NO_CAMERA)
    assert "only 1 of 2" in cameras.note


def test_split_folders(touch, tmp_path):
    names = ["train/ann/1.jpg", "query/bob/1.jpg", "gallery/bob/2.jpg", "gallery/cy/1.JPEG"]
    dataset = load_dataset("folder", touch(tmp_path, names))
    assert [record.pid for record in (*dataset.train, *dataset.query, *dataset.gallery)] == [
        *(0, 1, 1, 2)
    ]
    assert dataset.camera_less
    assert any("no cameras in the file names" in note for note in dataset.notes)
    assert load_dataset("folder", tmp_path / "query") == dataset


def test_people_are_split_disjointly_and_can_be_found(touch, tmp_path):
    dataset = load_dataset("folder", touch(tmp_path, people(9)))
    train, query, gallery = (
        {record.pid for record in records}
        for records in (dataset.train, dataset.query, dataset.gallery)
    )
    assert query == gallery
    assert not train & query
    assert [len(train), len(query)] == [5, 4]
    assert len(dataset.query) == 8  # a query of each camera
    for asked in dataset.query:
        assert any(
            found.pid == asked.pid and found.camid != asked.camid for found in dataset.gallery
        )
    records = (*dataset.train, *dataset.query, *dataset.gallery)
    assert len({record.path for record in records}) == len(records) == 36
    assert any("4 of 9 persons set aside" in note for note in dataset.notes)
    assert load_dataset("folder", tmp_path) == dataset


def test_the_split_follows_from_names_alone(touch, tmp_path):
    one = load_dataset("folder", touch(tmp_path / "a", people(9)))
    other = load_dataset("folder", touch(tmp_path / "b", people(9)))
    assert [record.pid for record in one.query] == [record.pid for record in other.query]


@pytest.mark.parametrize(
    "images", [("c1_0.jpg", "c2_0.jpg"), ("c1_0.jpg", "c1_1.jpg", "c2_0.jpg"), ("a.jpg", "b.jpg")]
)
def test_few_images_of_a_person(touch, tmp_path, images):
    dataset = load_dataset("folder", touch(tmp_path, people(4, images)))
    for asked in dataset.query:
        assert any(
            found.pid == asked.pid and (found.camid != asked.camid or dataset.camera_less)
            for found in dataset.gallery
        )
    assert len(dataset.query) + len(dataset.gallery) == 2 * len(images)


def test_people_who_cannot_be_found_are_trained_on(touch, tmp_path):
    names = [*people(4), *(f"single {number}/c1_0.jpg" for number in range(5))]
    dataset = load_dataset("folder", touch(tmp_path, names))
    tested = {record.path.parent.name for record in (*dataset.query, *dataset.gallery)}
    assert not any(name.startswith("single") for name in tested)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (people(1), "1 of 1 persons have two images"),
        (people(3, ["c1_0.jpg", "c1_1.jpg"]), "0 of 3 persons"),
        (["1.jpg"], "a folder per person"),
        (["ann/notes.txt"], "a folder per person"),
        (["train/ann/1.jpg", "test/ann/2.jpg"], "query and gallery"),
        ([*people(4), "loose.jpg"], r"1 image names.*loose\.jpg"),
        (["query/1.jpg", "gallery/ann/1.jpg"], "1 image names"),
    ],
)
def test_what_is_no_folder_of_people(touch, tmp_path, names, says):
    with pytest.raises(DataError, match=says):
        load_dataset("folder", touch(tmp_path, names))


TABLE = """path,pid,camid,split
a/1.jpg,ann,door,train
a/2.jpg,bob,door,query
a/3.jpg,bob,hall,gallery
a/4.jpg,-1,hall,gallery
"""


@pytest.fixture
def table(touch, tmp_path):
    def write(text):
        touch(tmp_path, (f"a/{number}.jpg" for number in range(1, 5)))
        path = tmp_path / "people.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_table(table, tmp_path):
    path = table(TABLE)
    dataset = load_dataset("csv", path)
    assert [(record.pid, record.camid) for record in dataset.train] == [(0, 0)]
    assert [(record.pid, record.camid) for record in dataset.query] == [(1, 0)]
    assert [(record.pid, record.camid) for record in dataset.gallery] == [(1, 1)]
    assert dataset.query[0].path == tmp_path / "a" / "2.jpg"
    assert "1 junk images (pid -1) left out" in dataset.notes
    assert load_dataset("csv", tmp_path) == dataset
    (tmp_path / "other.csv").touch()
    assert load_dataset("csv", dataset.root) == dataset
    with pytest.raises(DataError, match=r"found other\.csv, people\.csv"):
        load_dataset("csv", tmp_path)


def test_table_without_cameras_and_with_byte_order_mark(table):
    dataset = load_dataset(
        "csv", table("\ufeffsplit,pid,path\r\nquery,0007,a/1.jpg\r\ngallery,0007,a/2.jpg\r\n")
    )
    assert dataset.camera_less
    assert dataset.query[0].pid == 7


def test_numbers_that_a_data_frame_wrote_as_floats(table):
    lines = ["a/1.jpg,3,1.0,train", "a/2.jpg,3.0,2,train", "a/3.jpg,7.,1,query"]
    dataset = load_dataset(
        "csv", table("\n".join([HEAD.strip(), *lines, "a/4.jpg,7.0,2.00,gallery"]))
    )
    records = (*dataset.train, *dataset.query, *dataset.gallery)
    assert [(record.pid, record.camid) for record in records] == [(3, 1), (3, 2), (7, 1), (7, 2)]


def test_junk_that_a_data_frame_wrote_as_float(table):
    dataset = load_dataset("csv", table(TABLE.replace("-1", "-1.0")))
    assert [record.pid for record in dataset.gallery] == [1]
    assert "1 junk images (pid -1) left out" in dataset.notes


def test_camera_minus_one_is_unknown(table):
    lines = [f"a/{n}.jpg,1,-1,{split}" for n, split in enumerate(("query", "gallery"), start=1)]
    assert load_dataset("csv", table("\n".join([HEAD.strip(), *lines]))).camera_less


HEAD = "path,pid,camid,split\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "an empty file"),
        (HEAD, "no rows below its header"),
        (HEAD + ",,,\n", "no rows below its header"),
        (HEAD + "a/1.jpg,-1,1,query\n", "all of its images are junk"),
        ("path,pid\na/1.jpg,1\n", "lacks split"),
        (HEAD + "a/1.jpg,1,1,test\n", "line 2: split 'test' is none of train, query, gallery"),
        (HEAD + "a/1.jpg,,1,train\n", "line 2: the cell 'pid' is empty"),
        (HEAD + "a/1.jpg,1,1\n", "line 2: more or fewer cells"),
        (HEAD + "a/1.jpg,1,1,query,5\n", "line 2: more or fewer cells"),
        (HEAD + "a/1.jpg,1,1,query\na/2.jpg,1,,gallery\n", "1 of 2 rows have no camid"),
        (HEAD + "a/1.jpg,1,1,query\na/1.jpg,1,2,query\n", "in split 'query' 2 times"),
        (HEAD + "a/1.jpg,1,1,query\na/9.jpg,1,2,gallery\n", r"1 of its images.*9\.jpg"),
        (HEAD + "a/1.jpg,1,1,query\n", "no gallery images"),
        (HEAD + "a/1.jpg,1,1,query\na/2.jpg,nan,1,gallery\n", "line 3: pid is 'nan', which stands"),
        (HEAD + "a/1.jpg,1,NaN,query\n", "line 2: camid is 'NaN', which stands for a missing"),
        (HEAD + "a/1.jpg,-2.0,1,query\n", r"line 2: pid is -2\.0; use a number of 0 or more"),
        (HEAD + "a/1.jpg,1,-7,query\n", r"line 2: camid is -7; .* or -1 \(unknown\)"),
        (HEAD + "a/1.jpg,1,1,query\na/2.jpg,1,-1,gallery\n", r"1 of 2 rows .*empty or -1"),
        (b"path,pid,split\n\xff\xfe,1,train\n", "UTF-8"),
        ('path,pid,split\n"a/1.jpg"x,1,train\n', "UTF-8 CSV"),
    ],
)
def test_bad_tables(table, text, says):
    with pytest.raises(DataError, match=says):
        load_dataset("csv", table(text))


def test_no_table(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        load_dataset("csv", tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="found none"):
        load_dataset("csv", tmp_path)
