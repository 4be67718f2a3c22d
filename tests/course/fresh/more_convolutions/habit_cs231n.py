"""As in CS231n: im2col_indices with images side by side in the columns, conv_param dicts, NumPy names."""

from builtins import range
import numpy as np
import torch


def get_im2col_indices(x_shape, field_height, field_width, padding=1, stride=1):
    # First figure out what the size of the output should be
    N, C, H, W = x_shape
    out_height = (H + 2 * padding - field_height) // stride + 1
    out_width = (W + 2 * padding - field_width) // stride + 1

    i0 = np.repeat(np.arange(field_height), field_width)
    i0 = np.tile(i0, C)
    i1 = stride * np.repeat(np.arange(out_height), out_width)
    j0 = np.tile(np.arange(field_width), field_height * C)
    j1 = stride * np.tile(np.arange(out_width), out_height)
    i = i0.reshape(-1, 1) + i1.reshape(1, -1)
    j = j0.reshape(-1, 1) + j1.reshape(1, -1)

    k = np.repeat(np.arange(C), field_height * field_width).reshape(-1, 1)

    return (k, i, j)


def im2col_indices(x, field_height, field_width, padding=1, stride=1):
    """An implementation of im2col based on some fancy indexing"""
    # Zero-pad the input
    p = padding
    x_padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), mode="constant")

    k, i, j = get_im2col_indices(x.shape, field_height, field_width, padding, stride)

    cols = x_padded[:, k, i, j]
    C = x.shape[1]
    cols = cols.transpose(1, 2, 0).reshape(field_height * field_width * C, -1)
    return cols


def im2col(x, height, width, stride=1, pad=0):
    return torch.from_numpy(im2col_indices(x.numpy(), height, width, padding=pad, stride=stride))


def average_pool(x, height, width, stride):
    N, C, H, W = x.shape
    out_height = (H - height) // stride + 1
    out_width = (W - width) // stride + 1
    x_split = x.reshape(N * C, 1, H, W)
    x_cols = im2col(x_split, height, width, pad=0, stride=stride)
    out = x_cols.mean(axis=0)
    return out.reshape(out_height, out_width, N, C).permute(2, 3, 0, 1)


def conv_forward_im2col(x, w, b, conv_param):
    N, C, H, W = x.shape
    num_filters, _, filter_height, filter_width = w.shape
    stride, pad = conv_param["stride"], conv_param["pad"]
    out_height = (H + 2 * pad - filter_height) // stride + 1
    out_width = (W + 2 * pad - filter_width) // stride + 1
    x_cols = im2col(x, filter_height, filter_width, stride, pad)
    res = w.reshape((w.shape[0], -1)).matmul(x_cols) + b.reshape(-1, 1)
    out = res.reshape(w.shape[0], out_height, out_width, x.shape[0])
    return out.permute(3, 0, 1, 2)


def dilated_conv(x, w, b, stride=1, pad=0, dilation=1):
    F, C, HH, WW = w.shape
    w_dilated = torch.zeros((F, C, (HH - 1) * dilation + 1, (WW - 1) * dilation + 1), dtype=w.dtype)
    w_dilated[:, :, ::dilation, ::dilation] = w
    return conv_forward_im2col(x, w_dilated, b, {"stride": stride, "pad": pad})


def grouped_conv(x, w, b, stride=1, pad=0, groups=1):
    conv_param = {"stride": stride, "pad": pad}
    outs = []
    for x_g, w_g, b_g in zip(torch.chunk(x, groups, 1), torch.chunk(w, groups), torch.chunk(b, groups)):
        outs.append(conv_forward_im2col(x_g, w_g, b_g, conv_param))
    return torch.cat(outs, 1)


def transposed_conv(x, w, b, stride=1, pad=0):
    # = conv_backward_naive, dx
    N, F, H_out, W_out = x.shape
    _, C, HH, WW = w.shape
    H_pad = (H_out - 1) * stride + HH
    W_pad = (W_out - 1) * stride + WW
    dx_pad = torch.zeros((N, C, H_pad, W_pad), dtype=x.dtype)
    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    dx_pad[n, :, i * stride:i * stride + HH, j * stride:j * stride + WW] += x[n, f, i, j] * w[f]
    dx = dx_pad[:, :, pad:H_pad - pad, pad:W_pad - pad]
    return dx + b.reshape(1, -1, 1, 1)


def conv1d(x, w, b, stride=1, pad=0):
    x_pad = torch.from_numpy(np.pad(x.numpy(), ((0, 0), (0, 0), (pad, pad))))
    return conv_forward_im2col(x_pad[:, :, None], w[:, :, None], b, {"stride": stride, "pad": 0})[:, :, 0]


def conv3d(x, w, b, stride=1, pad=0):
    N, C, D, H, W = x.shape
    F, _, DD, HH, WW = w.shape
    x_pad = torch.from_numpy(np.pad(x.numpy(), ((0, 0), (0, 0), (pad, pad), (0, 0), (0, 0))))
    D_out = (D + 2 * pad - DD) // stride + 1
    out = []
    for d in range(D_out):
        x_d = x_pad[:, :, d * stride:d * stride + DD].reshape(N, C * DD, H, W)
        out.append(conv_forward_im2col(x_d, w.reshape(F, C * DD, HH, WW), b, {"stride": stride, "pad": pad}))
    return torch.stack(out, 2)
