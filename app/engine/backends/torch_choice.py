"""Which kernel computes a node: one of PyTorch's own, the operator's lines, or numpy's on the host, and why."""

from collections.abc import Callable

from app.engine.backends import torch_kernels as own
from app.engine.backends.torch_nodes import HostKernel, Kernel, LinesKernel, NodeFacts, torch_lines
from app.engine.operator import Operator
from app.engine.operators.aligning import RegionAverages
from app.engine.operators.deformable import Deformable
from app.engine.operators.detection import MultiBoxDetection, MultiBoxPrior
from app.engine.operators.linear import FullyConnected
from app.engine.operators.noise import Dropout
from app.engine.operators.normalize import BatchNormalization
from app.engine.operators.random import RandomExponential, RandomNormal, RandomUniform
from app.engine.operators.regions import ROIPooling
from app.engine.operators.spatial import BilinearSampler, GridGenerator, SpatialTransformer
from app.engine.operators.suppression import BoxNms

OWN: tuple[tuple[type[Operator], Callable[[NodeFacts], Kernel]], ...] = (
    (FullyConnected, own.FullyConnectedKernel),
    (Dropout, own.DropoutKernel),
    (BatchNormalization, own.BatchNormKernel),
    (RandomUniform, own.uniform),
    (RandomNormal, own.normal),
    (RandomExponential, own.exponential),
)
_FOR_READING = (
    *(BoxNms, MultiBoxDetection, MultiBoxPrior, RegionAverages, ROIPooling),
    *(BilinearSampler, GridGenerator, SpatialTransformer, Deformable),
)
"""Their lines are for exported programs only: they go box by box, unroll whole images, or add in no fixed order."""
_RANDOM_WORDS = ("rand", "dropout", "uniform_", "normal_")
NO_LINES = "PyTorch has no kernel for it"
UNSEEDED = "PyTorch's own function draws from no stream of the node"
AT_EDGES = "PyTorch gives other numbers at the edges of its domain"
_OTHER_AT_EDGES = frozenset(
    {
        "_power",
        "broadcast_power",
        "gamma",
        "gammaln",
        "hard_sigmoid",
        "_linalg_det",
        "_linalg_slogdet",
        "_linalg_potri",
    }
)
WHOLE_NUMBERS = "PyTorch has other rules for whole numbers"


def choose_kernel(facts: NodeFacts) -> tuple[Kernel, str]:
    """Return the kernel, and the reason where it runs on the host."""
    if any(kind.kind != "f" for kind in facts.out_types[: facts.visible]) or any(
        facts.in_types[number].kind != "f" for number in facts.wanted
    ):
        return HostKernel(facts), WHOLE_NUMBERS
    if facts.operator.op_name in _OTHER_AT_EDGES or getattr(facts.operator, "pool_type", "") == "lp":
        return HostKernel(facts), AT_EDGES
    if isinstance(facts.operator, _FOR_READING):
        return HostKernel(facts), NO_LINES
    for kind, make in OWN:
        if isinstance(facts.operator, kind):
            return make(facts), ""
    try:
        if facts.operator.is_random and any(
            word in line for line in torch_lines(facts, train=True) for word in _RANDOM_WORDS
        ):
            return HostKernel(facts), UNSEEDED
        return LinesKernel(facts), ""
    except NotImplementedError:
        return HostKernel(facts), NO_LINES
