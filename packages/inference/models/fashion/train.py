#!/usr/bin/env python3
"""Train the small residual network for Fashion-MNIST and export it as ONNX.

Needs PyTorch, numpy and onnx (Debian: python3-torch python3-onnx) and the four
idx .gz files of Fashion-MNIST (Debian: dataset-fashion-mnist).
README.md beside this file has the exact command behind the shipped model.
"""
import argparse
import gzip
import math
import os
import time

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn

# Mean and spread of all training pixels on the 0..255 scale. They are part of
# the exported graph, so that whoever runs it passes pixels just as stored.
PIXEL_MEAN, PIXEL_STD = 72.94, 90.02
BATCH, PEAK_RATE, WARM_UP = 256, 0.3, 0.15

STEM_CHANNELS = 16
# (inner channels, output channels, stride) of each residual block. The inner
# width is below the outer one in the late stages: the sum stays wide enough to
# be worth cutting at, while the block costs far fewer multiplications.
BLOCKS = [(16, 16, 1),                # 28x28
          (24, 64, 2), (32, 64, 1),   # 14x14
          (64, 96, 2), (64, 96, 1)]   # 7x7


class Block(nn.Module):
    """ResNet-v1 basic block: relu(bn(conv(relu(bn(conv(x))))) + shortcut(x))."""

    def __init__(self, c_in, c_mid, c_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_mid, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_mid)
        self.conv2 = nn.Conv2d(c_mid, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.project = stride != 1 or c_in != c_out
        if self.project:  # the sum needs both sides in one shape
            self.shortcut = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
            self.bn3 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (self.bn3(self.shortcut(x)) if self.project else x))


class FashionNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("pixel_mean", torch.tensor(PIXEL_MEAN))
        self.register_buffer("pixel_std", torch.tensor(PIXEL_STD))
        self.stem = nn.Conv2d(1, STEM_CHANNELS, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(STEM_CHANNELS)
        widths = [STEM_CHANNELS] + [c_out for _, c_out, _ in BLOCKS]
        for i, (c_mid, c_out, stride) in enumerate(BLOCKS, 1):
            self.add_module(f"block{i}", Block(widths[i - 1], c_mid, c_out, stride))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(widths[-1], 10)

    def forward(self, pixels):
        x = (pixels - self.pixel_mean) / self.pixel_std
        x = F.relu(self.bn(self.stem(x)))
        for i in range(1, len(BLOCKS) + 1):
            x = getattr(self, f"block{i}")(x)
        return self.fc(torch.flatten(self.pool(x), 1))


def load(folder, prefix):
    """One split as (images float32 [n,1,28,28] in 0..255, labels int64 [n])."""
    def idx(name, header):  # idx files: a big-endian header, then plain bytes
        with gzip.open(os.path.join(folder, name)) as f:
            return np.frombuffer(f.read(), np.uint8, offset=header)
    images = idx(f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    labels = idx(f"{prefix}-labels-idx1-ubyte.gz", 8)
    return torch.from_numpy(images.astype(np.float32)), torch.from_numpy(labels.astype(np.int64))


def augment(x):
    """Random flip, shift by up to 2 pixels and erased square, each image its own."""
    n, rows = len(x), torch.arange(28)
    flip = torch.rand(n, 1, 1, 1) < 0.5
    x = torch.where(flip, x.flip(3), x)
    # Padding with 0 is right: 0 is the background of every image.
    top, left = torch.randint(0, 5, (2, n, 1))
    r, c = (top + rows)[:, :, None], (left + rows)[:, None, :]
    x = F.pad(x, (2, 2, 2, 2))[torch.arange(n)[:, None, None], 0, r, c][:, None]
    # Erasing keeps the network from leaning on a single detail (a logo, a collar).
    size = torch.randint(4, 11, (n, 1)) * (torch.rand(n, 1) < 0.5)
    top, left = torch.randint(0, 28, (2, n, 1)) - size // 2
    r, c = (rows >= top) & (rows < top + size), (rows >= left) & (rows < left + size)
    return x.masked_fill((r[:, :, None] & c[:, None, :])[:, None], PIXEL_MEAN)


def count_correct(model, images, labels):
    model.eval()
    with torch.no_grad():
        correct = sum((model(x).argmax(1) == y).sum().item()
                      for x, y in zip(images.split(500), labels.split(500)))
    model.train()
    return correct


def train(model, images, labels, held, args):
    """Nesterov SGD; the learning rate climbs, then falls to 0 along half a cosine."""
    # Decay is for the weights of convolutions only; pulling batch norm scales
    # and biases towards 0 brings nothing.
    params = list(model.parameters())
    opt = torch.optim.SGD([{"params": [p for p in params if p.ndim > 1], "weight_decay": 5e-4},
                           {"params": [p for p in params if p.ndim == 1], "weight_decay": 0.0}],
                          lr=PEAK_RATE, momentum=0.9, nesterov=True)
    per_epoch = len(images) // BATCH
    total = args.epochs * per_epoch

    def rate(step):
        done = step / total
        if done < WARM_UP:
            return done / WARM_UP
        return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))

    schedule = torch.optim.lr_scheduler.LambdaLR(opt, rate)
    start = time.time()
    for epoch in range(1, args.epochs + 1):
        order, loss_sum = torch.randperm(len(images)), 0.0
        for step in range(per_epoch):
            pick = order[step * BATCH:(step + 1) * BATCH]
            x = augment(images[pick]).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
                logits = model(x)
            # Some labels of this set are wrong; smoothing keeps the network from
            # becoming certain about them.
            loss = F.cross_entropy(logits.float(), labels[pick], label_smoothing=0.05)
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step()
            loss_sum += loss.item()
        line = f"epoch {epoch}/{args.epochs} loss {loss_sum / per_epoch:.4f}"
        if held:
            line += f" held-out {count_correct(model, *held)}/{len(held[1])}"
        print(f"{line} {time.time() - start:.0f} s", flush=True)


def export(model, path):
    """Write ONNX with stable tensor names: add_1, add_2, ... are the residual sums."""
    model.eval()  # in eval mode the exporter folds batch norm into the convolutions
    torch.onnx.export(model.to(memory_format=torch.contiguous_format), torch.zeros(1, 1, 28, 28),
                      path, opset_version=13, input_names=["input"], output_names=["logits"],
                      dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}})
    graph_file = onnx.load(path)
    graph, sums, renamed = graph_file.graph, 0, {"logits": "logits"}
    for node in graph.node:
        # The exporter names a node after its module: "/block1/conv1/Conv".
        parts = node.name.strip("/").lower().split("/")
        if node.op_type in ("Conv", "Gemm", "GlobalAveragePool"):
            parts.pop()  # the module alone says it: "block1_conv1"
            for old, role in zip(node.input[1:], ("weight", "bias")):
                renamed[old] = f"{'.'.join(parts)}.{role}"
        node.name = "_".join(parts)
        if node.op_type == "Add":
            sums += 1
            node.name = f"add_{sums}"
        renamed.setdefault(node.output[0], node.name)
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed[name] for name in node.output]
    for tensor in graph.initializer:
        tensor.name = renamed.get(tensor.name, tensor.name)
    del graph.value_info[:]
    # With the shapes stored, a reader can choose a cut without running the graph.
    graph_file = onnx.shape_inference.infer_shapes(graph_file)
    onnx.checker.check_model(graph_file, full_check=True)
    onnx.save(graph_file, path)
    return graph_file


def report(graph_file):
    """Print each residual sum with its shape and the share of the work before it."""
    graph, macs, lines = graph_file.graph, 0, []
    weights = {t.name: list(t.dims) for t in graph.initializer}
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim][1:]
              for v in [*graph.value_info, *graph.output]}
    for node in graph.node:
        shape = shapes[node.output[0]]
        if node.op_type in ("Conv", "Gemm"):
            # every output value takes one multiplication per weight of its filter
            macs += math.prod(shape) * math.prod(weights[node.input[1]][1:])
        elif node.op_type == "Add":
            lines.append((node.output[0], shape, macs))
    print(f"parameters {sum(map(math.prod, weights.values()))}, MACs {macs}")
    for name, shape, before in lines:
        print(f"{name} {shape} {math.prod(shape)} elements, {before / macs:.1%} of the MACs before it")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", metavar="DIR", default="/usr/share/datasets/fashion-mnist",
                   help="folder of the idx .gz files (default: %(default)s)")
    p.add_argument("--epochs", type=int, default=45, help="default: %(default)s")
    p.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    p.add_argument("--threads", type=int, default=2,
                   help="CPU threads; another number adds in another order (default: %(default)s)")
    p.add_argument("--bf16", action="store_true",
                   help="compute in bfloat16, about twice as fast on a CPU that has it")
    p.add_argument("--holdout", type=int, default=0, metavar="N",
                   help="keep the last N training images aside and score them each epoch: for "
                        "comparing recipes; the test images are then left alone (default: %(default)s)")
    p.add_argument("--out", default="fashion.onnx", help="default: %(default)s")
    args = p.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)

    images, labels = load(args.data, "train")
    kept = len(images) - args.holdout
    held = (images[kept:], labels[kept:]) if args.holdout else None
    model = FashionNet().to(memory_format=torch.channels_last)
    train(model, images[:kept], labels[:kept], held, args)
    if not held:  # the test images are looked at once, after the last step
        correct = count_correct(model, *load(args.data, "t10k"))
        print(f"test {correct}/10000")
    report(export(model, args.out))
    print(f"wrote {args.out}, {os.path.getsize(args.out)} bytes")


if __name__ == "__main__":
    main()
