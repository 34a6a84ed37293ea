"""The two parts of the face finder in PyTorch, to be fitted; `catgan.curate.heads` runs them.

Their weights have the names and shapes of `PROPOSAL` and `VERIFIER` there.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from catgan.curate import heads as runs
from catgan.curate.heads import FORMAT, read_heads
from catgan.curate.maps import COARSE, FINE, PLACE, POOLED


class ProposalHead(nn.Module):
    """Of each place on a photo: is a face centred here, where exactly, how large, how turned."""

    def __init__(self) -> None:
        """Lay it out; the weights are random until fitted or loaded."""
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(PLACE), requires_grad=False)
        self.std = nn.Parameter(torch.ones(PLACE), requires_grad=False)
        self.layers = nn.Sequential(
            nn.Linear(PLACE, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 5)
        )

    def forward(self, places: Tensor) -> Tensor:
        """Per place: logit, offset across and down (in `REFERENCE`), log side, roll (30 degrees).

        Args:
            places: (..., 432) float32.

        Returns:
            (..., 5) float32.
        """
        return self.layers((places - self.mean) / self.std)  # type: ignore[no-any-return]

    def running(self) -> runs.ProposalHead:
        """As it is now, for `catgan.curate.verified`."""
        return runs.ProposalHead(_weights(self))


class VerifierHead(nn.Module):
    """Of a levelled crop: is it a face, and how far off are its box and its roll."""

    def __init__(self) -> None:
        """Lay it out; the weights are random until fitted or loaded."""
        super().__init__()
        self.fine_scale = nn.Parameter(torch.zeros(2, FINE), requires_grad=False)
        self.coarse_scale = nn.Parameter(torch.zeros(2, COARSE), requires_grad=False)
        self.pooled_scale = nn.Parameter(torch.zeros(2, POOLED), requires_grad=False)
        self.fine = nn.Linear(FINE, 24)
        self.coarse = nn.Linear(COARSE, 24)
        self.pooled = nn.Linear(POOLED, 64)
        self.where = nn.Linear(49 * 24 + 16 * 24 + 64, 96)
        self.offsets = nn.Linear(96, 4)
        self.hidden = nn.Linear(64 + 96, 32)
        self.face = nn.Linear(32, 1)

    def forward(self, fine: Tensor, coarse: Tensor, pooled: Tensor) -> Tensor:
        """Per crop: logit, offset across and down, log of the side's factor, roll (in 30 degrees).

        Offsets are in sides of the box, in the levelled crop's own directions.

        Args:
            fine: (N, 7, 7, 112) float32.
            coarse: (N, 4, 4, 320) float32.
            pooled: (N, 1280) float32.

        Returns:
            (N, 5) float32.
        """
        share = 0.2 if self.training else 0.0
        fine, coarse, pooled = (
            F.dropout((values - scale[0]) / scale[1], share)
            for values, scale in (
                (fine, self.fine_scale),
                (coarse, self.coarse_scale),
                (pooled, self.pooled_scale),
            )
        )
        whole = F.relu(self.pooled(pooled))
        parts = [F.relu(self.fine(fine)).flatten(1), F.relu(self.coarse(coarse)).flatten(1), whole]
        where = F.relu(self.where(F.dropout(torch.cat(parts, dim=1), share)))
        face = self.face(F.relu(self.hidden(torch.cat([whole, where], dim=1))))
        return torch.cat([face, self.offsets(where)], dim=1)

    def running(self) -> runs.VerifierHead:
        """As it is now, for `catgan.curate.verified`."""
        return runs.VerifierHead(_weights(self))


def _weights(head: nn.Module) -> Mapping[str, NDArray[np.float32]]:
    return {name: value.detach().numpy() for name, value in head.state_dict().items()}


def save_heads(
    path: Path, proposal: ProposalHead, verifier: VerifierHead, provenance: dict[str, str]
) -> None:
    """Write both heads, in half precision, with where they come from in words."""
    tensors = {f"proposal.{name}": value for name, value in proposal.state_dict().items()}
    tensors |= {f"verifier.{name}": value for name, value in verifier.state_dict().items()}
    halves = {name: value.half().contiguous() for name, value in tensors.items()}
    about = {"format": FORMAT, "provenance": json.dumps(provenance)}
    path.write_bytes(_in_order(save(halves, metadata=about)))


def _in_order(file: bytes) -> bytes:
    """The same with its header sorted: safetensors writes the metadata in another order each time.

    The header is JSON behind its length in 8 bytes, padded to a multiple of 8; see
    https://huggingface.co/docs/safetensors.
    """
    end = 8 + int.from_bytes(file[:8], "little")
    header = json.dumps(json.loads(file[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + file[end:]


def load_heads(path: Path) -> tuple[ProposalHead, VerifierHead]:
    """Both heads from a file.

    Raises:
        BadRecipe: It is missing, broken, of another format, or holds other numbers.
    """
    heads = ProposalHead(), VerifierHead()
    for head, weights in zip(heads, read_heads(path), strict=True):
        head.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        head.eval().requires_grad_(False)
    return heads
