"""What a device can do, and how to time it: a GPU answers before it is done."""

from collections.abc import Callable

import torch

Run = Callable[[], None]


def has_bf16(device: str) -> bool:
    """Whether bfloat16 has arithmetic of its own here; without it, it is emulated and slow."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def finished(run: Run, device: str, times: int = 1) -> Run:
    """The run so many times over, and the GPU's queue empty at the end."""

    def whole() -> None:
        for _ in range(times):
            run()
        if device == "cuda":
            torch.cuda.synchronize()

    return whole


def graphed(run: Run) -> Run:
    """The run as one CUDA graph: its kernels, replayed by one call. The run must not wait for the GPU."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # capture wants a warm run on a stream of its own
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay
