"""Bad inputs of the drill for galleries, calibrations and comparisons."""

from drill_inputs import Commands

_GALLERY = ("run", "g.gallery")
_NETWORK = ("--checkpoint", "run", "--device", "cpu")
_SEARCH = ("gallery", "search", "g.gallery", "a.png", *_NETWORK)
_ADD = ("gallery", "add", "g.gallery", "a.png", "--name", "zoe", *_NETWORK)
_COMPARE = ("compare", "a.png", "a.jpg", *_NETWORK)
_CALIBRATE = ("calibrate", "run", "--data", "synthetic=town", "--device", "cpu")
_CREATE = ("gallery", "create", "new.gallery")
_ASSIGN = ("gallery", "assign", "g.gallery", "crops.csv", *_NETWORK)
_NUMBERS = ("-2", "x", "", "nan", "1e9", "9" * 30, "inf", "\u0663")
_RATES = (*_NUMBERS, "0", "1", "1e-12")
_NAMES = ("", "x" * 10_000, "a\x1b[31mb", "a\nb", "nobody", "\udcff")
_PERIODS = ("x", "", "-1d", "0d", "30", "9" * 30 + "d", "nand")
_TIMES = ("x", "", "2026-11-26", "2026-11-26T08:00:00", "9999999999999", "nan", "26.11.2026")

READERS: dict[str, Commands] = {
    "g.gallery": (
        (_SEARCH, (*_GALLERY, "a.png")),
        (_ADD, (*_GALLERY, "a.png")),
        (("gallery", "list", "g.gallery"), ("g.gallery",)),
        (("gallery", "erase", "g.gallery", "5", "--yes"), ("g.gallery",)),
        (("gallery", "verify", "g.gallery"), ("g.gallery",)),
    ),
    "calibration.json": (
        (
            (*_COMPARE, "--calibration", "calibration.json"),
            ("run", "a.png", "a.jpg", "calibration.json"),
        ),
        ((*_SEARCH, "--calibration", "calibration.json"), (*_GALLERY, "a.png", "calibration.json")),
    ),
    "people.npz": (
        (("gallery", "import", "g.gallery", "people.npz"), ("g.gallery", "people.npz")),
        (("gallery", "add", "g.gallery", "people.npz"), ("g.gallery", "people.npz")),
    ),
    "crops.csv": ((_ASSIGN, (*_GALLERY, "crops.csv", "a.png", "a.jpg")),),
}

READ: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "gallery": (("gallery", "search", "{}", "a.png", *_NETWORK), ("run", "a.png")),
    "gallery list": (("gallery", "list", "{}"), ()),
    "gallery search": (("gallery", "search", "g.gallery", "{}", *_NETWORK), _GALLERY),
    "gallery add": (("gallery", "add", "g.gallery", "{}", *_NETWORK), _GALLERY),
    "gallery add csv": (("gallery", "add", "g.gallery", "{}.csv", *_NETWORK), _GALLERY),
    "gallery import": (("gallery", "import", "g.gallery", "{}"), ("g.gallery",)),
    "gallery assign": (("gallery", "assign", "g.gallery", "{}", *_NETWORK), _GALLERY),
    "gallery apply": (("gallery", "group", "g.gallery", "--apply", "{}"), ("g.gallery",)),
    "gallery checkpoint": (
        ("gallery", "search", "g.gallery", "a.png", "--checkpoint", "{}"),
        ("g.gallery", "a.png"),
    ),
    "compare": (("compare", "{}", "a.png", *_NETWORK), ("run", "a.png")),
    "compare calibration": ((*_COMPARE, "--calibration", "{}"), ("run", "a.png", "a.jpg")),
    "calibrate": (("calibrate", "{}", "--data", "market1501=market"), ("market",)),
    "calibrate data": (("calibrate", "run", "--data", "folder={}"), ("run",)),
}
WRITTEN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "gallery create": (("gallery", "create", "{}", "--checkpoint", "run"), ("run",)),
    "gallery export": (("gallery", "export", "g.gallery", "--out", "{}.npz"), ("g.gallery",)),
    "calibrate out": ((*_CALIBRATE, "--out", "{}"), ("run", "town")),
    "calibrate report": ((*_CALIBRATE, "--report", "{}.html"), ("run", "town")),
}

NEEDS = ("g.gallery", "crops.csv", "people.npz", "calibration.json", "a.jpg")

OPTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "search --fmr": ((*_SEARCH, "--fmr", "{}", "--calibration", "calibration.json"), _RATES),
    "search --threshold": ((*_SEARCH, "--threshold", "{}"), (*_NUMBERS, "1.5")),
    "search --by": ((*_SEARCH, "--by", "{}"), ("x", "", "BEST")),
    "gallery search --k": ((*_SEARCH, "--k", "{}"), (*_NUMBERS, "0")),
    "search --after": ((*_SEARCH, "--after", "{}"), _TIMES),
    "search --metadata": ((*_SEARCH, "--metadata", "{}"), ("x", "=", "", "=x")),
    "compare --fmr": ((*_COMPARE, "--fmr", "{}", "--calibration", "calibration.json"), _RATES),
    "compare --prior": (
        (*_COMPARE, "--prior", "{}", "--fmr", "0.1", "--calibration", "calibration.json"),
        (*_NUMBERS, "0", "1"),
    ),
    "add --name": (
        ("gallery", "add", "g.gallery", "a.png", *_NETWORK, "--name", "{}"),
        tuple(name for name in _NAMES if name != "nobody"),
    ),
    "add --time": ((*_ADD, "--time", "{}"), tuple(filter(None, _TIMES))),
    "add --metadata": ((*_ADD, "--metadata", "{}"), ("x", "=", "", "=x", "a=" + "x" * 100_000)),
    "add --camera": ((*_ADD, "--camera", "{}"), ("x" * 10_000, "a\nb", "\udcff")),
    "show NAME": (("gallery", "show", "g.gallery", "{}"), _NAMES),
    "rename A": (("gallery", "rename", "g.gallery", "{}", "new"), _NAMES),
    "rename B": (("gallery", "rename", "g.gallery", "5", "{}"), (*_NAMES[:4], "6")),
    "merge A": (("gallery", "merge", "g.gallery", "{}", "5"), (*_NAMES, "5")),
    "erase NAME": (("gallery", "erase", "g.gallery", "{}", "--yes"), _NAMES),
    "remove": (
        ("gallery", "remove", "g.gallery", "{}", "--yes"),
        ("-1", "x", "", "99999", "9" * 30),
    ),
    "create --keep": ((*_CREATE, "--keep", "{}"), _PERIODS),
    "create --features": ((*_CREATE, "--features", "{}"), (*_NUMBERS, "0")),
    "assign --known": ((*_ASSIGN, "--known", "{}"), (*_NUMBERS, "1.5")),
    "group --threshold": (
        ("gallery", "group", "g.gallery", "--threshold", "{}"),
        (*_NUMBERS, "1.5"),
    ),
    "gallery command": (("gallery", "{}"), ("x", "", "serach", "--x")),
}

ALONE: tuple[tuple[str, ...], ...] = (
    *(("gallery", "create"), ("gallery", "add", "g.gallery"), ("compare", "a.png")),
    *(("gallery", "search", "g.gallery"), ("gallery", "erase", "g.gallery"), ("calibrate",)),
    *(("gallery", "group", "g.gallery"), ("gallery", "export", "g.gallery"), _COMPARE, _SEARCH[:3]),
    ("gallery", "erase", "g.gallery", "5"),
)

IGNORED: tuple[tuple[str, ...], ...] = (
    (*_SEARCH, "--fmr", "0.1", "--threshold", "0.5"),
    ("gallery", "add", "g.gallery", "crops.csv", "--name", "zoe", *_NETWORK),
    ("gallery", "add", "g.gallery", "a.png", "--name", "zoe", "--unlabelled", *_NETWORK),
    ("gallery", "add", "g.gallery", "market/query", "--camera", "1", *_NETWORK),
    ("gallery", "add", "g.gallery", "people.npz", "--time", "5"),
    (*_ASSIGN, "--fmr", "0.1", "--known", "0.5"),
    ("gallery", "group", "g.gallery", "--apply", "crops.csv", "--threshold", "0.5"),
    ("gallery", "group", "g.gallery", "--threshold", "0.5", "--fmr", "0.1"),
    (*_CREATE, "--features", "8", "--thumbnails"),
    (*_CREATE, "--features", "8", "--checkpoint", "run"),
    ("gallery", "search", "g.gallery", "people.npz", "--device", "cpu", "--checkpoint", "run"),
)
