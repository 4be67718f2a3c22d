"""Hidden test of saved weights: how many pictures that nobody has seen the best network recognizes."""

import pytest
import torch
import two_layer_net

from autograder.hidden import Thresholds, hidden_seed
from helpers.data.pictures import tabletop, tabletop_images
from helpers.testing import checks, load_weights

THRESHOLDS = Thresholds("two_layer_net")
FILE, NAMES = "best_two_layer_net.pt", ("W1", "b1", "W2", "b2")
COUNT = 3000
IMAGES, LABELS = tabletop_images(hidden_seed("pictures"), COUNT)
ROWS = ((IMAGES - tabletop(4000, 0, 0).x_train.mean(dim=0)) / 0.25).flatten(start_dim=1)
"""The pictures as the notebook prepares them."""


@pytest.mark.task("saved_weights", weight=4)
def test_saved_weights_on_pictures() -> None:
    """Saved weights: recognize pictures that nobody has seen."""
    params = load_weights(two_layer_net, FILE)
    checks.holds(params.keys() >= set(NAMES), what="the saved weights", problem="not the names in params")
    W1, b1, W2, b2 = (params[name].float() for name in NAMES)
    units = b1.numel()
    fitting = b1.dim() == 1 and W1.shape == (ROWS.shape[1], units) and W2.shape == (units, 10)
    checks.holds(fitting and b2.shape == (10,), what="the saved weights", problem="of shapes that do not fit")
    checks.holds(0 < units <= 1000, what="the hidden layer", problem="empty, or of more than 1000 units")
    scores = (ROWS @ W1 + b1).clamp(min=0) @ W2 + b2
    checks.holds(bool(torch.isfinite(scores).all()), what="the scores", problem="infinite or NaN")
    accuracy = float((scores.argmax(dim=1) == LABELS).double().mean()) * 100
    THRESHOLDS.require("saved weights", accuracy, what="the percentage of pictures recognized")
