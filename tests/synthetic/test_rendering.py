import dataclasses

import numpy as np
import pytest

from apnet.synthetic.people.anatomy import body_attributes
from apnet.synthetic.people.body import body_model, rest_body, skin, vertex_normals
from apnet.synthetic.people.draw_look import draw_look
from apnet.synthetic.people.figure import build_figure
from apnet.synthetic.people.parts import grid_faces, superellipsoid
from apnet.synthetic.people.pose import Pose, draw_pose
from apnet.synthetic.people.wardrobe import BAGS, HAIR_STYLES, HEADWEAR
from apnet.synthetic.render.image import render_image
from apnet.synthetic.render.raster import rasterize
from apnet.synthetic.scene.camera import draw_camera
from apnet.synthetic.scene.view import View
from apnet.synthetic.world.settings import WORLD

STANDING = Pose(phase=0.0, stride=0.0, bend=0.1, spread=0.1, lean=0.0, head_turn=0.0)


def figure(seed=0, **cues):
    look = draw_look(np.random.default_rng(seed), 0, WORLD)
    return build_figure(type(look)(**{**vars(look), "prop": "none", **cues}))


def slow_rasterize(points, faces, size):
    seen = {}
    for number, face in enumerate(faces):
        a, b, c = points[face].astype(float)
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area >= 0:
            continue
        for row in range(size[0]):
            for column in range(size[1]):
                p = (column + 0.5, row + 0.5)
                weights = [
                    ((v[0] - u[0]) * (p[1] - u[1]) - (v[1] - u[1]) * (p[0] - u[0])) / area
                    for u, v in ((b, c), (c, a), (a, b))
                ]
                if min(weights) < 0:
                    continue
                depth = sum(w * v[2] for w, v in zip(weights, (a, b, c), strict=True))
                place = row * size[1] + column
                if place not in seen or depth < seen[place][0]:
                    seen[place] = (depth, number)
    return {place: number for place, (_, number) in seen.items()}


def test_rasterizer_agrees_with_a_loop_over_pixels():
    rng = np.random.default_rng(0)
    points = rng.uniform(-3, 19, (60, 3)).astype(np.float32)
    faces = rng.permuted(np.tile(np.arange(60), (40, 1)), axis=1)[:, :3]
    fast = rasterize(points, faces, (16, 12))
    assert dict(zip(fast.pixels.tolist(), fast.faces.tolist(), strict=True)) == slow_rasterize(
        points, faces, (16, 12)
    )
    np.testing.assert_allclose(fast.weights.sum(1), 1, atol=1e-5)
    assert len(fast.pixels) > 50


def test_rasterizer_interpolates_linearly():
    points = np.array([[0, 0, 1], [0, 16, 1], [16, 0, 1]], np.float32)
    faces = np.array([[0, 1, 2]])
    seen = rasterize(points, faces, (16, 16))
    where = seen.interpolate(points[:, :2], faces)
    np.testing.assert_allclose(where[:, 0], seen.pixels % 16 + 0.5, atol=1e-4)
    np.testing.assert_allclose(where[:, 1], seen.pixels // 16 + 0.5, atol=1e-4)


def test_body_asset_is_sound():
    model = body_model()
    assert 2500 < model.vertex_count < 6000
    np.testing.assert_allclose(model.weights.sum(1), 1, atol=1e-5)
    assert model.faces.max() < model.vertex_count
    for index, parent in enumerate(model.parents):
        assert parent < index
    heights = [rest_body(row).height for row in model.coefficients]
    assert 1.3 < min(heights) < 1.6 < max(heights) < 2.2


def test_body_normals_point_outwards():
    body = rest_body(body_model().coefficients[0])
    normals = vertex_normals(body.vertices, body_model().faces)
    trunk = (body_attributes()[:, 3] < 0) & (np.abs(body_attributes()[:, 2] - 1.2) < 0.15)
    outward = body.vertices[trunk] - body.vertices[trunk].mean(0)
    assert ((outward[:, :2] * normals[trunk, :2]).sum(1) > 0).mean() > 0.9


def test_boxes_and_sheets_face_outwards():
    points, faces = superellipsoid(np.zeros(3), (1, 2, 3))
    corners = points[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    volume = (corners.mean(1) * normals).sum() / 6
    assert 8 < volume < 2 * 4 * 6
    assert len(grid_faces(3, 4, closed=True)) == 2 * 2 * 4
    assert len(grid_faces(3, 4, closed=False)) == 2 * 2 * 3


def test_identity_transforms_leave_points():
    points = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    weights = np.full((7, 2), 0.5, np.float32)
    still = np.concatenate([np.eye(3), np.zeros((3, 1))], axis=1).astype(np.float32)
    np.testing.assert_allclose(skin(points, weights, np.stack([still, still])), points, atol=1e-6)


def test_arms_hang_and_feet_stand():
    body = figure(bag="none", top="shirt", bottom="trousers", bottom_length=2.05)
    points = body.posed(STANDING)[: body_model().vertex_count]
    attributes = body_attributes()
    wrist = points[(attributes[:, 3] > 1.9) & (attributes[:, 3] < 2.1)]
    assert np.abs(wrist[:, 0]).max() < 0.42 * body.body.height / 1.75
    assert 0.42 < wrist[:, 2].mean() / body.body.height < 0.58  # 0.62 in the rest pose
    assert points[:, 2].min() == 0


def test_a_stride_takes_the_feet_apart():
    body = figure(bottom="trousers", bottom_length=2.05)
    feet = np.flatnonzero(body_attributes()[:, 4] > 2)

    def spread(stride):
        pose = Pose(np.pi / 2, stride, 0.1, 0.1, 0.0, 0.0)
        return np.ptp(body.posed(pose)[feet, 1])

    assert spread(0.5) > spread(0.0) + 0.4


@pytest.mark.parametrize("cue", ["skirt", "coat", "long hair", "bag"])
def test_sheets_and_bags_have_normals(cue):
    cues = {
        "skirt": {"bottom": "skirt", "bottom_length": 0.9},
        "coat": {"top": "coat"},
        "long hair": {"hair_style": "long", "headwear": "none"},
        "bag": {"bag": "backpack"},
    }[cue]
    figure_with_part = figure(**{"bag": "none", "bottom": "trousers", "top": "shirt", **cues})
    extra = np.unique(figure_with_part.faces[figure_with_part.kinds > 0])
    normals = vertex_normals(figure_with_part.points, figure_with_part.faces)
    np.testing.assert_allclose((normals[extra] ** 2).sum(1), 1, atol=1e-3)


def test_every_style_can_be_dressed_and_posed():
    rng = np.random.default_rng(1)
    for cue, values in (("bag", BAGS), ("hair_style", HAIR_STYLES), ("headwear", HEADWEAR)):
        for value in values:
            body = figure(**{cue: value})
            assert np.isfinite(body.posed(draw_pose(rng, body.look))).all()
            assert body.faces.max() < len(body.points)


def test_a_view_projects_along_its_rays():
    view = View(np.array([0.3, -6, 2.5], np.float32), 0.25, 400.0, (60.0, 130.0), (256, 128))
    rays = view.rays((256, 128))
    points = view.eye + rays[[0, 5000, 32767]] * 4.2
    columns, rows, _ = view.project(points).T
    np.testing.assert_allclose(columns, np.array([0, 5000 % 128, 127]) + 0.5, atol=0.02)
    np.testing.assert_allclose(rows, np.array([0, 5000 // 128, 255]) + 0.5, atol=0.02)


def test_a_rolled_view_and_its_coarse_copy_agree_with_their_rays():
    view = View(np.array([0, -6, 2.5], np.float32), 0.25, 400.0, (60.0, 130.0), (256, 128), 0.1)
    for seen in (view, view.at(64)):
        points = seen.eye + seen.rays(seen.size)[[0, 777]] * 4.2
        columns, rows, _ = seen.project(points).T
        np.testing.assert_allclose(columns, np.array([0, 777 % seen.size[1]]) + 0.5, atol=0.02)
        np.testing.assert_allclose(rows, np.array([0, 777 // seen.size[1]]) + 0.5, atol=0.02)


def test_a_picture_depends_on_its_generator_only():
    person = figure(3)
    camera = draw_camera(np.random.default_rng(4), WORLD)

    def picture(seed):
        rng = np.random.default_rng(seed)
        image, metadata = render_image(person, camera, (figure(9),), (96, 48), rng)
        return image.tobytes(), metadata

    assert picture(1) == picture(1)
    assert picture(1)[0] != picture(2)[0]


def test_obstacles_and_people_in_front_hide_people():
    person, other = figure(3), figure(8)

    def hidden(crowd, **changes):
        world = dataclasses.replace(WORLD, **changes)
        camera = draw_camera(np.random.default_rng(4), world)
        generators = [np.random.default_rng([7, number]) for number in range(40)]
        return [render_image(person, camera, crowd, (64, 32), g)[1].occlusion for g in generators]

    assert hidden((other,), occluders=0.0, passers_by=1.0) == [0.0] * 40
    assert sum(share > 0.05 for share in hidden((), occluders=1.0)) >= 20
    assert sum(share > 0.05 for share in hidden((other,), occluders=1.0)) >= 25
    assert 0 < sum(share > 0 for share in hidden((other,), occluders=0.2)) < 20
