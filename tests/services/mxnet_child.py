"""Runs in a Python that has MXNet 1.9.1: loads what Chalkgraph wrote, runs it, and writes down what came of it.

    PYTHON mxnet_child.py FOLDER

FOLDER holds `jobs.json`, by name: {"shapes", "train", "requests", "bind"}, and for each job `NAME.json` (the symbol)
and `NAME.params` (its arrays). Then it holds `answers.json`, and `NAME.out.params` for what was bound. Files of the
folder `load` are parameter files to be loaded and handed back as `.npz`; what `save` is to hold MXNet saves itself.
"""

import json
import sys
from pathlib import Path

import mxnet as mx
import numpy as np

TYPES = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")


def answer_to(folder, name, job):
    """Load one symbol; an error of MXNet is the answer to the stage that it came in."""
    answer = {}
    try:
        symbol = mx.sym.load(str(folder / (name + ".json")))
        answer["written"] = json.loads(symbol.tojson())
        answer["arguments"] = symbol.list_arguments()
        answer["outputs"] = symbol.list_outputs()
        answer["auxiliary_states"] = symbol.list_auxiliary_states()
        answer["attributes"] = symbol.attr_dict()
        internals = symbol.get_internals()
        answer["internals"] = internals.list_outputs()
        shapes = {key: tuple(shape) for key, shape in job["shapes"].items()}
        answer["shapes"] = [
            found and [list(shape) for shape in found] for found in symbol.infer_shape_partial(**shapes)
        ]
        answer["internal_shapes"] = [list(shape) for shape in internals.infer_shape_partial(**shapes)[1]]
        if job["bind"]:
            run(folder, name, job, symbol, answer)
    except Exception as error:  # noqa: BLE001 - whatever MXNet raises is its answer
        answer["error"] = str(error)[:2000]
    return answer


def run(folder, name, job, symbol, answer):
    """Run forward, then backward as far as MXNet has it; the arrays lie beside the symbol."""
    arrays = dict(mx.nd.load(str(folder / (name + ".params"))))
    args = [arrays["arg:" + key] for key in symbol.list_arguments()]
    aux = [arrays["aux:" + key] for key in symbol.list_auxiliary_states()]
    requests = [job["requests"].get(key, "null") for key in symbol.list_arguments()]
    grads = [
        arrays.get("grad:" + key, mx.nd.zeros(array.shape, dtype=array.dtype))
        for key, array in zip(symbol.list_arguments(), args)  # noqa: B905 - runs under Python 3.9
    ]
    executor = symbol.bind(mx.cpu(), args, grads, requests, aux)
    executor.forward(is_train=job["train"])
    found = {f"output:{number}": array for number, array in enumerate(executor.outputs)}
    mx.nd.waitall()
    found = {key: array.copy() for key, array in found.items()}
    if any(word != "null" for word in requests):
        executor.backward([arrays[f"head:{number}"] for number in range(len(executor.outputs))])
        mx.nd.waitall()
        for key, word, array in zip(symbol.list_arguments(), requests, grads):  # noqa: B905 - runs under Python 3.9
            if word != "null":
                found["grad:" + key] = array
    found.update({"aux:" + key: array for key, array in zip(symbol.list_auxiliary_states(), aux)})  # noqa: B905
    mx.nd.save(str(folder / (name + ".out.params")), found)
    answer["ran"] = True


def load_all(folder):
    """Load every parameter file and write what MXNet sees in it; V3 is only read with numpy's shapes."""
    for path in sorted(folder.glob("*.params")):
        with mx.util.np_shape("V3" in path.name):
            found = mx.nd.load(str(path))
            pairs = found.items() if isinstance(found, dict) else enumerate(found)
            np.savez(str(path) + ".npz", **{str(key): array.asnumpy() for key, array in pairs})


def save_all(folder):
    """Save arrays of every type, dense and sparse, in both layouts that MXNet writes, and beside them as `.npz`."""
    numbers = np.arange(6).reshape(2, 3) % 3
    arrays = {kind: mx.nd.array(numbers, dtype=kind) for kind in TYPES}
    dense = mx.nd.array([[0, 0, 0], [1, 0, 2], [0, 0, 0]])
    arrays.update({"row_sparse": dense.tostype("row_sparse"), "csr": dense.tostype("csr")})
    mx.nd.waitall()
    save(folder / "V2", mx.nd.save, arrays)
    mx.npx.set_np()
    arrays = {kind: mx.np.array(numbers, dtype=kind) for kind in TYPES}
    arrays.update({"scalar": mx.np.array(2.5), "empty": mx.np.zeros((2, 0))})
    save(folder / "V3", mx.npx.save, arrays)
    mx.npx.reset_np()


def save(path, write, arrays):
    """Save arrays by name, one of them in a bare list, and all of them as numpy has them."""
    write(f"{path}.params", arrays)
    write(f"{path}-list.params", [arrays["float32"]])
    np.savez(f"{path}.npz", **{key: array.asnumpy() for key, array in arrays.items()})


def main():
    """Do every job of a folder."""
    folder = Path(sys.argv[1])
    jobs = json.loads((folder / "jobs.json").read_text(encoding="utf-8"))
    answers = {name: answer_to(folder, name, job) for name, job in jobs.items()}
    (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    load_all(folder / "load")
    save_all(folder / "save")


main()
