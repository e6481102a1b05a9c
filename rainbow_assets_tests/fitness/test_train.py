"""Training: it learns, it goes on where it was, and what a color lacks teaches nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rainbow_assets.fitness import plans, remote, wire
from rainbow_assets.fitness.data import MODALITIES, TrainingData, encode
from rainbow_assets.fitness.model import FULL, FusionModel, ModelSpec, parameters
from rainbow_assets.fitness.train import TrainingError, batch, fit, load_model, predict
from rainbow_assets.settings import FitnessRules
from rainbow_assets_tests.fitness import music

QUICK = music.QUICK


@pytest.fixture(scope="module")
def rows() -> TrainingData:
    return music.demo(1)


def same(one: bytes, other: bytes) -> bool:
    return one == other


def test_the_loss_falls_and_equal_seeds_give_equal_weights(rows: TrainingData) -> None:
    first = fit(rows, rows.take([]), QUICK, 3)
    assert first.history[-1].train_loss < first.history[0].train_loss
    assert same(first.weights, fit(rows, rows.take([]), QUICK, 3).weights)
    assert not same(first.weights, fit(rows, rows.take([]), QUICK, 4).weights)


def test_a_resumed_training_ends_where_an_unbroken_one_does(rows: TrainingData) -> None:
    rules = replace(QUICK, max_epochs=4)
    held: list[bytes] = []
    whole = fit(rows.take(range(20)), rows.take(range(20, 30)), rules, 3, checkpoint=held.append)
    again = fit(rows.take(range(20)), rows.take(range(20, 30)), rules, 3, resume=held[1])
    assert len(held) == 4 and same(whole.weights, again.weights) and whole.history == again.history


@pytest.mark.parametrize("change", ["rules", "seed", "data", "cut"])
def test_a_checkpoint_of_something_else_is_refused(rows: TrainingData, change: str) -> None:
    held: list[bytes] = []
    fit(rows, rows.take([]), replace(QUICK, max_epochs=1), 3, checkpoint=held.append)
    rules = replace(QUICK, learning_rate=0.1) if change == "rules" else replace(QUICK, max_epochs=1)
    with pytest.raises(TrainingError, match="delete it to start again"):
        fit(rows.take(range(len(rows) - 9, len(rows))) if change == "data" else rows, rows.take([]), rules, 4 if change == "seed" else 3,
            resume=held[0][:-40] if change == "cut" else held[0])


def test_the_full_model_is_the_diarys_and_learns_in_20_steps(rows: TrainingData) -> None:
    spec = ModelSpec(FULL, 512, 768, 768)
    model = FusionModel(spec)
    assert 4_200_000 < parameters(model) < 4_400_000
    assert 1_100_000 < parameters(model.encoder) < 1_200_000
    few = rows.take(range(16))
    rules = FitnessRules(profile=FULL, batch=4, max_epochs=5, learning_rate=1e-3, device="cpu", transpose=0,
                         modality_dropout=0, concept_dropout=0)
    fitted = fit(few, rows.take([]), rules, 1)
    losses = [item.train_loss for item in fitted.history]
    assert losses[-1] < 0.8 * losses[0], "20 steps of 4 rows"


def test_the_compact_model_is_small_with_the_published_vectors_too() -> None:
    assert parameters(FusionModel(ModelSpec("compact", 512, 768, 768))) <= 100_000


def test_colors_without_modes_teach_the_modes_nothing(rows: TrainingData) -> None:
    """The gradient of the heads is that of the other rows alone, whatever Black's targets were made of."""
    def heads(chosen: TrainingData) -> torch.Tensor:
        torch.manual_seed(0)
        model = FusionModel(ModelSpec("compact", **chosen.dims)).eval()
        from rainbow_assets.fitness.train import _loss  # pyright: ignore[reportPrivateUsage]

        logits, confidence = model(*batch(chosen, torch.device("cpu")))
        _loss(logits, confidence, chosen, torch.device("cpu")).sum().backward()
        grad = model.heads.weight.grad
        assert grad is not None
        return grad

    black = np.flatnonzero(np.array(rows.colors) == "Black")
    red = np.flatnonzero(np.array(rows.colors) == "Red")
    assert heads(rows.take(black)).abs().max() == 0
    assert torch.allclose(heads(rows.take(np.concatenate([black, red]))), heads(rows.take(red)), atol=1e-6)
    assert not encode(["Black", "White"])[1].any()


def test_what_is_hidden_is_not_read(rows: TrainingData) -> None:
    spec = ModelSpec("compact", **rows.dims)
    weights = fit(rows, rows.take([]), replace(QUICK, max_epochs=1), 1).weights
    garbage = replace(rows.only("midi"), vectors={name: np.full_like(item, np.nan) for name, item in
                                                 rows.vectors.items()})
    assert np.array_equal(predict(weights, spec, garbage)[0], predict(weights, spec, rows.only("midi"))[0])


def test_a_calibrated_model_is_as_sure_as_it_is_right(rows: TrainingData) -> None:
    """Stopped and calibrated by its own training rows: no other sharpness makes those more likely."""
    from rainbow_assets.fitness import metrics

    with_midi = rows.only("midi")
    weights = fit(with_midi, with_midi, replace(QUICK, max_epochs=6), 3).weights
    found, _ = predict(weights, ModelSpec("compact", **rows.dims), with_midi)

    def likelihood(factor: float) -> float:
        total = []
        for kind in range(3):
            truth = metrics.single_mode(rows.colors, kind)
            sharper = found[truth >= 0, kind] ** factor
            sharper /= sharper.sum(axis=1, keepdims=True)
            total.append(np.log(sharper[np.arange(len(sharper)), truth[truth >= 0]]))
        return float(np.concatenate(total).mean())

    assert likelihood(1.0) >= max(likelihood(0.9), likelihood(1.1)) - 1e-9


def test_nothing_to_learn_from_is_reported(rows: TrainingData) -> None:
    black = rows.take(np.flatnonzero(np.array(rows.colors) == "Black"))
    for nothing in (black, rows.take([])):
        with pytest.raises(TrainingError, match="no row has a target"):
            fit(nothing, rows.take([]), QUICK, 1)


def test_weights_of_another_shape_are_refused(rows: TrainingData) -> None:
    weights = fit(rows, rows.take([]), replace(QUICK, max_epochs=1), 1).weights
    with pytest.raises(TrainingError, match="do not belong"):
        load_model(weights, ModelSpec("compact", 512, 768, 768))
    with pytest.raises(TrainingError, match="do not belong"):
        load_model(weights[:200], ModelSpec("compact", **rows.dims))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_reported(rows: TrainingData) -> None:
    with pytest.raises(TrainingError, match="no GPU"):
        fit(rows, rows.take([]), replace(QUICK, device="cuda"), 1)


def test_plans_keep_songs_apart_and_permuted_labels_keep_the_counts(rows: TrainingData) -> None:
    for plan in plans.plans(rows, QUICK):
        sides = [{rows.songs[n] for n in part.tolist()} for part in (plan.train, plan.validation, plan.test)]
        assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    shuffled = plans.permuted(rows, 5)
    color = dict(zip(rows.songs, shuffled.colors, strict=True))
    assert sorted(color.values()) == sorted(dict(zip(rows.songs, rows.colors, strict=True)).values())
    assert shuffled.colors != rows.colors
    assert [color[song] for song in rows.songs] == shuffled.colors


def test_a_message_carries_the_data_whole(rows: TrainingData) -> None:
    train, validation, rules, seed = wire.unpack(wire.pack(rows, rows.take([]), QUICK, 9))
    assert (train.keys, train.colors, rules, seed, len(validation)) == (rows.keys, rows.colors, QUICK, 9, 0)
    assert np.array_equal(train.target, rows.target) and train.specs == rows.specs
    assert all(np.array_equal(train.vectors[name], rows.vectors[name]) for name in rows.vectors)
    assert all(np.array_equal(train.has[name], rows.has[name]) for name in MODALITIES)
    assert all(np.array_equal(one, other) for one, other in zip(train.notes, rows.notes, strict=True))


def test_the_modal_function_trains_what_this_machine_trains(rows: TrainingData) -> None:
    pytest.importorskip("modal")
    from rainbow_assets.fitness import modal_app

    away = remote.fit_somewhere(rows, rows.take([]), replace(QUICK, engine="modal"), 3, send=modal_app.fit.local)
    here = remote.fit_somewhere(rows, rows.take([]), QUICK, 3)
    assert same(away.weights, here.weights) and away.history == here.history
    assert away.parameters == here.parameters > 50_000


def test_without_a_token_modal_says_what_to_do(rows: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    modal = pytest.importorskip("modal")
    from rainbow_assets.errors import UsageError

    def refuse(*names: str) -> None:
        raise modal.exception.AuthError("no token")

    monkeypatch.setattr(modal.Function, "from_name", refuse)
    with pytest.raises(UsageError, match="modal token new"):
        remote.fit_somewhere(rows, rows.take([]), replace(QUICK, engine="modal"), 3)
