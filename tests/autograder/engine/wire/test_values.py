"""Values come out of the wire as they went in, and nothing but values comes out."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.engine.wire.decoder import Decoder
from autograder.engine.wire.encoder import Encoder
from autograder.engine.wire.frames import ProtocolError
from autograder.engine.wire.values import MAX_DEPTH, NUMPY_DTYPES, TORCH_DTYPES, Tag, ValueRefused


def refuse(*_: object) -> Any:
    raise AssertionError("nothing here is a reference")


def packed(part: Any) -> Any:
    return msgpack.unpackb(msgpack.packb(part))


def through(value: object, **options: Any) -> Any:
    encoder = Encoder(refuse, **options)
    part = packed(encoder.encode(value))
    return Decoder([bytearray(b) for b in encoder.buffers], refuse, **options).decode(part)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.builds(slice, st.integers(), st.none() | st.integers())
    | st.just(Ellipsis)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=25,
)


@st.composite
def layouts(draw: st.DrawFn) -> torch.Tensor:
    """Draw a tensor in a layout that PyTorch's views make: cut, turned, spread, and in any dtype."""
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    dtype = draw(st.sampled_from(list(TORCH_DTYPES.values())))
    tensor = torch.arange(int(np.prod(shape, dtype=int))).reshape(shape).to(dtype)
    for step in draw(st.lists(st.sampled_from(("turn", "cut", "pick", "spread", "grow")), max_size=4)):
        dim = draw(st.integers(0, tensor.dim() - 1)) if tensor.dim() else None
        if step == "grow":
            tensor = tensor.unsqueeze(0)
        elif dim is None:
            continue
        elif step == "turn":
            tensor = tensor.transpose(dim, draw(st.integers(0, tensor.dim() - 1)))
        elif step == "cut":
            tensor = tensor.narrow(dim, 0, (tensor.shape[dim] + 1) // 2)
        elif step == "pick" and tensor.shape[dim]:
            tensor = tensor.select(dim, draw(st.integers(0, tensor.shape[dim] - 1)))
        elif step == "spread" and tensor.shape[dim] == 1:
            tensor = tensor.expand([3 if n == dim else -1 for n in range(tensor.dim())])
    return tensor


@given(layouts(), st.booleans())
@settings(max_examples=400, deadline=None)
def test_tensors_of_every_layout_survive(tensor: torch.Tensor, keep_strides: bool) -> None:
    there = through(tensor, keep_strides=keep_strides)
    assert there.dtype == tensor.dtype
    assert there.shape == tensor.shape
    assert torch.equal(there, tensor)


def test_one_entry_with_a_long_stride_survives() -> None:
    nearest = torch.tensor([[3.0, 1.0, 2.0]]).argsort(dim=1)[:, 0]
    assert nearest.is_contiguous()
    assert nearest.stride() == (3,)
    assert torch.equal(through(nearest), torch.tensor([1]))


@given(values)
@settings(max_examples=200, deadline=None)
def test_plain_values_survive(value: object) -> None:
    assert repr(through(value)) == repr(value)  # repr tells types and NaN apart


@pytest.mark.parametrize("dtype", TORCH_DTYPES.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)])
def test_tensors_survive(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = torch.randint(0, 2, shape).to(dtype)
    found = through(tensor)
    assert type(found) is torch.Tensor
    assert found.dtype == dtype
    assert torch.equal(found, tensor)
    found.fill_(1)  # writable, and its own memory
    assert found.shape == tensor.shape


@pytest.mark.parametrize("name", NUMPY_DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_arrays_and_their_scalars_survive(name: str, shape: tuple[int, ...]) -> None:
    array = np.ones(shape, dtype=name)
    found = through(array)
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)
    assert found.shape == shape
    scalar = through(np.ones(1, dtype=name)[0])
    assert type(scalar) is NUMPY_DTYPES[name].type


def test_nan_and_infinities_survive_bit_for_bit() -> None:
    tensor = torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0])
    assert torch.equal(through(tensor).view(torch.int32), tensor.view(torch.int32))


@pytest.mark.parametrize(
    "tensor",
    [torch.arange(12.0).reshape(3, 4).t(), torch.arange(24.0)[::2]],
    ids=["transposed", "strided"],
)
def test_layout_is_kept_towards_the_worker_and_dropped_on_the_way_back(tensor: torch.Tensor) -> None:
    assert torch.equal(through(tensor), tensor)
    assert through(tensor).is_contiguous()
    there = through(tensor, keep_strides=True)
    assert torch.equal(there, tensor)
    assert not there.is_contiguous()


def test_an_expanded_tensor_arrives_dense() -> None:
    tensor = torch.arange(3.0).expand(4, 3)
    there = through(tensor, keep_strides=True)
    assert torch.equal(there, tensor)
    there.add_(1)  # every element has memory of its own


def test_a_worker_cannot_choose_how_the_grader_lays_memory_out() -> None:
    part = packed([Tag.TENSOR, "float32", [2], 0, False, [1 << 40]])
    assert Decoder([bytearray(8)], refuse).decode(part).is_contiguous()


def test_conjugate_and_negative_views_arrive_resolved() -> None:
    z = torch.tensor([1 + 2j, 3 - 4j])
    assert torch.equal(through(z.conj()), z.conj())
    assert torch.equal(through(z.conj().imag), z.conj().imag)


def test_other_listed_values_survive() -> None:
    for value in (
        torch.Size([2, 3]),
        torch.float16,
        torch.device("cpu"),
        torch.device("cpu:0"),
        np.dtype("int8"),
    ):
        assert through(value) == value
        assert type(through(value)) is type(value)


def test_a_leaf_keeps_requires_grad_and_a_graph_does_not_cross() -> None:
    leaf = torch.ones(2, requires_grad=True)
    assert through(leaf).requires_grad
    assert not through(leaf * 2).requires_grad


def test_default_and_ordered_dicts_arrive_as_dicts() -> None:
    folds = collections.defaultdict(list, {1: [0.5]})
    assert type(through(folds)) is dict
    assert through(folds) == {1: [0.5]}
    assert type(through(collections.OrderedDict(a=1))) is dict


class Sly(int):
    """A number that equals everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


class SlyTensor(torch.Tensor):
    """A tensor whose operations a student could define."""


@pytest.mark.parametrize(
    "value",
    [
        Sly(3),
        type("S", (str,), {})("x"),
        type("L", (list,), {})(),
        collections.Counter("a"),
        torch.ones(2).as_subclass(SlyTensor),
        torch.nn.Parameter(torch.ones(2)),
        np.ma.masked_array([1], [0]),
        np.array([object()]),
        np.array(["text"]),
        np.zeros(2, dtype=[("a", "f4")]),
        torch.ones(2, 2).to_sparse(),
        torch.ones(2, device="meta"),
        torch.ones(2).view(torch.float8_e5m2),
        torch.ones([1] * 17),
        torch.empty(1 << 25, 0),
        np.ones([1] * 17),
    ],
    ids=lambda value: type(value).__name__,
)
def test_subclasses_and_exotic_tensors_are_refused(value: object) -> None:
    with pytest.raises(ValueRefused):
        through(value)
    with pytest.raises(ValueRefused):
        through([value])


@pytest.mark.parametrize("value", [type("T", (tuple,), {})([1]), collections.namedtuple("Point", "x")(1)])
def test_a_subclass_of_tuple_crosses_by_reference_or_not_at_all(value: object) -> None:
    asked: list[object] = []

    def refer(found: object) -> list[Any]:
        asked.append(found)
        return [Tag.THEIRS, 0, "object", "Point"]

    assert Encoder(refer).encode([value]) == [Tag.LIST, [[Tag.THEIRS, 0, "object", "Point"]]]
    assert asked[0] is value


def test_size_is_checked_before_a_tensor_is_expanded() -> None:
    terabyte = torch.zeros(1).expand(1 << 38)
    with pytest.raises(ValueRefused, match="budget"):
        through(terabyte)


def test_deep_nesting_is_refused_on_both_sides() -> None:
    value: object = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueRefused, match="deeper"):
        through(value)
    part: Any = 1
    for _ in range(MAX_DEPTH + 2):
        part = [int(Tag.LIST), [part]]
    with pytest.raises(ProtocolError):
        Decoder([], refuse).decode(part)


@pytest.mark.parametrize(
    "value",
    [[0] * 500_001, ((0,) * 300_000, (0,) * 300_000), torch.Size([1] * 500_001)],
    ids=["list", "tuples", "size"],
)
def test_more_items_than_a_message_holds_are_refused_by_the_sender(value: object) -> None:
    with pytest.raises(ValueRefused, match="holds more than 500,000 items"):
        through(value)


@pytest.mark.parametrize("value", [[[]] * 100_000, dict.fromkeys(range(100_000)), [1j] * 100_000])
def test_too_many_parts_are_refused_before_they_are_sent(value: object) -> None:
    with pytest.raises(ValueRefused, match="more than 100,000 parts"):
        through(value)


def test_many_numbers_are_no_parts() -> None:
    assert through([1.5] * 300_000) == [1.5] * 300_000


def test_identity_survives_within_a_message() -> None:
    shared = torch.ones(2)
    first, second = through([shared, shared])
    assert first is second


def test_a_container_that_contains_itself_is_refused_at_both_ends() -> None:
    ring: list[object] = [1]
    ring.append({"ring": ring})
    with pytest.raises(ValueRefused, match="contains itself"):
        Encoder(refuse).encode(ring)
    with pytest.raises(ProtocolError, match="contains itself"):
        Decoder([], refuse).decode(packed([Tag.LIST, [1, [Tag.SAME, 0]]]))


def test_lists_that_double_at_every_step_are_refused() -> None:
    doubling: list[object] = [[Tag.LIST, []]]
    doubling += [[Tag.LIST, 2 * [[Tag.SAME, 1 + step]]] for step in range(40)]
    with pytest.raises(ProtocolError, match="too often"):
        Decoder([], refuse).decode(packed([Tag.LIST, doubling]))
    Decoder([], refuse).decode(packed([Tag.LIST, doubling[:16]]))


def test_a_tensor_of_a_billion_empty_rows_is_refused() -> None:
    for shape in ([2**30, 0], [2**13, 0, 2**13]):
        with pytest.raises(ProtocolError, match="long sides"):
            Decoder([bytearray()], refuse).decode(packed([Tag.TENSOR, "float32", shape, 0, False, None]))
    assert through(torch.empty(0, 3, 224, 224)).shape == (0, 3, 224, 224)


def test_dicts_of_many_keys_are_refused_together_where_their_hashes_might_collide() -> None:
    def dicts(count: int, key: Callable[[int], Any]) -> Any:
        return packed([Tag.LIST, [[Tag.DICT, [[key(n), 0] for n in range(8000)]] for _ in range(count)]])

    assert len(Decoder([], refuse).decode(dicts(1, int))) == 1
    assert len(Decoder([], refuse).decode(dicts(3, str))) == 3
    with pytest.raises(ProtocolError, match="too many pairs"):
        Decoder([], refuse).decode(dicts(2, int))


def test_what_the_request_knew_comes_back_as_the_same_object() -> None:
    x, config = torch.ones(2), {"t": 1}
    encoder = Encoder(refuse)
    sent = packed(encoder.encode([x, config]))
    worker = Decoder([bytearray(b) for b in encoder.buffers], refuse)
    its_x, its_config = worker.decode(sent)
    reply = Encoder(refuse, worker.nodes)
    part = packed(reply.encode((its_x, its_config, torch.zeros(1))))
    back = Decoder([bytearray(b) for b in reply.buffers], refuse, encoder.nodes).decode(part)
    assert back[0] is x
    assert back[1] is config


@pytest.mark.parametrize(
    "part",
    [
        [],
        ["list", []],
        [99],
        [Tag.LIST],
        [Tag.LIST, 3],
        [Tag.DICT, [[1]]],
        [Tag.DICT, [[[Tag.LIST, []], 1]]],
        [Tag.BIG_INT, "f" * 5000],
        [Tag.BIG_INT, "no number"],
        [Tag.TENSOR, "float32", [4], 0, False, None],
        [Tag.TENSOR, "float32", [-1], 0, False, None],
        [Tag.TENSOR, "float32", [2], 7, False, None],
        [Tag.TENSOR, "float32", [2], -1, False, None],
        [Tag.TENSOR, "qint8", [8], 0, False, None],
        [Tag.TENSOR, ["float32"], [2], 0, False, None],
        [Tag.TENSOR, "float32", [1 << 30, 1 << 30, 0], 0, False, None],
        [Tag.TENSOR, "float32", [True, 2], 0, False, None],
        [Tag.TENSOR, "float32", [1] * 65, 0, False, None],
        [Tag.ARRAY, "object", [1], 0],
        [Tag.ARRAY, "O", [1], 0],
        [Tag.NUMPY_SCALAR, "float64", b"abc"],
        [Tag.SIZE, "three"],
        [Tag.TORCH_DTYPE, "Tensor"],
        [Tag.NUMPY_DTYPE, "O"],
        [Tag.DEVICE, "hpu"],
        [Tag.SAME, 5],
        [Tag.SAME, -1],
        [Tag.COMPLEX, "1", 2.0],
    ],
    ids=str,
)
def test_malformed_parts_are_refused(part: Any) -> None:
    with pytest.raises(ProtocolError):
        Decoder([bytearray(8)], refuse).decode(packed(part))


@pytest.mark.parametrize("part", [3, [], [True, []], [[Tag.LIST], []], [{}, []], [Tag.DICT, []]], ids=str)
def test_new_content_of_another_type_is_refused(part: Any) -> None:
    with pytest.raises(ProtocolError, match="a different type"):
        Decoder([], refuse).decode_content(packed(part), [1])


def test_one_buffer_backs_one_value() -> None:
    tensor = [Tag.TENSOR, "float32", [2], 0, False, None]
    with pytest.raises(ProtocolError):
        Decoder([bytearray(8)], refuse).decode(packed([Tag.LIST, [tensor, list(tensor)]]))


def test_colliding_keys_cannot_keep_the_grader_busy() -> None:
    pairs = [[key * (2**61 - 1), 0] for key in range(20_000)]
    with pytest.raises(ProtocolError, match="pairs"):
        Decoder([], refuse).decode([int(Tag.DICT), pairs])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-300, 300) | st.text(max_size=3) | st.binary(max_size=3),
        lambda inner: st.lists(inner, max_size=5),
        max_leaves=20,
    )
)
@settings(max_examples=300, deadline=None)
def test_arbitrary_parts_decode_or_are_refused(part: Any) -> None:
    def resolve(tag: Tag, parts: list[Any]) -> object:
        raise ProtocolError("nothing here")

    try:
        Decoder([bytearray(4)], resolve).decode(part)
    except ProtocolError:
        return
