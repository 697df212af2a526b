"""Where networks run, and the memory of their maps."""

import json
import os
import subprocess
import sys

import pytest
import torch

from apnet import devices
from apnet.devices import choose_device
from apnet.errors import ConfigError

GROWTH = """
import json, resource, torch
from apnet.devices import keep_freed_memory
keep_freed_memory()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.empty(2**24).fill_(1)  # 64 MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(json.dumps([faults() for _ in range(40)]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
@pytest.mark.parametrize("environment", [{}, {"MALLOC_ARENA_MAX": "4"}])
def test_large_maps_are_faulted_in_once_unless_the_environment_chose(environment):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", GROWTH],
        env={**plain, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    first, *_, last = json.loads(done.stdout)
    assert first > 100
    assert (last > 100) == bool(environment)


@pytest.mark.parametrize("name", ["cpu", "cpu:0", "auto", torch.device("cpu")])
def test_the_processor_is_there(name):
    assert choose_device(name).type in ("cpu", "cuda")


@pytest.mark.parametrize(
    "name",
    [
        *("", "nonsense", "meta", "hpu", "privateuseone", "xla", "CPU "),
        *("cuda:99", "cpu:7", "cpu:-1", "cuda:" + "9" * 500, torch.device("meta")),
    ],
)
def test_what_is_no_device_here_is_told_with_those_that_are(name):
    with pytest.raises(ConfigError, match=r"cannot be used here; usable are auto, cpu") as caught:
        choose_device(name)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(("gain", "chosen"), [(1.4, "float32"), (1.6, "bf16")])
def test_auto_follows_a_measurement_and_names_do_not(monkeypatch, gain, chosen):
    monkeypatch.setattr(devices, "bf16_gain", lambda: gain)
    devices._gains_from_bf16.cache_clear()
    cpu = torch.device("cpu")
    assert devices.choose_precision("auto", cpu) == chosen
    assert devices.choose_precision("bf16", cpu) == "bf16"
    assert devices.choose_precision("float32", cpu) == "float32"
    monkeypatch.setattr(devices, "bf16_gain", lambda: pytest.fail("measured twice"))
    assert devices.choose_precision("auto", cpu) == chosen
    devices._gains_from_bf16.cache_clear()


def test_a_slow_bf16_is_told_by_the_small_product(monkeypatch):
    sizes = []

    def timed(*size):
        sizes.append(size)
        return 0.1

    monkeypatch.setattr(devices, "_gain", timed)
    devices.bf16_gain.cache_clear()
    assert devices.bf16_gain() == 0.1
    assert len(sizes) == 1
    devices.bf16_gain.cache_clear()


def test_without_native_bf16_auto_is_float32():
    code = (
        "import torch; from apnet.devices import choose_precision;"
        "print(choose_precision('auto', torch.device('cpu')))"
    )
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "float32"
