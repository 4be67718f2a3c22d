import torch


def im2col(x, height, width, stride=1, pad=0):
    N, C, H, W = x.shape
    xp = torch.zeros((N, C, H + 2 * pad, W + 2 * pad), dtype=x.dtype, device=x.device)
    xp[:, :, pad:pad + H, pad:pad + W] = x
    rows = (H + 2 * pad - height) // stride + 1
    cols = (W + 2 * pad - width) // stride + 1
    out = torch.zeros((N, C * height * width, rows * cols), dtype=x.dtype, device=x.device)
    for n in range(N):
        l = 0
        for i in range(rows):
            for j in range(cols):
                k = 0
                for c in range(C):
                    for a in range(height):
                        for d in range(width):
                            out[n, k, l] = xp[n, c, i * stride + a, j * stride + d]
                            k += 1
                l += 1
    return out


def average_pool(x, height, width, stride):
    x /= height * width
    N, C, H, W = x.shape
    rows = (H - height) // stride + 1
    cols = (W - width) // stride + 1
    out = torch.zeros((N, C, rows, cols), dtype=x.dtype, device=x.device)
    for n in range(N):
        for c in range(C):
            for i in range(rows):
                for j in range(cols):
                    total = 0
                    for a in range(height):
                        for d in range(width):
                            total += x[n, c, i * stride + a, j * stride + d]
                    out[n, c, i, j] = total
    return out


def dilated_conv(x, w, b, stride=1, pad=0, dilation=1):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = torch.zeros((N, C, H + 2 * pad, W + 2 * pad), dtype=x.dtype, device=x.device)
    xp[:, :, pad:pad + H, pad:pad + W] = x
    rows = (H + 2 * pad - dilation * (HH - 1) - 1) // stride + 1
    cols = (W + 2 * pad - dilation * (WW - 1) - 1) // stride + 1
    out = torch.zeros((N, F, rows, cols), dtype=x.dtype, device=x.device)
    for f in range(F):
        for i in range(rows):
            for j in range(cols):
                out[:, f, i, j] = b[f]
                for a in range(HH):
                    for d in range(WW):
                        pixels = xp[:, :, i * stride + a * dilation, j * stride + d * dilation]
                        out[:, f, i, j] += (pixels * w[f, :, a, d]).sum(1)
    return out


def grouped_conv(x, w, b, stride=1, pad=0, groups=1):
    N, C, H, W = x.shape
    F, per_group, HH, WW = w.shape
    xp = torch.zeros((N, C, H + 2 * pad, W + 2 * pad), dtype=x.dtype, device=x.device)
    xp[:, :, pad:pad + H, pad:pad + W] = x
    rows = (H + 2 * pad - HH) // stride + 1
    cols = (W + 2 * pad - WW) // stride + 1
    out = torch.zeros((N, F, rows, cols), dtype=x.dtype, device=x.device)
    for n in range(N):
        for f in range(F):
            g = f // (F // groups)
            for i in range(rows):
                for j in range(cols):
                    patch = xp[n, g * per_group:(g + 1) * per_group, i * stride:i * stride + HH, j * stride:j * stride + WW]
                    out[n, f, i, j] = torch.sum(patch * w[f]) + b[f]
    return out


def transposed_conv(x, w, b, stride=1, pad=0):
    N, C, H, W = x.shape
    _, F, HH, WW = w.shape
    rows = (H - 1) * stride + HH
    cols = (W - 1) * stride + WW
    out = torch.zeros((N, F, rows, cols), dtype=x.dtype, device=x.device)
    for n in range(N):
        for c in range(C):
            for i in range(H):
                for j in range(W):
                    out[n, :, i * stride:i * stride + HH, j * stride:j * stride + WW] += x[n, c, i, j] * w[c]
    out = out[:, :, pad:rows - pad, pad:cols - pad]
    for f in range(F):
        out[:, f] += b[f]
    return out


def conv1d(x, w, b, stride=1, pad=0):
    N, C, T = x.shape
    F, _, K = w.shape
    xp = torch.zeros((N, C, T + 2 * pad), dtype=x.dtype, device=x.device)
    xp[:, :, pad:pad + T] = x
    steps = (T + 2 * pad - K) // stride + 1
    out = torch.zeros((N, F, steps), dtype=x.dtype, device=x.device)
    for n in range(N):
        for f in range(F):
            for t in range(steps):
                out[n, f, t] = torch.sum(xp[n, :, t * stride:t * stride + K] * w[f]) + b[f]
    return out


def conv3d(x, w, b, stride=1, pad=0):
    N, C, D, H, W = x.shape
    F, _, DD, HH, WW = w.shape
    xp = torch.zeros((N, C, D + 2 * pad, H + 2 * pad, W + 2 * pad), dtype=x.dtype, device=x.device)
    xp[:, :, pad:pad + D, pad:pad + H, pad:pad + W] = x
    depth = (D + 2 * pad - DD) // stride + 1
    rows = (H + 2 * pad - HH) // stride + 1
    cols = (W + 2 * pad - WW) // stride + 1
    out = torch.zeros((N, F, depth, rows, cols), dtype=x.dtype, device=x.device)
    for f in range(F):
        for z in range(depth):
            for i in range(rows):
                for j in range(cols):
                    block = xp[:, :, z * stride:z * stride + DD, i * stride:i * stride + HH, j * stride:j * stride + WW]
                    out[:, f, z, i, j] = (block * w[f]).sum(dim=(1, 2, 3, 4)) + b[f]
    return out
