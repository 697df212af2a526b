"""Tables as spreadsheets, data frames and editors write them."""

import csv
import io

import pytest

from apnet.data import load_dataset
from apnet.data.image_paths import list_images
from apnet.errors import DataError

ROWS = [
    ("imgs/a/1.jpg", "3", "1", "train"),
    ("imgs/a/2.jpg", "7", "1", "query"),
    ("imgs/b/3.jpg", "7", "2", "gallery"),
]
NAMES = ("path", "pid", "camid", "split")


@pytest.fixture
def written(touch, tmp_path):
    """Returns a function that writes a table beside the images that ``ROWS`` names."""
    touch(tmp_path, [path for path, *_ in ROWS])

    def write(content, name="people.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def text_of(rows=ROWS, names=NAMES, **style):
    out = io.StringIO()
    csv.writer(out, **style).writerows([names, *rows])
    return out.getvalue()


def read(path):
    dataset = load_dataset("csv", path)
    records = (*dataset.train, *dataset.query, *dataset.gallery)
    return [(record.path.name, record.pid, record.camid) for record in records]


AS_WRITTEN = [("1.jpg", 3, 1), ("2.jpg", 7, 1), ("3.jpg", 7, 2)]


def with_rows(change):
    return text_of([change(row) for row in ROWS])


FORMS = {
    "byte order mark": b"\xef\xbb\xbf" + text_of().encode(),
    "Unix": text_of(lineterminator="\n"),
    "all quoted": text_of(quoting=csv.QUOTE_ALL),
    "floats": with_rows(lambda row: (row[0], f"{row[1]}.0", f"{row[2]}.00", row[3])),
    "plus": with_rows(lambda row: (row[0], f"+{row[1]}", row[2], row[3])),
    "capitals": text_of(names=("Path", "PID", "CamID", "Split")),
    "blanks": text_of(names=(" path", "pid ", " camid ", "split")).replace(",train", ", train "),
    "index": text_of([(n, *row) for n, row in enumerate(ROWS)], ("", *NAMES)),
    "two indices": text_of([(n, n, *row) for n, row in enumerate(ROWS)], ("", "", *NAMES)),
    "further columns": text_of([(*row, "x") for row in ROWS], (*NAMES, "note")),
    "empty rows": text_of([ROWS[0], ("", " ", "", ""), *ROWS[1:], ("",) * 4]) + "\n\n",
    "Windows paths": with_rows(lambda row: (row[0].replace("/", "\\"), *row[1:])),
    "mixed paths": with_rows(lambda row: (row[0].replace("/", "\\", 1), *row[1:])),
    "quoted line end": text_of([(*row, "a\nb") for row in ROWS], (*NAMES, "note")),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_that_mean_the_same(written, form):
    assert read(written(FORMS[form])) == AS_WRITTEN


@pytest.mark.parametrize(("separator", "told"), [(";", "';'"), ("\t", "tabs")])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_other_separators_are_noted(written, separator, told, mark):
    path = written(mark + text_of(delimiter=separator).encode())
    assert read(path) == AS_WRITTEN
    assert f"people.csv: its cells are separated by {told}" in load_dataset("csv", path).notes


def test_a_backslash_in_a_name_is_kept(written, touch, tmp_path):
    touch(tmp_path, ["imgs\\a\\1.jpg"])
    path = written(FORMS["Windows paths"])
    assert load_dataset("csv", path).train[0].path == tmp_path / "imgs\\a\\1.jpg"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "an empty file; expected a CSV file"),
        (b"\xef\xbb\xbf\r\n", "an empty file"),
        (text_of([]), "no rows below its header"),
        (text_of().encode("utf-16"), "byte 0 is no UTF-8 text; save the file as UTF-8"),
        (text_of().encode("utf-16-le"), "NUL characters, as UTF-16 does; save the file as UTF-8"),
        (text_of().replace("a/1", "\xe9/1").encode("latin-1"), "save the file as UTF-8"),
        (text_of().replace("a/1", "a\0/1"), "NUL characters"),
        (
            text_of(delimiter="|"),
            "its header lacks path, pid, split, it has 'path|pid|camid|split'",
        ),
        (text_of(names=("file", "id", "cam", "set")), "it has 'file', 'id', 'cam', 'set'"),
        (text_of(names=("path", "pid", "pid", "split")), "has the column 'pid' twice"),
        (text_of(names=("path", "Path", "pid", "split")), "has the column 'path' twice"),
        (text_of().replace("imgs/a/1", "x" * 5000), "line 2: the cell 'path' has more than 4,096"),
        (text_of().replace("imgs/a/1", "x" * 300), "line 2: .* too long for the file system"),
        (
            text_of().replace("imgs/a/1", "x" * 200_000),
            "line 2: no UTF-8 CSV row .field larger than field limit",
        ),
        (text_of().replace("imgs/a/1.jpg", '"a\nb.jpg"'), r"the first is .*a\\nb\.jpg"),
        ('path,pid,split\n"a/1.jpg"x,1,train\n', "line 2: no UTF-8 CSV row"),
        ('path,pid,split\n"a/1.jpg,1,train\n', "line 2: no UTF-8 CSV row"),
    ],
)
def test_what_is_no_table(written, content, says):
    with pytest.raises(DataError, match=says) as caught:
        load_dataset("csv", written(content))
    message = str(caught.value).replace(str(caught.value).split(": ")[0], "")
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize("value", ["3.5", "1.5e+16", "1e+16", ".5", "-0.25", "٣", "３"])
@pytest.mark.parametrize("column", ["pid", "camid"])
def test_numbers_that_are_no_ids(written, value, column):
    place = NAMES.index(column)
    rows = [ROWS[0], (*ROWS[1][:place], value, *ROWS[1][place + 1 :]), ROWS[2]]
    with pytest.raises(DataError, match=rf"line 3: {column} is '.*'; use a whole number"):
        load_dataset("csv", written(text_of(rows)))


@pytest.mark.parametrize(
    "value", [str(2**31), "9" * 30, "9" * 4000, "4294967296.0", "-" + "9" * 30]
)
@pytest.mark.parametrize("column", ["pid", "camid"])
def test_numbers_have_a_limit(written, value, column):
    place = NAMES.index(column)
    rows = [ROWS[0], (*ROWS[1][:place], value, *ROWS[1][place + 1 :]), ROWS[2]]
    with pytest.raises(DataError, match=rf"line 3: {column} .* is more than 2,147,483,647"):
        load_dataset("csv", written(text_of(rows)))


@pytest.mark.parametrize("value", [str(2**31 - 1), "0" * 3000 + "5", "-0", "0.0"])
def test_numbers_within_the_limit(written, value):
    rows = [(ROWS[0][0], value, *ROWS[0][2:]), *ROWS[1:]]
    assert read(written(text_of(rows)))[0][1] == abs(int(float(value)))


@pytest.mark.parametrize("name", ["people.xlsx", "people.XLS", "people.ods"])
def test_spreadsheets_are_to_be_exported(written, name):
    with pytest.raises(DataError, match="a spreadsheet; export it as CSV"):
        load_dataset("csv", written(b"PK\3\4", name))


@pytest.mark.parametrize("other", ["._people.csv", ".people.csv", "people.txt"])
def test_the_one_table_of_a_folder(written, other, tmp_path):
    written(text_of())
    written(b"\0", other)
    assert read(tmp_path) == AS_WRITTEN


def test_a_list_of_images_reads_the_same_forms(written):
    path = written(text_of(delimiter=";"))
    found = list_images([path])
    assert len(found.gallery) == 3
    assert any("';'" in note for note in found.notes)
