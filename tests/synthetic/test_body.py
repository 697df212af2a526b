import dataclasses

import numpy as np
import pytest

from apnet.synthetic.people.anatomy import body_attributes
from apnet.synthetic.people.body import (
    body_model,
    joint_transforms,
    rest_body,
    skin,
    vertex_normals,
)
from apnet.synthetic.people.draw_look import draw_look
from apnet.synthetic.people.pose import ARMS, Pose, draw_pose, joint_rotations
from apnet.synthetic.people.wardrobe import PROPS
from apnet.synthetic.world.settings import WORLD

STANDING = Pose(phase=0, stride=0, bend=0.05, spread=0.1, lean=0, head_turn=0)
BODIES = range(0, 480, 53)


def body(index=0):
    return rest_body(body_model().coefficients[index])


def posed_joints(rest, pose):
    transforms = joint_transforms(rest, joint_rotations(rest, pose))
    moved = np.einsum("jik,jk->ji", transforms[:, :, :3], rest.joints) + transforms[:, :, 3]
    return {name: moved[index] for index, name in enumerate(body_model().joints)}


def posed_points(rest, pose):
    transforms = joint_transforms(rest, joint_rotations(rest, pose))
    return skin(rest.vertices, body_model().weights, transforms)


def look(**changes):
    return dataclasses.replace(draw_look(np.random.default_rng(0), 0, WORLD), **changes)


def drawn_poses(**changes):
    who = look(prop="none", bag="none", **changes)
    return [draw_pose(np.random.default_rng(seed), who) for seed in range(40)]


class TestAsset:
    def test_shapes(self):
        model = body_model()
        count, joints = model.vertex_count, len(model.joints)
        assert model.weights.shape == (count, joints)
        assert model.mean.shape == (count + joints, 3)
        assert model.components.shape[1:] == (count + joints, 3)
        assert model.coefficients.shape[1] == len(model.components)
        assert model.faces.min() == 0
        assert model.faces.max() == count - 1

    def test_weights_add_up_to_one(self):
        model = body_model()
        assert model.weights.min() >= 0
        np.testing.assert_allclose(model.weights.sum(1), 1, atol=1e-5)

    def test_parents_come_first(self):
        parents = body_model().parents
        assert parents[0] == -1
        assert all(0 <= parent < index for index, parent in enumerate(parents) if index)

    def test_the_surface_is_closed_but_for_holes_and_faces_outwards(self):
        rest = body()
        corners = rest.vertices[body_model().faces].astype(np.float64)
        volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum()
        assert 0.03 < volume / 6 < 0.2  # cubic metres of a person

    @pytest.mark.parametrize("index", BODIES)
    def test_people_have_the_size_of_people(self, index):
        rest = body(index)
        assert 1.3 < rest.height < 2.2
        assert rest.vertices[:, 2].min() == pytest.approx(0, abs=0.02)
        assert np.isfinite(rest.vertices).all()


class TestSkinning:
    def test_agrees_with_a_loop(self):
        rng = np.random.default_rng(0)
        points = rng.normal(size=(7, 3)).astype(np.float32)
        weights = rng.dirichlet(np.ones(5), 7).astype(np.float32)
        transforms = rng.normal(size=(5, 3, 4)).astype(np.float32)
        wanted = np.zeros((7, 3))
        for vertex in range(7):
            for joint in range(5):
                turn, shift = transforms[joint][:, :3], transforms[joint][:, 3]
                wanted[vertex] += weights[vertex, joint] * (turn @ points[vertex] + shift)
        np.testing.assert_allclose(skin(points, weights, transforms), wanted, atol=1e-5)

    def test_without_rotations_nothing_moves(self):
        rest = body()
        moved = skin(rest.vertices, body_model().weights, joint_transforms(rest, {}))
        np.testing.assert_allclose(moved, rest.vertices, atol=1e-5)

    def test_a_joint_turns_what_hangs_on_it_about_its_place(self):
        rest = body()
        half_turn = np.diag([-1, -1, 1]).astype(np.float32)
        transforms = joint_transforms(rest, {"head": half_turn})
        head = body_model().joint("head")
        centre = rest.joints[head]
        point = centre + np.array([0.1, 0.2, 0.3], dtype=np.float32)
        moved = transforms[head][:, :3] @ point + transforms[head][:, 3]
        np.testing.assert_allclose(moved, centre + np.array([-0.1, -0.2, 0.3]), atol=1e-5)
        others = [index for index in range(len(rest.joints)) if index != head]
        np.testing.assert_allclose(transforms[others], joint_transforms(rest, {})[others])

    def test_transforms_keep_lengths(self):
        rest = body(7)
        for pose in drawn_poses():
            turns = joint_transforms(rest, joint_rotations(rest, pose))[:, :, :3]
            identity = np.einsum("jik,jil->jkl", turns, turns)
            np.testing.assert_allclose(identity, np.tile(np.eye(3), (len(turns), 1, 1)), atol=1e-4)


class TestNormals:
    def test_of_an_octahedron_point_outwards(self):
        points = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)
        faces = np.array(
            [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
        )
        np.testing.assert_allclose(vertex_normals(points, faces), points, atol=1e-6)

    def test_of_a_loose_vertex_are_zero(self):
        points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 5]], dtype=np.float32)
        normals = vertex_normals(points, np.array([[0, 1, 2]]))
        np.testing.assert_array_equal(normals[3], 0)
        np.testing.assert_array_equal(normals[0], [0, 0, 1])


class TestPose:
    @pytest.mark.parametrize("index", BODIES)
    def test_arms_hang(self, index):
        rest = body(index)
        joints = posed_joints(rest, STANDING)
        for side in "LR":
            shoulder, wrist = joints[f"upperarm.{side}"], joints[f"hand.{side}"]
            reach = shoulder[2] - wrist[2]
            assert reach > 0.3
            assert abs(wrist[0] - shoulder[0]) < 0.35 * reach
            assert np.sign(wrist[0]) == np.sign(shoulder[0])

    def test_wrists_stay_low_and_near_in_any_gait(self):
        rest = body()
        for pose in drawn_poses():
            joints = posed_joints(rest, dataclasses.replace(pose, arms="swing"))
            for side in "LR":
                assert joints[f"hand.{side}"][2] < joints[f"upperarm.{side}"][2] - 0.15
                assert abs(joints[f"hand.{side}"][0]) < 0.45

    def test_arms_are_known_for_all_that_hands_can_hold(self):
        assert set(PROPS) - {"none"} <= set(ARMS)
        for prop in set(PROPS) - {"none"}:
            assert draw_pose(np.random.default_rng(0), look(prop=prop)).arms == prop

    def test_a_call_is_held_beside_the_head(self):
        joints = posed_joints(body(), dataclasses.replace(STANDING, arms="call"))
        assert np.linalg.norm(joints["hand.R"] - joints["head"]) < 0.3
        assert joints["hand.L"][2] < joints["upperarm.L"][2] - 0.3

    def test_hands_reach_the_middle_when_arms_cross_and_stay_out_on_the_hips(self):
        crossed = posed_joints(body(), dataclasses.replace(STANDING, arms="crossed"))
        hip = posed_joints(body(), dataclasses.replace(STANDING, arms="hip"))
        assert abs(crossed["hand.R"][0]) < abs(crossed["lowerarm.R"][0])
        assert abs(hip["lowerarm.R"][0]) > abs(crossed["lowerarm.R"][0]) + 0.1

    def test_sitting_thighs_are_level_and_shins_upright(self):
        joints = posed_joints(body(), dataclasses.replace(STANDING, sits=True, arms="bench"))
        for side in "LR":
            hip, knee, ankle = (
                joints[f"{name}.{side}"] for name in ("upperleg", "lowerleg", "foot")
            )
            assert abs(hip[2] - knee[2]) < 0.1 < hip[1] - knee[1]
            assert abs(ankle[1] - knee[1]) < 0.1 < knee[2] - ankle[2]

    def test_only_a_bench_is_sat_on(self):
        for prop in PROPS:
            assert draw_pose(np.random.default_rng(1), look(prop=prop)).sits == (prop == "bench")

    def test_a_gait_is_a_habit(self):
        short = [pose.stride for pose in drawn_poses(stride=0.25) if pose.stride > 0.1]
        long = [pose.stride for pose in drawn_poses(stride=0.55) if pose.stride > 0.1]
        assert len(short) > 20
        assert max(short) < min(long)

    def test_toes_turn_out_and_hips_roll(self):
        straight = posed_points(body(), STANDING)
        turned = posed_points(body(), dataclasses.replace(STANDING, toes=0.5))
        feet = body_attributes()[:, 4] > 2.0
        tips = feet & (body_attributes()[:, 0] > 0)
        toe = np.flatnonzero(tips)[straight[tips, 1].argmin()]
        assert turned[toe, 0] > straight[toe, 0] + 0.03
        rolled = posed_joints(body(), dataclasses.replace(STANDING, sway=0.2))
        assert abs(rolled["upperleg.L"][2] - rolled["upperleg.R"][2]) > 0.02

    def test_a_phone_is_held_in_front_with_the_right_hand(self):
        joints = posed_joints(body(), dataclasses.replace(STANDING, arms="phone"))
        right, left = joints["hand.R"], joints["hand.L"]
        assert right[2] > left[2] + 0.15
        assert right[1] < joints["upperarm.R"][1] - 0.1

    def test_knees_bend_backwards(self):
        for pose in drawn_poses():
            joints = posed_joints(body(), pose)
            for side in "LR":
                hip, knee, ankle = (
                    joints[f"{name}.{side}"] for name in ("upperleg", "lowerleg", "foot")
                )
                thigh, shin = knee - hip, ankle - knee
                # About the x axis: a shin that points further back (+y) than its thigh.
                straight = np.arctan2(thigh[1], -thigh[2])
                assert np.arctan2(shin[1], -shin[2]) > straight - 0.05

    def test_the_knee_of_the_leg_that_swings_forward_is_bent(self):
        joints = posed_joints(body(), dataclasses.replace(STANDING, stride=0.5, phase=0))
        shin = {side: joints[f"foot.{side}"] - joints[f"lowerleg.{side}"] for side in "LR"}
        assert shin["L"][1] > 0.2  # metres behind the knee
        assert shin["R"][1] < 0.1

    def test_a_stride_puts_one_foot_before_the_other(self):
        rest = body()
        stride = dataclasses.replace(STANDING, stride=0.5, phase=np.pi / 2)
        joints = posed_joints(rest, stride)
        assert joints["foot.L"][1] < joints["foot.R"][1] - 0.3
        opposite = posed_joints(rest, dataclasses.replace(stride, phase=3 * np.pi / 2))
        assert opposite["foot.R"][1] < opposite["foot.L"][1] - 0.3
        assert joints["hand.R"][1] < joints["hand.L"][1]  # arms swing against the legs

    def test_the_lowest_point_is_a_foot(self):
        leg = body_attributes()[:, 4]
        for pose in drawn_poses():
            assert leg[posed_points(body(), pose)[:, 2].argmin()] > 1.9

    def test_drawn_poses_differ_and_repeat(self):
        poses = drawn_poses()
        assert len(set(poses)) == len(poses)
        assert poses == drawn_poses()
