import torch


def im2col(x, height, width, stride=1, pad=0):
    N, C, H, W = x.shape
    xp = torch.nn.functional.pad(x, (pad, pad, pad, pad))
    columns = []
    for i in range(0, H + 2 * pad - height + 1, stride):
        for j in range(0, W + 2 * pad - width + 1, stride):
            columns.append(xp[:, :, i:i + height, j:j + width].reshape(N, -1))
    return torch.stack(columns, dim=2)


def average_pool(x, height, width, stride):
    N, C, H, W = x.shape
    out = torch.zeros(N, C, (H - height) // stride + 1, (W - width) // stride + 1, dtype=x.dtype, device=x.device)
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            window = x[:, :, i * stride:i * stride + height, j * stride:j * stride + width]
            out[:, :, i, j] = window.sum(dim=(2, 3)) / (height * width)
    return out


def dilated_conv(x, w, b, stride=1, pad=0, dilation=1):
    F, C, HH, WW = w.shape
    # a larger filter with zeros in the gaps
    big = torch.zeros(F, C, dilation * (HH - 1) + 1, dilation * (WW - 1) + 1, dtype=w.dtype, device=w.device)
    for i in range(HH):
        for j in range(WW):
            big[:, :, i * dilation, j * dilation] = w[:, :, i, j]
    return grouped_conv(x, big, b, stride, pad, 1)


def grouped_conv(x, w, b, stride=1, pad=0, groups=1):
    N, C, H, W = x.shape
    F, c, HH, WW = w.shape
    xp = torch.nn.functional.pad(x, (pad, pad, pad, pad))
    out = torch.zeros(N, F, (H + 2 * pad - HH) // stride + 1, (W + 2 * pad - WW) // stride + 1, dtype=x.dtype, device=x.device)
    for f in range(F):
        first = f // (F // groups) * c
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                window = xp[:, first:first + c, i * stride:i * stride + HH, j * stride:j * stride + WW]
                out[:, f, i, j] = (window * w[f]).sum(dim=(1, 2, 3)) + b[f]
    return out


def transposed_conv(x, w, b, stride=1, pad=0):
    N, C, H, W = x.shape
    _, F, HH, WW = w.shape
    out = torch.zeros(N, F, (H - 1) * stride + HH, (W - 1) * stride + WW, dtype=x.dtype, device=x.device)
    for i in range(H):
        for j in range(W):
            for c in range(C):
                stamp = x[:, c, i, j].reshape(N, 1, 1, 1) * w[c]
                out[:, :, i * stride:i * stride + HH, j * stride:j * stride + WW] += stamp
    out = out[:, :, pad:out.shape[2] - pad, pad:out.shape[3] - pad]
    return out + b.reshape(1, F, 1, 1)


def conv1d(x, w, b, stride=1, pad=0):
    F, C, K = w.shape
    xp = torch.nn.functional.pad(x, (pad, pad))
    steps = []
    for t in range(0, xp.shape[2] - K + 1, stride):
        steps.append(torch.stack([(xp[:, :, t:t + K] * w[f]).sum(dim=(1, 2)) + b[f] for f in range(F)], dim=1))
    return torch.stack(steps, dim=2)


def conv3d(x, w, b, stride=1, pad=0):
    F, C, DD, HH, WW = w.shape
    xp = torch.nn.functional.pad(x, (pad, pad, pad, pad, pad, pad))
    D, H, W = [(size - k) // stride + 1 for size, k in zip(xp.shape[2:], w.shape[2:])]
    out = torch.zeros(len(x), F, D, H, W, dtype=x.dtype, device=x.device)
    for d in range(D):
        for i in range(H):
            for j in range(W):
                z, r, c = d * stride, i * stride, j * stride
                window = xp[:, :, z:z + DD, r:r + HH, c:c + WW]
                for f in range(F):
                    out[:, f, d, i, j] = (window * w[f]).sum(dim=(1, 2, 3, 4)) + b[f]
    return out
