"""Bad inputs of the drill: values that no option takes, and options that do not go together."""

from collections.abc import Iterator

import drill_gallery
from drill_good import EMBED, TINY
from drill_inputs import BadInput

_DATA = ("--data", "market1501=market")
_TRAIN = ("train", "demo", *_DATA, "--out", "new", *TINY)
_EVALUATE = ("evaluate", "run", *_DATA)
_SEARCH = ("search", "a.png", "--in", "store", "--checkpoint", "run")
_EXPORT = ("export", "run", "--out", "F.pt2")
_EMBED = ("embed", "a.png", "--out", "out.npz", *EMBED)
_MAKE = ("data", "make", "new", "--ids", "4", "--images", "4", "--size", "32x16")
_NEEDS = ("run", "market", "store", "a.png", "a.npz", *drill_gallery.NEEDS)

NUMBERS = ("-1", "x", "", "1.5", "9" * 30, "nan", "1e9", "0x10", "\u0663")
DEVICES = ("meta", "hpu", "cuda:99", "cpu:7", "", "x" * 400, "privateuseone", "cuda:-1", "mps:3")
SIZES = ("0x0", "1x1", "x", "256", "256x", "99999x99999", "-1x5", "9" * 400 + "x1", "32\u00d716")
SOURCES = (
    *("market", "=market", "market1501=", "x=market", "market1501", "", "=", "MARKET=market"),
    *("market1501=market=x", "x" * 400 + "=market", "folder=run", "csv=market"),
)
SETTINGS = (
    *("=3", "x", "", "epochs", "epochs=", "epochs=x", "epochs=-1", "epochs=0", "epochs=1e9"),
    *("epochs=[1]", "epochs=1.5", "epochs=nan", f"epochs={'9' * 400}", "epoch=3", "network=3"),
    *("network.parts=[]", "network.parts=[0]", "network.parts=[99]", "network.parts=x"),
    *("network.attention=x", "network.backbone=x", "network.image_size=[1, 1]", "seed=-1"),
    *("network.image_size=[9999999, 9999999]", f"seed={'9' * 30}", "weights=x", "weights=3"),
    *("optimiser.name=x", "optimiser.learning_rate=-1", "optimiser.learning_rate=inf"),
    *("optimiser.learning_rate=nan", "schedule.name=x", "sampling={identities_per_batch=1}"),
    *("sampling.identities_per_batch=9999999", "sampling.images_per_identity=0", "loss=[]"),
    *("loss=[{name='x'}]", "augmentation.flip=2", "augmentation.pad=-1", "precision=x", "a.b.c=1"),
    *("network.reduction=0", "network.reduction=x", "x" * 400, "network.feature=x"),
    *("evaluate_every=-1", "network.backbone_options={x=1}", "network.last_stride=7", "epochs='1"),
    *("preset=x", "preset=3", "network.num_classes=-5", "network.multipart=maybe", "__class__=1"),
)
RERANKINGS = ("x", "1", "20,6", "20,6,2", "0,0,0", "6,-1,0.3", "20,6,nan", "9" * 30 + ",6,0.3", "")
NAMES = ("x", "=", "features=", "x=y", "features=feat", "features=features,features=pids", ",", "")

OPTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "train --set": ((*_TRAIN, "--set", "{}"), SETTINGS),
    "resume --set": (("train", "--resume", "run", "--set", "{}", "--device", "cpu"), SETTINGS[:20]),
    "cost --set": (("cost", "apnet-c2", "--set", "{}"), SETTINGS),
    "demo --set": (("demo", "--out", "new", *_DATA, "--set", "{}"), SETTINGS[:30]),
    "train --data": (("train", "demo", "--data", "{}", "--out", "new", *TINY), SOURCES),
    "evaluate --data": (("evaluate", "run", "--data", "{}"), SOURCES),
    "demo --data": (("demo", "--out", "new", "--data", "{}"), SOURCES),
    "reproduce --data": (("reproduce", "table2", "--out", "new", "--data", "{}"), SOURCES),
    "train RECIPE": (("train", "{}", *_DATA, "--out", "new"), ("x", "", "people.tom", "x" * 400)),
    "cost NETWORK": (("cost", "{}"), ("x", "", "apnet", "APNET-C2", "x" * 400)),
    "cost --size": (("cost", "apnet-c2", "--size", "{}"), SIZES),
    "make --size": ((*_MAKE[:7], "--size", "{}"), SIZES),
    "make --set": (("data", "make", "new", "--set", "{}"), ("x", "", "people", "x" * 400)),
    "make --share": (
        ("data", "make", "new", "--set", "people-market", "--share", "{}"),
        ("-1", "0", "2", "nan", "x", "1e-9"),
    ),
    **{
        f"make {option}": ((*_MAKE, option, "{}"), (*NUMBERS, "0", "99999999"))
        for option in ("--ids", "--images", "--cameras")
    },
    "make --seed": ((*_MAKE, "--seed", "{}"), NUMBERS),
    "make --workers": ((*_MAKE, "--workers", "{}"), NUMBERS),
    "train --device": ((*_TRAIN, "--device", "{}"), DEVICES),
    "evaluate --device": ((*_EVALUATE, "--device", "{}"), DEVICES),
    "search --device": ((*_SEARCH, "--device", "{}"), DEVICES),
    "explain --device": (("explain", "a.png", "--out", "out", "--device", "{}"), DEVICES),
    "train --workers": ((*_TRAIN, "--workers", "{}"), NUMBERS),
    "evaluate --rerank": ((*_EVALUATE, "--rerank", "{}"), RERANKINGS),
    "score --rerank": (("score", "a.npz", "--rerank", "{}"), RERANKINGS),
    "score --names": (("score", "a.npz", "--names", "{}"), NAMES),
    "score --distance": (("score", "a.npz", "--distance", "{}"), ("x", "", "COSINE")),
    "score --ap": (("score", "a.npz", "--ap", "{}"), ("x", "")),
    "evaluate --precision": ((*_EVALUATE, "--precision", "{}"), ("x", "", "int8")),
    "embed --precision": ((*_EMBED, "--precision", "{}"), ("x", "", "int4", "x" * 400)),
    "embed --backend": ((*_EMBED, "--backend", "{}"), ("x", "", "tensorrt", "x" * 400)),
    "search --k": ((*_SEARCH, "--k", "{}"), (*NUMBERS, "0")),
    "search --out": ((*_SEARCH, "--out", "{}"), ("x", "x.jpg", "x.gif", "")),
    "show --pid": (("data", "show", "market", "--pid", "{}"), (*NUMBERS, "999")),
    "show --out": (
        ("data", "show", "market", "--pid", "1", "--out", "{}"),
        ("x", "x.gif", "x.eps", "x.pdf", ""),
    ),
    "sheet --people": (("data", "sheet", "market", "--out", "o.png", "--people", "{}"), NUMBERS),
    "sheet --images": (("data", "sheet", "market", "--out", "o.png", "--images", "{}"), NUMBERS),
    "sheet --out": (("data", "sheet", "market", "--out", "{}"), ("x", "x.gif", "x.eps", "")),
    "check NAME": (("data", "check", "{}", "market"), ("x", "", "MARKET", "x" * 400)),
    "reproduce NAME": (("reproduce", "{}"), ("x", "", "table1", "x" * 400)),
    "reproduce --scale": (("reproduce", "table2", "--scale", "{}"), ("x", "")),
    "reproduce --seeds": (("reproduce", "table2", "--scale", "smoke", "--seeds", "{}"), NUMBERS),
    "demo --seed": (("demo", "--out", "new", *_DATA, "--seed", "{}"), NUMBERS),
    "export --to": ((*_EXPORT, "--to", "{}"), ("x", "", "onxn", "TORCH", "x" * 400)),
    "export --for": ((*_EXPORT, "--for", "{}"), ("x", "", "boxmotte", "x" * 400)),
    "export --out": (
        ("export", "run", "--to", "torch", "--out", "{}"),
        ("x", "x.onnx", ".pt2", ""),
    ),
    "export --pixels": ((*_EXPORT, "--to", "torch", "--pixels", "{}"), ("x", "", "UINT8")),
    "export --input-size": (
        (*_EXPORT, "--to", "torch", "--input-size", "{}"),
        ("x", "", "1x1", "0x0", "-1x5", "9999999999x5", "32", "32x16x3"),
    ),
    "command": (("{}",), ("x", "", "trian", "--x", "-", "x" * 400)),
    "data command": (("data", "{}"), ("x", "", "mkae", "--x")),
    "unknown option": (
        ("score", "a.npz", "{}"),
        ("--x", "--jsn", "-z", "--rerank", "--" + "x" * 400),
    ),
    **drill_gallery.OPTIONS,
}
"""Option -> a command with ``{}`` where its value stands, and bad values."""

ALONE: tuple[tuple[str, ...], ...] = (
    *(("train",), ("evaluate",), ("score",), ("embed",), ("search",), ("explain",), ("cost",)),
    *(("reproduce",), ("data", "make"), ("data", "check"), ("data", "show"), ("data", "sheet")),
    *(("train", "demo"), ("train", "demo", *_DATA), ("train", "demo", "--out", "new")),
    *(("evaluate", "run"), ("embed", "a.png"), ("search", "a.png"), ("explain", "a.png")),
    *(("score", "a.npz", "a.npz", "a.npz"), ("cost", "apnet-c2", "extra"), ("presets", "extra")),
    *(("data", "list", "extra"), ("data", "check", "market1501"), ("data", "show", "market")),
    *(("export",), ("export", "run"), ("export", "run", "--out", "F.pt2"), ("export", "shipped")),
    *drill_gallery.ALONE,
)
"""Commands that lack something, or have too much."""

IGNORED: tuple[tuple[str, ...], ...] = (
    ("train", "demo", "--resume", "run"),
    ("train", "--resume", "run", *_DATA),
    ("train", "--resume", "run", "--out", "new"),
    (*_EVALUATE, "--data", "market1501=market"),
    (*_EVALUATE, "--json", "--csv"),
    (*_EVALUATE, "--rerank", "20,6,0.3", "--pictures", "new"),
    (*_MAKE, "--share", "0.5"),
    ("data", "make", "new", "--set", "people-market", "--ids", "4"),
    ("data", "make", "new", "--set", "people-market", "--seed", "0"),
    (*_EMBED, "--half"),
    (*_EMBED, "--rehash"),
    ("demo", "--out", "new", *_DATA, *_DATA),
    ("demo", "--out", "new", *_DATA, "--workers", "3"),
    ("demo", "--out", "new", "--set", "evaluate_every=1"),
    ("reproduce", "table3", *_DATA),
    ("reproduce", "table3", "--scale", "small"),
    ("reproduce", "table3", "--seeds", "3"),
    ("reproduce", "table3", "--people", "new"),
    ("reproduce", "table3", "--device", "cpu"),
    ("reproduce", "table3", "--workers", "3"),
    ("reproduce", "table2", "--scale", "smoke", "--dry-run", "--csv"),
    ("score", "a.npz", "a.npz"),
    (*_TRAIN, "--set", "epochs=1", "--set", "epochs=2"),
    (*_TRAIN, "--set", "schedule.name=cosine", "--set", "schedule.decay_every=3"),
    (*_EXPORT, "--to", "torch", "--half", "--int8"),
    (*_EXPORT, "--to", "torch", "--int8"),
    (*_EXPORT, "--to", "onnx", "--for", "openvino-model-server"),
    *drill_gallery.IGNORED,
)
"""Options that the chosen mode does not use: refused or told."""


def value_inputs() -> Iterator[BadInput]:
    """Returns every bad value of every option, and what goes together with nothing."""
    for option, (template, values) in OPTIONS.items():
        for value in values:
            arguments = tuple(word.replace("{}", value) for word in template)
            yield BadInput("value", f"{option} {value[:30]!r}", arguments, _NEEDS)
    for arguments in ALONE:
        yield BadInput("incomplete", " ".join(arguments), arguments, _NEEDS)
    for arguments in IGNORED:
        yield BadInput("ignored", " ".join(arguments)[:120], arguments, _NEEDS)
