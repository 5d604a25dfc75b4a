"""Lines of exported code that many operators share."""

from app.engine.operator import CodeNames


def assign_zeros(n: CodeNames) -> list[str]:
    """Write one line per wanted gradient that makes it zeros like its input."""
    return [
        f"{grad} = np.zeros_like({name})"
        for grad, name in zip(n.grads, n.ins, strict=False)
        if grad is not None
    ]


def label_zeros(n: CodeNames) -> list[str]:
    """Write a line that makes the gradient of a label zeros, if anybody asks for it."""
    return [f"{n.grads[1]} = np.zeros_like({n.ins[1]})"] if len(n.grads) > 1 and n.grads[1] else []
