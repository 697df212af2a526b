import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_parts import make_system

from apnet.report import TrainingCurve
from apnet.report.plots import LINE_STYLES, block_means, cmc_svg, styles_of, training_svg


def lines_of(svg, style):
    return [
        np.array(re.findall(r"[ML] (\S+) (\S+)", path), float)
        for path, css in re.findall(r'<path d="([^"]*)"[^>]*style="([^"]*)"', svg)
        if f"stroke: {style.colour}" in css and "fill: none" in css
    ]


def test_styles_differ_without_colour():
    assert len({(style.dashes, style.marker) for style in LINE_STYLES}) == len(LINE_STYLES)
    assert len({style.outline for style in LINE_STYLES}) == len(LINE_STYLES)


def test_styles_follow_names():
    styles = styles_of(["a", "b", "a", *"cdefg"])
    assert styles["a"] is LINE_STYLES[0]
    assert styles["b"] is LINE_STYLES[1]
    assert styles["g"] is LINE_STYLES[0]


def test_cmc_lines_have_the_figures_heights():
    systems = [make_system("a", "A", rank1=0.9), make_system("b", "B", rank1=0.5)]
    styles = styles_of(["A", "B"])
    svg = cmc_svg(systems, styles)
    high, low = (lines_of(svg, styles[name])[0] for name in "AB")
    assert len(high) == len(low) == 20
    # both rise linearly to 1 at rank 30, so at each rank the gaps to 1 are 1 to 5
    unit = (low[0, 1] - high[0, 1]) / (0.5 - 0.1)
    one = high[0, 1] - 0.1 * unit
    shares = 1 - (low[:, 1] - one) / unit
    np.testing.assert_allclose(shares, np.linspace(0.5, 1, 30)[:20], atol=1e-4)
    ticks = {int(text): float(y) for y, text in re.findall(r' y="(\S+)"[^>]*>(\d+)</text>', svg)}
    points_per_percent = (ticks[50] - ticks[100]) / 50
    np.testing.assert_allclose(low[0, 1] - high[0, 1], 40 * points_per_percent, atol=1e-3)
    assert "A" not in re.findall(r">([^<>]+)</text>", svg)


def test_a_short_gallery_has_a_short_curve():
    system = make_system()
    object.__setattr__(system.evaluation, "cmc", np.array([0.5, 1.0, 1.0]))
    styles = styles_of([system.name])
    assert len(lines_of(cmc_svg([system], styles), styles[system.name])[0]) == 3


def test_a_gallery_of_one_is_drawn():
    system = make_system()
    object.__setattr__(system.evaluation, "cmc", np.array([1.0]))
    assert "<svg" in cmc_svg([system], styles_of([system.name]))


def test_drawings_take_the_pages_colours_and_name_no_address():
    curve = TrainingCurve("A", [1, 2], [2.0, 1.0], [(2, 0.5)])
    svg = training_svg([curve], styles_of(["A"]))
    assert svg.startswith("<svg")
    assert "http" not in svg
    assert "var(--ink)" in svg
    assert "var(--line-0)" in svg
    assert not re.search("#[abc]0000", svg)


@pytest.mark.parametrize(("mAP", "axes"), [([], {"loss"}), ([(2, 0.5)], {"loss", "mAP (%)"})])
def test_training_has_a_panel_for_what_there_is(mAP, axes):
    svg = training_svg([TrainingCurve("A", [1, 2], [2.0, 1.0], mAP)], styles_of(["A"]))
    assert axes == set(re.findall(r">(loss|mAP \(%\))</text>", svg))


@given(st.integers(1, 2000))
def test_block_means_keep_the_mean_of_each_block(count):
    values = np.arange(count) ** 1.5
    means = block_means(values)
    assert len(means) <= 300
    block = -(-count // 300)
    naive = [values[i : i + block].mean() for i in range(0, count, block)]
    np.testing.assert_allclose(means, naive)
