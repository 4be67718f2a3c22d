"""The names that rules about source understand: builtins, functions, methods and attributes.

A name that is not here is named to the student, and the rule does not hold; docs/rules.md says so. What is
here computes with tensors and numbers, or does nothing that a rule could mind. Ready-made layers, losses and
distances are left out, and so is whatever runs text, loads objects, or calls functions that it is given,
unless that counts as a loop.
"""

from __future__ import annotations

import builtins


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


TORCH = words(
    """
abs abs_ absolute acos acos_ acosh acosh_ add addbmm addcdiv addcmul addmm addmv addmv_ addr adjoint all
allclose amax amin aminmax angle any arange arccos arccos_ arccosh arccosh_ arcsin arcsin_ arcsinh
arcsinh_ arctan arctan2 arctan_ arctanh arctanh_ argmax argmin argsort argwhere as_strided as_strided_
as_strided_scatter as_tensor asarray asin asin_ asinh asinh_ atan atan2 atan_ atanh atanh_ atleast_1d
atleast_2d atleast_3d baddbmm bernoulli bincount binomial bitwise_and bitwise_left_shift bitwise_not
bitwise_or bitwise_right_shift bitwise_xor block_diag bmm broadcast_shapes broadcast_tensors
broadcast_to bucketize can_cast cartesian_prod cat ceil ceil_ chain_matmul cholesky cholesky_inverse
cholesky_solve chunk clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_ clip clip_ clone
column_stack combinations complex concat concatenate conj conj_physical conj_physical_ constant_pad_nd
copysign corrcoef cos cos_ cosh cosh_ count_nonzero cov cross cummax cummin cumprod cumsum
cumulative_trapezoid deg2rad deg2rad_ det detach detach_ diag diag_embed diagflat diagonal
diagonal_scatter diff digamma div divide dot dsplit dstack einsum empty empty_like empty_permuted
empty_strided eq equal erf erf_ erfc erfc_ erfinv exp exp2 exp2_ exp_ expm1 expm1_ eye fill fill_ fix
fix_ flatten flip fliplr flipud float_power floor floor_ floor_divide fmax fmin fmod frac frac_ frexp
from_numpy frombuffer full full_like gather gcd gcd_ ge geqrf ger get_device gradient greater
greater_equal gt heaviside histc histogram histogramdd hsplit hstack hypot i0 i0_ igamma igammac imag
index_add index_fill index_put index_put_ index_reduce index_select inner inverse is_complex is_conj
is_floating_point is_inference is_neg is_nonzero is_same_size is_signed is_tensor isclose isfinite isin
isinf isnan isneginf isposinf isreal kron kthvalue lcm lcm_ ldexp ldexp_ le lerp less less_equal lgamma
linspace log log10 log10_ log1p log1p_ log2 log2_ log_ log_softmax logaddexp logaddexp2 logcumsumexp
logdet logical_and logical_not logical_or logical_xor logit logit_ logspace logsumexp lt lu_solve
lu_unpack masked_fill masked_scatter masked_select matmul matrix_exp matrix_power max maximum mean
median meshgrid min minimum mm mode moveaxis movedim msort mul multinomial multiply mv mvlgamma
nan_to_num nan_to_num_ nanmean nanmedian nanquantile nansum narrow ne neg neg_ negative negative_
nextafter nonzero nonzero_static normal not_equal numel ones ones_like orgqr ormqr outer permute
pinverse poisson polar polygamma positive pow prod promote_types put qr quantile rad2deg rad2deg_ rand
rand_like randint randint_like randn randn_like randperm range ravel real reciprocal reciprocal_ relu
relu_ remainder repeat_interleave reshape resolve_conj resolve_neg result_type roll rot90 round round_
row_stack rsqrt rsqrt_ rsub scalar_tensor scatter scatter_add scatter_reduce searchsorted select
select_scatter sgn sigmoid sigmoid_ sign signbit sin sin_ sinc sinc_ sinh sinh_ slice_scatter slogdet
softmax sort split split_with_sizes sqrt sqrt_ square square_ squeeze stack std std_mean sub subtract
sum svd swapaxes swapdims t take take_along_dim tan tan_ tanh tanh_ tensor tensor_split tensordot
threshold threshold_ tile topk trace transpose trapezoid trapz triangular_solve tril tril_indices triu
triu_indices true_divide trunc trunc_ unbind unflatten unique unique_consecutive unsqueeze vander var
var_mean vdot view_as_complex view_as_real vsplit vstack where xlogy xlogy_ zero_ zeros zeros_like
    """
)
"""Functions of `torch`: tensor operations, none of them a ready-made layer, loss or distance."""

OF_TORCH = words(
    """
Tensor FloatTensor DoubleTensor HalfTensor LongTensor IntTensor ShortTensor ByteTensor BoolTensor Size
Generator device dtype memory_format layout float float16 float32 float64 half double bfloat16 int int8
int16 int32 int64 short long uint8 bool cfloat complex64 complex128 pi inf nan e newaxis strided
contiguous_format channels_last preserve_format finfo iinfo no_grad inference_mode enable_grad
set_grad_enabled is_grad_enabled manual_seed seed initial_seed get_rng_state set_rng_state
get_default_dtype set_default_dtype set_printoptions get_num_threads set_num_threads set_default_device
get_default_device use_deterministic_algorithms set_float32_matmul_precision default_generator
cuda.is_available cuda.manual_seed cuda.manual_seed_all cuda.synchronize cuda.empty_cache
cuda.device_count cuda.current_device random.manual_seed backends.mps.is_available testing.assert_close
version.cuda __version__
    """
)
"""What else of `torch` computes nothing that a rule could mind."""

NAMESPACES = (
    *("torch.nn.functional", "torch.nn.init", "torch.nn", "torch.linalg", "torch.fft", "torch.special"),
    *("torch.optim", "torch.autograd", "torch.func", "numpy.linalg", "numpy.fft", "numpy.random"),
)
"""Modules all of whose public functions are understood; a task that minds them bans them."""

CALLING = frozenset({"torch.nn", "torch.optim", "torch.autograd", "torch.func"})
"""Those of them that hold what calls functions often."""

METHODS = words(
    """
H T abs abs_ absolute absolute_ acos acos_ acosh acosh_ add add_ addbmm addbmm_ addcdiv addcdiv_ addcmul
addcmul_ addmm addmm_ addmv addmv_ addr addr_ adjoint all allclose amax amin aminmax angle any arccos
arccos_ arccosh arccosh_ arcsin arcsin_ arcsinh arcsinh_ arctan arctan2 arctan2_ arctan_ arctanh
arctanh_ argmax argmin argsort argwhere as_strided as_strided_ as_strided_scatter asin asin_ asinh
asinh_ atan atan2 atan2_ atan_ atanh atanh_ baddbmm baddbmm_ bernoulli bernoulli_ bfloat16 bincount
bitwise_and bitwise_and_ bitwise_left_shift bitwise_left_shift_ bitwise_not bitwise_not_ bitwise_or
bitwise_or_ bitwise_right_shift bitwise_right_shift_ bitwise_xor bitwise_xor_ bmm bool broadcast_to byte
cauchy_ cdouble ceil ceil_ cfloat chalf char cholesky cholesky_inverse cholesky_solve chunk clamp clamp_
clamp_max clamp_max_ clamp_min clamp_min_ clip clip_ clone conj conj_physical conj_physical_ contiguous
copy_ copysign copysign_ corrcoef cos cos_ cosh cosh_ count_nonzero cov cpu cross cuda cummax cummin
cumprod cumprod_ cumsum cumsum_ data data_ptr deg2rad deg2rad_ det detach detach_ device diag diag_embed
diagflat diagonal diagonal_scatter diff digamma digamma_ dim div div_ divide divide_ dot double dsplit
dtype element_size eq eq_ equal erf erf_ erfc erfc_ erfinv erfinv_ exp exp2 exp2_ exp_ expand expand_as
expm1 expm1_ exponential_ fill_ fill_diagonal_ fix fix_ flatten flip fliplr flipud float float_power
float_power_ floor floor_ floor_divide floor_divide_ fmax fmin fmod fmod_ frac frac_ frexp gather gcd
gcd_ ge ge_ geometric_ geqrf ger get_device grad greater greater_ greater_equal greater_equal_ gt gt_
half heaviside heaviside_ histc histogram hsplit hypot hypot_ i0 i0_ igamma igamma_ igammac igammac_
imag index index_add index_add_ index_copy index_copy_ index_fill index_fill_ index_put index_put_
index_reduce index_reduce_ index_select indices inner int inverse is_complex is_contiguous is_cuda
is_floating_point is_leaf is_nonzero is_same_size isclose isfinite isinf isnan isneginf isposinf isreal
item itemsize kron kthvalue layout lcm lcm_ ldexp ldexp_ le le_ lerp lerp_ less less_ less_equal
less_equal_ lgamma lgamma_ log log10 log10_ log1p log1p_ log2 log2_ log_ log_normal_ log_softmax
logaddexp logaddexp2 logcumsumexp logdet logical_and logical_and_ logical_not logical_not_ logical_or
logical_or_ logical_xor logical_xor_ logit logit_ logsumexp long lt lt_ lu_solve mH mT masked_fill
masked_fill_ masked_scatter masked_scatter_ masked_select matmul matrix_exp matrix_power max maximum
mean median min minimum mm mode moveaxis movedim msort mul mul_ multinomial multiply multiply_ mv
mvlgamma mvlgamma_ nan_to_num nan_to_num_ nanmean nanmedian nanquantile nansum narrow nbytes ndim
ndimension ne ne_ neg neg_ negative negative_ nelement new_empty new_empty_strided new_full new_ones
new_tensor new_zeros nextafter nextafter_ nonzero nonzero_static normal_ not_equal not_equal_ numel
numpy orgqr ormqr outer permute pinverse polygamma polygamma_ positive pow pow_ prod put put_ qr
quantile rad2deg rad2deg_ random_ ravel real reciprocal reciprocal_ relu relu_ remainder remainder_
repeat repeat_interleave requires_grad requires_grad_ reshape reshape_as resize_ resize_as_ resolve_conj
resolve_neg roll rot90 round round_ rsqrt rsqrt_ scatter scatter_ scatter_add scatter_add_
scatter_reduce scatter_reduce_ select select_scatter sgn sgn_ shape short sigmoid sigmoid_ sign sign_
signbit sin sin_ sinc sinc_ sinh sinh_ size slice_scatter slogdet softmax sort split split_with_sizes
sqrt sqrt_ square square_ squeeze squeeze_ std stride sub sub_ subtract subtract_ sum svd swapaxes
swapaxes_ swapdims swapdims_ t t_ take take_along_dim tan tan_ tanh tanh_ tensor_split tile to to_dense
tolist topk trace transpose transpose_ triangular_solve tril tril_ triu triu_ true_divide true_divide_
trunc trunc_ type type_as unbind unflatten unfold uniform_ unique unique_consecutive unsqueeze
unsqueeze_ values var vdot view view_as vsplit where xlogy xlogy_ zero_ astype base byteswap choose
compress fill flags itemset ptp searchsorted setflags strides tobytes tostring argpartition partition
append extend insert remove pop clear reverse count copy get items keys setdefault update popitem
fromkeys discard union intersection difference issubset issuperset symmetric_difference move_to_end
most_common elements popleft appendleft extendleft rotate format join rsplit splitlines strip lstrip
rstrip startswith endswith replace lower upper title capitalize casefold ljust rjust center zfill find
rfind isdigit isalpha isidentifier removeprefix removesuffix rpartition encode decode isnumeric isupper
islower as_integer_ratio is_integer bit_length conjugate start stop step args manual_seed initial_seed
seed get_state set_state random standard_normal integers permutation permuted shuffle choice choices
sample randint uniform normal exponential rand randn eps tiny smallest_normal bits resolution value name
_asdict _replace _fields setter getter deleter cache_clear cache_info set_description set_postfix
set_postfix_str write close refresh n total info debug warning error exception setLevel plot set_title
set_xlabel set_ylabel set_xlim set_ylim legend grid imshow axis hist tight_layout bar errorbar
    """
)
"""Methods and attributes of tensors, arrays, texts, containers, generators, progress bars and plots."""

GRADIENT = frozenset({"grad", "requires_grad", "requires_grad_", "cuda"})
"""Attributes that some tasks ban; of the others no rule minds them."""

READY_MADE = frozenset({"norm", "dist"})
"""Functions and methods of tensors that most tasks do not mind, and those that do ban."""

SPECIAL = frozenset(
    {"__name__", "__init__", "__post_init__", "__class__", "__doc__", "__len__", "__version__"}
)
"""Attributes with names like these that may be used; of all others Python's own machinery hangs."""

BUILTINS = words(
    """
abs all any ascii bin bool bytes bytearray callable chr classmethod complex dict divmod enumerate filter
float format frozenset hasattr hash hex id int isinstance issubclass iter len list map max min next
object oct ord pow print property range repr reversed round set slice sorted staticmethod str sum super
tuple type zip Ellipsis NotImplemented __debug__ __name__ __file__ __doc__
    """
) | {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}

NUMPY = words(
    """
abs absolute add all allclose amax amin any append arange argmax argmin argpartition argsort argwhere
around array array_equal array_split arccos arcsin arctan arctan2 arctanh asarray ascontiguousarray
asfarray atleast_1d atleast_2d atleast_3d average bincount block bool_ broadcast_arrays broadcast_shapes
broadcast_to can_cast ceil clip column_stack concatenate conj convolve copy copysign copyto corrcoef cos
cosh count_nonzero cov cross cumprod cumsum deg2rad degrees delete diag diag_indices diagonal diff
digitize divide divmod dot dsplit dstack dtype e einsum empty empty_like equal exp exp2 expand_dims
expm1 eye fabs fill_diagonal finfo flatnonzero flip fliplr flipud float16 float32 float64 float_
floating floor floor_divide fmax fmin fmod full full_like generic geomspace greater greater_equal
heaviside histogram hsplit hstack hypot identity iinfo imag indices inf infty inner insert int16 int32
int64 int8 int_ integer interp intersect1d invert isclose isfinite isin isinf isnan isscalar issubdtype
ix_ kron less less_equal lexsort linspace log log10 log1p log2 logaddexp logical_and logical_not
logical_or logical_xor logspace matmul max maximum mean median meshgrid mgrid min minimum mod moveaxis
multiply nan nan_to_num nanargmax nanargmin nanmax nanmean nanmin nanstd nansum ndarray ndim negative
newaxis nonzero not_equal number ogrid ones ones_like outer pad percentile pi power prod ptp
put_along_axis quantile r_ c_ s_ ravel ravel_multi_index real reciprocal remainder repeat reshape resize
result_type roll rollaxis rot90 round searchsorted select setdiff1d shape sign signbit sin sinh size
sort split sqrt square squeeze stack std subtract sum swapaxes take take_along_axis tan tanh tensordot
tile trace transpose trapz tri tril tril_indices triu triu_indices true_divide trunc uint16 uint32
uint64 uint8 union1d unique unravel_index vander var vdot vsplit vstack where zeros zeros_like errstate
seterr set_printoptions lib.stride_tricks.as_strided lib.stride_tricks.sliding_window_view
    """
)
UFUNC_METHODS = frozenset({"at", "reduce", "accumulate", "outer", "reduceat"})

OTHERS = words(
    """
math.acos math.acosh math.asin math.asinh math.atan math.atan2 math.atanh math.ceil math.comb
math.copysign math.cos math.cosh math.degrees math.e math.erf math.erfc math.exp math.expm1 math.fabs
math.factorial math.floor math.fmod math.frexp math.fsum math.gamma math.gcd math.hypot math.inf
math.isclose math.isfinite math.isinf math.isnan math.isqrt math.lcm math.ldexp math.lgamma math.log
math.log10 math.log1p math.log2 math.modf math.nan math.perm math.pi math.pow math.prod math.radians
math.remainder math.sin math.sinh math.sqrt math.tan math.tanh math.tau math.trunc math.cbrt math.exp2
math.sumprod random.random random.randint random.randrange random.choice random.choices random.sample
random.shuffle random.seed random.uniform random.gauss random.normalvariate random.Random
random.expovariate random.betavariate random.lognormvariate random.triangular time.time
time.perf_counter time.monotonic time.process_time time.strftime copy.copy copy.deepcopy
collections.OrderedDict collections.namedtuple collections.Counter collections.deque
collections.defaultdict collections.abc.Callable collections.abc.Iterable collections.abc.Iterator
collections.abc.Mapping collections.abc.Sequence collections.abc.MutableMapping itertools.product
itertools.chain itertools.count itertools.cycle itertools.repeat itertools.combinations
itertools.permutations itertools.zip_longest itertools.pairwise itertools.islice itertools.accumulate
itertools.chain.from_iterable itertools.starmap itertools.batched itertools.compress itertools.takewhile
itertools.groupby functools.reduce functools.partial functools.wraps functools.lru_cache functools.cache
functools.cached_property operator.add operator.sub operator.mul operator.truediv operator.floordiv
operator.matmul operator.neg operator.pow operator.eq operator.ne operator.lt operator.le operator.gt
operator.ge operator.and_ operator.or_ operator.itemgetter types.SimpleNamespace types.NoneType
dataclasses.dataclass dataclasses.field dataclasses.replace dataclasses.asdict dataclasses.astuple
dataclasses.fields enum.Enum enum.IntEnum enum.StrEnum enum.auto abc.ABC abc.abstractmethod
contextlib.suppress contextlib.nullcontext contextlib.contextmanager numbers.Number numbers.Real
numbers.Integral warnings.warn warnings.catch_warnings warnings.simplefilter warnings.filterwarnings
logging.getLogger logging.info logging.debug logging.warning logging.error logging.basicConfig
logging.INFO logging.DEBUG sys.stdout sys.stderr sys.maxsize sys.float_info.eps sys.float_info.max
sys.float_info.min sys.float_info sys.version_info sys.stdout.flush sys.stdout.write
tqdm.tqdm tqdm.trange tqdm.auto.tqdm tqdm.auto.trange tqdm.notebook.tqdm tqdm.notebook.trange tqdm.tqdm.write
einops.rearrange einops.reduce einops.repeat einops.einsum tqdm.tqdm_notebook
torch.backends.cudnn.deterministic torch.backends.cudnn.benchmark
    """
)
TYPING = words(
    """
Any Callable ClassVar Dict Final Generic Iterable Iterator List Literal Mapping NamedTuple NoReturn
Optional Protocol Self Sequence Set SupportsFloat SupportsIndex Tuple Type TypeAlias TypeVar TypedDict
Union cast overload TYPE_CHECKING Annotated Generator assert_never no_type_check override
    """
)
PYPLOT = words(
    """
plot figure subplot subplots show title suptitle xlabel ylabel legend imshow axis grid close savefig
tight_layout hist scatter gca gcf colorbar bar xlim ylim xticks yticks clf cla pause draw errorbar
fill_between axhline axvline semilogx semilogy loglog text
    """
)

MODULES = frozenset(
    {
        *("torch", "torch.cuda", "torch.backends", "torch.backends.cudnn", "torch.random", "torch.testing"),
        *("numpy", "numpy.lib", "numpy.lib.stride_tricks", "math", "random", "time", "copy", "collections"),
        *("itertools", "functools", "operator", "matplotlib.pyplot", "tqdm", "tqdm.auto", "tqdm.notebook"),
        *NAMESPACES,
    }
)
"""Modules that may get another name, and may not be passed on."""

KITS = words(
    """
cs231n eecs598 rob599 a1_helper a2_helper a3_helper a4_helper a5_helper a6_helper
    """
)
"""What files from other courses import if it is there. Where it is not, it can do nothing."""

NEVER = frozenset(
    {
        *("default_factory", "apply_", "map_", "map2_", "register_hook", "as_subclass", "module_load"),
        *("register_post_accumulate_grad_hook", "register_forward_hook", "register_forward_pre_hook"),
        *("format_map", "set_", "storage", "untyped_storage"),
    }
)
"""Attributes that are not understood even where the hand-in gives their names to something."""

BASES = frozenset(
    {
        *("object", "typing.NamedTuple", "typing.TypedDict", "typing.Protocol", "typing.Generic", "abc.ABC"),
        *("Exception", "ValueError", "RuntimeError"),
    }
)
"""Classes to inherit from that call nothing of an heir by themselves."""

AT_IMPORT = (
    *("matplotlib", "seaborn", "warnings", "logging", "tqdm", "typing", "typing_extensions", "dataclasses"),
    *("os.environ", "os.path", "os.getcwd", "os.makedirs", "os.listdir", "os.cpu_count", "pathlib.Path"),
    *("os.chdir", "os.mkdir", "os.getenv", "os.sep"),
    *("sys.path", "sys.version", "sys.version_info", "sys.stdout", "sys.stderr", "sys.platform", "sys.argv"),
    *(
        "sys.setrecursionlimit",
        "platform",
        "datetime",
        "time",
        "json",
        "locale",
        "re",
        "csv",
        "glob",
        "helpers",
        "random",
        "math",
    ),
    *("torch.backends", "torch.cuda", "torch.set_warn_always", "torch.get_num_threads", "torch.version"),
    *("torch.set_num_interop_threads", "torch.multiprocessing.set_start_method", "PIL.Image", "torchvision"),
    *(
        "IPython.display",
        "IPython.get_ipython",
        "google.colab",
        "pandas",
        "scipy",
        "sklearn",
        "numpy.random",
        "numpy.warnings",
    ),
    *("numpy.testing", "torch.distributions", "typing", "abc", "enum", "string.ascii_letters", "os.sep"),
    *("torch.nn", "torch.optim", "torch.autograd", "torch.func", "torch.utils.data", "torch.save"),
    *("itertools", "functools", "operator", "collections", "contextlib", "string.punctuation", "os.name"),
    *("argparse", "textwrap", "shutil.get_terminal_size", "pprint", "statistics", "numbers", "fractions"),
)
"""What a file may use besides while it is imported."""
OF_OBJECTS = tuple(
    [name] for name in ("__hash__", "__eq__", "__new__", "__init__", "__repr__", "__str__", "__setattr__")
)
"""What a class may take over from Python's own."""
