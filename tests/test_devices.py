"""Where networks run, and the memory of their maps."""

import json
import os
import subprocess
import sys

import pytest
import torch

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


def test_the_processor_is_there_and_nonsense_is_not():
    assert choose_device("cpu") == torch.device("cpu")
    with pytest.raises(ConfigError, match="'nonsense' cannot be used"):
        choose_device("nonsense")
