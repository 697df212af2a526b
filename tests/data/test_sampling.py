from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apnet.data import PKBatches
from apnet.errors import ConfigError

labels_strategy = st.lists(st.integers(0, 12), min_size=1, max_size=120)


@st.composite
def samplers(draw):
    labels = draw(labels_strategy)
    persons = draw(st.integers(1, len(set(labels))))
    return PKBatches(labels, persons, draw(st.integers(1, 5)), draw(st.integers(0, 2**31))), labels


@settings(max_examples=150, deadline=None)
@given(samplers(), st.integers(0, 500))
def test_batches_are_p_people_with_k_images_each(made, epoch):
    sampler, labels = made
    batches = sampler.batches(epoch)
    assert batches
    for batch in batches:
        groups = [
            batch[first : first + sampler.images] for first in range(0, len(batch), sampler.images)
        ]
        people = [{labels[index] for index in group} for group in groups]
        assert all(len(person) == 1 for person in people)
        assert len(set.union(*people)) == len(groups) == sampler.persons


@settings(max_examples=150, deadline=None)
@given(samplers(), st.integers(0, 500))
def test_an_epoch_repeats_images_only_of_people_with_few(made, epoch):
    sampler, labels = made
    owned = Counter(labels)
    drawn = Counter(index for batch in sampler.batches(epoch) for index in batch)
    for index, times in drawn.items():
        assert times == 1 or owned[labels[index]] < sampler.images
    chunks = Counter()
    for index, times in drawn.items():
        chunks[labels[index]] += times
    finished = 0
    for label, images in owned.items():
        most = max(1, images // sampler.images) * sampler.images
        assert chunks[label] <= most
        finished += chunks[label] == most
    assert len(owned) - finished < sampler.persons  # fewer than P people have a chunk left


@settings(max_examples=60, deadline=None)
@given(samplers(), st.integers(0, 500))
def test_an_epoch_is_a_function_of_seed_and_epoch(made, epoch):
    sampler, labels = made
    sampler.batches(epoch + 7)
    again = PKBatches(labels, sampler.persons, sampler.images, sampler.seed)
    assert again.batches(epoch) == sampler.batches(epoch)


@settings(max_examples=60, deadline=None)
@given(labels_strategy, st.integers(1, 3), st.integers(1, 4), st.integers(0, 99))
def test_the_shares_of_all_ranks_are_the_batch(labels, part, world, epoch):
    if len(set(labels)) < part * world:
        return
    sampler = PKBatches(labels, part * world, 4, 1)
    shares = [sampler.share(epoch, rank, world) for rank in range(world)]
    together = [[draw for part in parts for draw in part] for parts in zip(*shares, strict=True)]
    assert [[draw.record for draw in batch] for batch in together] == sampler.batches(epoch)
    positions = [draw.position for batch in together for draw in batch]
    assert positions == list(range(len(positions)))
    assert all(len(batch) == part * 4 for share in shares for batch in share)


def test_epochs_and_seeds_differ():
    labels = [index // 10 for index in range(200)]
    sampler = PKBatches(labels, 4, 4, 0)
    assert sampler.batches(0) != sampler.batches(1)
    assert sampler.batches(0) != PKBatches(labels, 4, 4, 1).batches(0)
    covered = {index for epoch in range(6) for batch in sampler.batches(epoch) for index in batch}
    assert covered == set(range(200))


def test_a_person_with_few_images_is_drawn_with_repetition():
    assert PKBatches([7], 1, 4, 0).batches(0) == [[0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("labels", "persons", "images", "seed", "says"),
    [
        ([0, 1], 3, 4, 0, "batches of 3 persons need as many people to train on, there are 2"),
        ([], 1, 1, 0, "there are 0"),
        ([0], 0, 4, 0, "persons 0"),
        ([0], 1, 0, 0, "images 0"),
        ([0], 1, 1, -1, "seed -1"),
    ],
)
def test_bad_settings(labels, persons, images, seed, says):
    with pytest.raises(ConfigError, match=says):
        PKBatches(labels, persons, images, seed)


def test_people_that_cannot_be_shared_equally():
    with pytest.raises(ConfigError, match=r"20 persons .* by 3 processes"):
        PKBatches(list(range(20)), 20, 4, 0).share(0, rank=0, world=3)
