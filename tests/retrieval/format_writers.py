"""Feature files as other programs write them, and some arrays to write."""

import csv

import h5py
import numpy as np
import scipy.io
import torch


def write_npz(path, arrays):
    np.savez(path, **arrays)


def write_npy_csv(path, arrays):
    np.save(path.with_suffix(".npy"), arrays["features"])
    columns = {name: values for name, values in arrays.items() if name != "features"}
    with path.with_suffix(".csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def write_torch(path, arrays):
    torch.save(
        {
            name: values.tolist() if values.dtype.kind == "U" else torch.from_numpy(values)
            for name, values in arrays.items()
        },
        path,
    )


def write_hdf5(path, arrays):
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            text = values.dtype.kind == "U"
            file[name] = np.char.encode(values, "utf-8").tolist() if text else values


def write_matlab(path, arrays):
    scipy.io.savemat(
        path,
        {name: v.astype(object) if v.dtype.kind == "U" else v for name, v in arrays.items()},
    )


def write_matlab73(path, arrays):
    """Columns first, doubles, behind 512 bytes of header, as MATLAB's ``save -v7.3``."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in arrays.items():
            if values.dtype.kind != "U":
                file[name] = np.atleast_2d(values).T.astype(np.float64)
        file.create_group("#refs#")["a"] = np.zeros(2)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


WRITERS = {
    "a.npz": write_npz,
    "a.npy": write_npy_csv,
    "a.csv": write_npy_csv,
    "a.pt": write_torch,
    "a.pth": write_torch,
    "a.h5": write_hdf5,
    "a.hdf5": write_hdf5,
    "a.mat": write_matlab,
    "a.MAT": write_matlab,
}

IN_HALVES = {name: WRITERS[name] for name in ("a.npz", "a.pt", "a.h5", "a.mat")}


def sets():
    """Query and gallery of 40 and 60 images, with junk."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((9, 5))
    found = {}
    for part, count in (("query", 40), ("gallery", 60)):
        pids = rng.integers(-1 if part == "gallery" else 0, 9, count)
        found[part] = {
            "features": (centres[pids] + rng.standard_normal((count, 5))).astype(np.float32),
            "pids": pids,
            "camids": rng.integers(0, 3, count),
            "paths": np.array([f"{part}/{row} ä.jpg" for row in range(count)]),
        }
    return found


SETS = sets()

GALLERY = SETS["gallery"]


def layumi(named):
    """The names under which the toolkit Person_reID_baseline_pytorch writes both halves."""
    words = {"features": "f", "pids": "label", "camids": "cam"}
    return {
        f"{part}_{words[name]}": values
        for part, arrays in named.items()
        for name, values in arrays.items()
        if name in words
    }
