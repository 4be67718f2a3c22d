import numpy as np
import torch


def np_pad(a, pad):
    return np.pad(a, [(0, 0), (0, 0)] + [(pad, pad)] * (a.ndim - 2), mode="constant")


def back(a, like):
    return torch.from_numpy(np.ascontiguousarray(a)).to(like.dtype)


def im2col(x, height, width, stride=1, pad=0):
    a = np_pad(x.numpy(), pad)
    n, c = a.shape[:2]
    cols = []
    for i in range(0, a.shape[2] - height + 1, stride):
        for j in range(0, a.shape[3] - width + 1, stride):
            cols.append(a[:, :, i:i + height, j:j + width].reshape(n, c * height * width))
    return back(np.stack(cols, axis=-1), x)


def average_pool(x, height, width, stride):
    a = x.numpy()
    rows = range(0, a.shape[2] - height + 1, stride)
    cols = range(0, a.shape[3] - width + 1, stride)
    out = np.zeros((a.shape[0], a.shape[1], len(rows), len(cols)))
    for i, top in enumerate(rows):
        for j, left in enumerate(cols):
            out[:, :, i, j] = np.mean(a[:, :, top:top + height, left:left + width], axis=(2, 3))
    return back(out, x)


def dilated_conv(x, w, b, stride=1, pad=0, dilation=1):
    a, k = np_pad(x.numpy(), pad).astype(np.float64), w.numpy()
    reach_h, reach_w = dilation * (k.shape[2] - 1) + 1, dilation * (k.shape[3] - 1) + 1
    rows = range(0, a.shape[2] - reach_h + 1, stride)
    cols = range(0, a.shape[3] - reach_w + 1, stride)
    out = np.zeros((a.shape[0], k.shape[0], len(rows), len(cols)))
    for i, top in enumerate(rows):
        for j, left in enumerate(cols):
            window = a[:, :, top:top + reach_h:dilation, left:left + reach_w:dilation]
            out[:, :, i, j] = np.tensordot(window, k, axes=([1, 2, 3], [1, 2, 3])) + b.numpy()
    return back(out, x)


def grouped_conv(x, w, b, stride=1, pad=0, groups=1):
    c, f = x.shape[1] // groups, w.shape[0] // groups
    parts = []
    for g in range(groups):
        mine = slice(g * f, (g + 1) * f)
        parts.append(dilated_conv(x[:, g * c:(g + 1) * c], w[mine], b[mine], stride, pad))
    return torch.cat(parts, dim=1)


def transposed_conv(x, w, b, stride=1, pad=0):
    a, k = x.numpy(), w.numpy()
    h, v, hh, ww = a.shape[2], a.shape[3], k.shape[2], k.shape[3]
    out = np.zeros((a.shape[0], k.shape[1], (h - 1) * stride + hh, (v - 1) * stride + ww))
    for i in range(h):
        for j in range(v):
            stamps = np.einsum("nc,cfhw->nfhw", a[:, :, i, j], k)
            out[:, :, i * stride:i * stride + hh, j * stride:j * stride + ww] += stamps
    if pad > 0:
        out = out[:, :, pad:-pad, pad:-pad]
    return back(out + b.numpy()[:, None, None], x)


def conv1d(x, w, b, stride=1, pad=0):
    a, k = np_pad(x.numpy(), pad), w.numpy()
    starts = range(0, a.shape[2] - k.shape[2] + 1, stride)
    found = [np.einsum("nck,fck->nf", a[:, :, t:t + k.shape[2]], k) + b.numpy() for t in starts]
    return back(np.stack(found, axis=2), x)


def conv3d(x, w, b, stride=1, pad=0):
    a, k = np_pad(x.numpy(), pad), w.numpy()
    d, h, v = k.shape[2:]
    places = [range(0, size - side + 1, stride) for size, side in zip(a.shape[2:], (d, h, v))]
    out = np.zeros((a.shape[0], k.shape[0], *map(len, places)))
    for p, z in enumerate(places[0]):
        for q, y in enumerate(places[1]):
            for r, s in enumerate(places[2]):
                window = a[:, :, z:z + d, y:y + h, s:s + v].reshape(len(a), -1)
                out[:, :, p, q, r] = window @ k.reshape(len(k), -1).T + b.numpy()
    return back(out, x)
