"""Hidden tests of update rules.

The rules are followed in NumPy and float64, step by step, with the mistakes that students typically make, for
the likely causes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import fully_connected_networks as fcn
import numpy as np
import pytest
import torch
from torch import Tensor

from autograder.hidden import hidden_normal
from helpers.testing import Hint, asking, checks

Config = dict[str, Any]
Rule = Callable[[np.ndarray, np.ndarray, Config, str], np.ndarray]
"""Returns the next w, and changes the config; the last argument is a mistake to make."""

normal = partial(hidden_normal, "updates")

W = normal("w", shape=(4, 5))
STEPS = [normal(f"dw {number}", shape=(4, 5)) for number in range(4)]
STEPS[0][0, 0] = 1e-3  # so small that it matters where epsilon stands


def momentum(w: np.ndarray, dw: np.ndarray, config: Config, mistake: str) -> np.ndarray:
    """Follow the rule of sgd_momentum."""
    mu, rate = config["momentum"], config["learning_rate"]
    old = config.get("velocity", np.zeros_like(w))
    velocity = mu * old - rate * dw
    if mistake in ("sign", "turned"):
        velocity = mu * old + rate * dw
    elif mistake == "plain":
        velocity = -rate * dw
    elif mistake == "outside":
        velocity = mu * old + dw
    elif mistake == "outside, turned":
        velocity = mu * old - dw
    elif mistake == "average":
        velocity = mu * old - (1 - mu) * rate * dw
    config["velocity"] = velocity
    return {
        "stale": w + old,
        "minus": w - velocity,
        "turned": w - velocity,
        "outside": w - rate * velocity,
        "outside, turned": w + rate * velocity,
        "rate": w + rate * velocity,
        "nesterov": w + mu * velocity - rate * dw,
    }.get(mistake, w + velocity)


def rmsprop(w: np.ndarray, dw: np.ndarray, config: Config, mistake: str) -> np.ndarray:
    """Follow the rule of rmsprop."""
    decay, rate, epsilon = config["decay_rate"], config["learning_rate"], config["epsilon"]
    old = config.get("cache", np.zeros_like(w))
    if mistake == "swapped":
        decay = 1 - decay
    squares = dw if mistake == "not squared" else dw * dw
    share = 1 if mistake in ("sum", "half") else 1 - decay
    config["cache"] = cache = (1 if mistake == "sum" else decay) * old + share * squares
    root = np.sqrt(np.abs(old if mistake == "stale" else cache))
    step = {"no root": dw / (cache + epsilon), "inside": dw / np.sqrt(np.abs(cache + epsilon))}.get(
        mistake, dw / (root + epsilon)
    )
    if mistake in ("apart", "apart, scaled"):
        step = dw / root + epsilon * (1 if mistake == "apart, scaled" else -1 / rate)
    return w + rate * step if mistake == "sign" else w - rate * step


def adam(w: np.ndarray, dw: np.ndarray, config: Config, mistake: str) -> np.ndarray:
    """Follow the rule of adam."""
    beta1, beta2 = config["beta1"], config["beta2"]
    if mistake == "swapped":
        beta1, beta2 = beta2, beta1
    t = config["t"] = config.get("t", 0) + 1
    m = config["m"] = beta1 * config.get("m", np.zeros_like(w)) + (1 - beta1) * dw
    squares = dw if mistake == "not squared" else dw * dw
    v = config["v"] = beta2 * config.get("v", np.zeros_like(w)) + (1 - beta2) * squares
    used = {"late": t - 1, "one": 1}.get(mistake, t)
    with np.errstate(all="ignore"):
        m_hat, v_hat = m / (1 - beta1**used), v / (1 - beta2**used)
        if mistake == "uncorrected":
            m_hat, v_hat = m, v
        elif mistake == "crossed":
            m_hat, v_hat = m / (1 - beta2**used), v / (1 - beta1**used)
        elif mistake in ("kept", "kept m", "kept v"):
            config["m"] = m if mistake == "kept v" else m_hat
            config["v"] = v if mistake == "kept m" else v_hat
        v_hat = v if mistake == "second uncorrected" else v_hat
        root = np.sqrt(np.abs(v_hat))
        lower = {"no root": v_hat + config["epsilon"], "inside": np.sqrt(np.abs(v_hat + config["epsilon"]))}
        step = m_hat / lower.get(mistake, root + config["epsilon"])
        if mistake in ("apart", "apart, scaled"):
            factor = 1 if mistake == "apart, scaled" else -1 / config["learning_rate"]
            step = m_hat / root + config["epsilon"] * factor
    return w + config["learning_rate"] * step if mistake == "sign" else w - config["learning_rate"] * step


NOT_KEPT = {
    "velocity": "the old velocity has no effect; it was not kept in config, or not used",
    "cache": "the old cache has no effect; it was not kept in config, or not used",
    "t": "corrected with a wrong t: count the step first, t begins at 1, and keep t in config",
}
OUTSIDE = "the learning rate belongs into the velocity: momentum * v - learning_rate * dw, and w + v"
MOMENTUM_HINTS = {
    "sign": "the velocity goes along the gradient; it goes against it: momentum * v - learning_rate * dw",
    "minus": "the velocity was subtracted from w; add it",
    "turned": "the velocity has the other sign: momentum * v - learning_rate * dw, which is added to w",
    "outside": OUTSIDE,
    "outside, turned": OUTSIDE,
    "stale": "the old velocity was used; use the new one",
    "plain": NOT_KEPT["velocity"],
    "average": "dw was multiplied by 1 - momentum; here it is not",
    "rate": "multiplied by the learning rate twice",
    "nesterov": "this is Nesterov's momentum; the plain one is asked for",
}
APART = "epsilon was added to the step, not to the root: put root + epsilon in parentheses"
APARTS = {"apart": APART, "apart, scaled": APART}
RMSPROP_HINTS = APARTS | {
    "no root": "the square root of the cache is missing",
    "inside": "epsilon is under the square root; add it to the root",
    "swapped": "decay_rate and 1 - decay_rate are swapped",
    "not squared": "the gradient was not squared",
    "half": "the squares have a factor 1 - decay_rate",
    "sum": "squares were added up, as in AdaGrad; here they decay",
    "stale": "the old cache was used; use the new one",
    "sign": "the step goes uphill; subtract it",
}
KEPT = "m and v were kept as corrected; keep them as they were before the correction"
ADAM_HINTS = APARTS | {
    "uncorrected": "m and v are too small at first; divide them by 1 - beta1 ** t and 1 - beta2 ** t",
    "crossed": "each was corrected with the other's beta: m has 1 - beta1 ** t, v has 1 - beta2 ** t",
    "kept": KEPT,
    "kept m": KEPT,
    "kept v": KEPT,
    "second uncorrected": "v was not corrected; divide it by 1 - beta2 ** t",
    "late": NOT_KEPT["t"],
    "one": NOT_KEPT["t"],
    "no root": "the square root of v is missing",
    "inside": "epsilon is under the square root; add it to the root",
    "swapped": "beta1 and beta2 are swapped",
    "not squared": "the gradient was not squared in v",
    "sign": "the step goes uphill; subtract it",
}


def follow(rule: Rule, config: Config, steps: int, mistake: str = "") -> tuple[Tensor, Config]:
    """Return w and config after some steps."""
    state = {name: value.numpy() if type(value) is Tensor else value for name, value in config.items()}
    w = W.numpy()
    for dw in STEPS[:steps]:
        w = rule(w, dw.numpy(), state, mistake)
    tensors = {name: torch.from_numpy(value) for name, value in state.items() if type(value) is np.ndarray}
    return torch.from_numpy(w), {**state, **tensors}


def call(function: Callable[..., Any], w: Tensor, dw: Tensor, config: Config | None) -> tuple[Any, Config]:
    """Return the two results of a student's rule, checked for their form."""
    found = asking.ask(function, w, dw) if config is None else asking.ask(function, w, dw, config)
    next_w, after = checks.parts(found, 2, what="the result of the update rule")
    checks.holds(next_w is not None, what="next_w", problem="None", likely_cause="not written yet")
    checks.holds(type(after) is dict, what="the config that is returned", problem="not a dict")
    return next_w, after  # type: ignore[return-value]


def check_rule(
    function: Callable[..., Any],
    rule: Rule,
    given: Config | None,
    defaults: Config,
    hints: dict[str, str],
    steps: int,
    keys: tuple[str, ...],
) -> None:
    """Compare every step, and what is remembered after it, with the oracle.

    A rule that keeps what it remembers under other keys is checked with these, too.
    """
    start = {**defaults, **(given or {})}
    names = own_keys(function, rule, start, keys)
    check = partial(follow_steps, function, rule, given, start, hints, steps)
    renamed = [
        asking.Slip(kept_as(own, key), partial(check, names)) for key, own in names.items() if own != key
    ]
    asking.check_but_for(partial(check, {key: key for key in keys}), *renamed[:1], what="the update rule")


def own_keys(
    function: Callable[..., Any], rule: Rule, start: Config, keys: tuple[str, ...]
) -> dict[str, str]:
    """Return under what keys a student's rule keeps what it remembers, by those it should have.

    A first step shows it, from which nothing has to be remembered.
    """
    settings = {name: value for name, value in start.items() if name not in keys}
    state = follow(rule, settings, 1)[1]
    try:
        after: Any = call(function, W.clone(), STEPS[0].clone(), dict(settings))[1]
    except Exception:  # other checks tell what is wrong
        return {key: key for key in keys}
    return {key: key if key in after else kept_elsewhere(after, key, state[key]) or key for key in keys}


@asking.one_slip()
def follow_steps(
    function: Callable[..., Any],
    rule: Rule,
    given: Config | None,
    start: Config,
    hints: dict[str, str],
    steps: int,
    names: dict[str, str],
) -> None:
    """Compare every step; `names` are the keys under which the config of the student holds what is kept."""
    w, config = W.clone(), None
    if given is not None:
        config = {names.get(name, name): value for name, value in _copy(given).items()}
    for number in range(1, steps + 1):
        w, config = call(function, w, STEPS[number - 1].clone(), config)
        right, state = follow(rule, start, number)
        mistaken = [(*follow(rule, start, number, mistake), says) for mistake, says in hints.items()]
        wrong = [Hint(next_w, says) for next_w, _, says in mistaken]
        if number == 1 and "t" in names and not start.get("t"):
            wrong.append(Hint(partial(is_not_counted, function, right, start), NOT_KEPT["t"], slip=True))
        origin = W if number == 1 else follow(rule, start, number - 1)[0]
        # With no velocity yet, the old one moves nothing, and that is a slip.
        nothing = None if number == 1 and given is None and "velocity" in names else origin
        what = f"next_w after {number} of {steps} steps"
        checks.close(w, right, what=what, hints=wrong, origin=nothing)
        unseen = [(after, says) for next_w, after, says in mistaken if torch.allclose(next_w, right)]
        for key, own in names.items():
            entry, keep = f'config["{own}"]', NOT_KEPT.get(key, f"{key} was not kept in config")
            elsewhere = kept_elsewhere(config, key, state[key])
            cause = kept_as(elsewhere, key) if elsewhere else keep
            checks.holds(own in config, what=entry, problem="missing", likely_cause=cause, slip=True)
            before = start.get(key, 0 if key == "t" else torch.zeros_like(W))
            kept = number > 1 or not checks.agrees(config[own], before)
            both = key == "m" and checks.agrees(config.get("v"), start.get("v", torch.zeros_like(W)))
            checks.holds(
                kept,
                what=f"{entry} after step {number}",
                problem="as it was before",
                likely_cause=cause if elsewhere else NEITHER if both else keep,
                slip=True,
            )
            wrong = [Hint(after[key], says) for after, says in unseen]
            checks.close(config[own], state[key], what=f"{entry} after step {number}", hints=wrong)
        rate = config.get("learning_rate")
        checks.close(rate, start["learning_rate"], what='config["learning_rate"]')


NEITHER = "m and v were not kept in config"


def kept_elsewhere(config: Config, key: str, right: object) -> str | None:
    """Return the other name under which a config holds what belongs under a key."""
    others = [one for one in config if type(one) is str and one != key]
    return next((one for one in others if checks.agrees(config[one], right)), None)


def kept_as(own: str, key: str) -> str:
    """Return what is said of something that is kept under another name."""
    return f"kept as {own[:20]}; the key is {key}"


def is_not_counted(function: Callable[..., Any], right: Tensor, start: Config, found: Tensor) -> bool:
    """Tell whether a first step is NaN, and is right if t is 1 already: t is 0 where it divides."""
    if not bool(found.isnan().all()):
        return False
    counted = {**_copy(start), "t": 1, "m": torch.zeros_like(W), "v": torch.zeros_like(W)}
    return checks.agrees(call(function, W.clone(), STEPS[0].clone(), counted)[0], right)


def _copy(config: Config) -> Config:
    return {name: value.clone() if type(value) is Tensor else value for name, value in config.items()}


MOMENTUM = {"learning_rate": 1e-2, "momentum": 0.9}
RMSPROP = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8}
ADAM = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}


@pytest.mark.task("sgd_momentum", weight=4)
def test_momentum_from_a_velocity() -> None:
    """Momentum: three steps that begin with a velocity."""
    given = {"learning_rate": 0.07, "momentum": 0.6, "velocity": normal("velocity", shape=(4, 5))}
    check_rule(fcn.sgd_momentum, momentum, given, {}, MOMENTUM_HINTS, 3, ("velocity",))


@pytest.mark.task("sgd_momentum", weight=3)
def test_momentum_by_default() -> None:
    """Momentum: three steps without a config: learning rate 0.01, momentum 0.9, velocity 0."""
    check_rule(fcn.sgd_momentum, momentum, None, MOMENTUM, MOMENTUM_HINTS, 3, ("velocity",))


@pytest.mark.task("rmsprop", weight=4)
def test_rmsprop_from_a_cache() -> None:
    """RMSProp: three steps that begin with a cache, and an epsilon that matters."""
    cache = normal("cache", shape=(4, 5)).abs()
    given = {"learning_rate": 0.07, "decay_rate": 0.8, "epsilon": 0.05, "cache": cache}
    check_rule(fcn.rmsprop, rmsprop, given, {}, RMSPROP_HINTS, 3, ("cache",))


@pytest.mark.task("rmsprop", weight=3)
def test_rmsprop_by_default() -> None:
    """RMSProp: three steps without a config."""
    check_rule(fcn.rmsprop, rmsprop, None, RMSPROP, RMSPROP_HINTS, 3, ("cache",))


@pytest.mark.task("adam", weight=3)
def test_adam_at_first() -> None:
    """Adam: the first step, t = 1."""
    given = {"learning_rate": 0.07, "epsilon": 0.01}
    check_rule(fcn.adam, adam, given, ADAM | given, ADAM_HINTS, 1, ("m", "v", "t"))


@pytest.mark.task("adam", weight=5)
def test_adam_in_the_middle() -> None:
    """Adam: three steps that begin in the middle, with t = 5, other betas, and an epsilon that matters."""
    given = {"learning_rate": 0.07, "beta1": 0.7, "beta2": 0.9, "epsilon": 0.05, "t": 5}
    given |= {"m": normal("m", shape=(4, 5)), "v": normal("v", shape=(4, 5)).abs()}
    check_rule(fcn.adam, adam, given, {}, ADAM_HINTS, 3, ("m", "v", "t"))


@pytest.mark.task("adam", weight=3)
def test_adam_by_default() -> None:
    """Adam: four steps without a config."""
    check_rule(fcn.adam, adam, None, ADAM, ADAM_HINTS, 4, ("m", "v", "t"))
