import torch
import torch.nn.functional as F


def im2col(x, height, width, stride=1, pad=0):
    # first pad the images
    x_padded = F.pad(x, (pad, pad, pad, pad), "constant", 0)
    print("padded:", x_padded.shape)
    N = x_padded.shape[0]
    C = x_padded.shape[1]
    H = x_padded.shape[2]
    W = x_padded.shape[3]
    # now go over all windows
    list_of_windows = []
    i = 0
    while i + height <= H:
        j = 0
        while j + width <= W:
            window = x_padded[:, :, i:i+height, j:j+width]
            assert window.shape == (N, C, height, width)
            column = torch.reshape(window, (N, C * height * width, 1))
            list_of_windows.append(column)
            j = j + stride
        i = i + stride
    result = torch.cat(list_of_windows, dim=2)
    return result


def average_pool(x, height, width, stride):
    N, C, H, W = x.shape
    H_new = int((H - height) / stride) + 1
    W_new = int((W - width) / stride) + 1
    # use im2col!
    columns = im2col(x, height, width, stride)
    columns = columns.reshape(N, C, height * width, H_new * W_new)
    means = columns.sum(dim=2) / (height * width)
    return means.reshape(N, C, H_new, W_new)


def make_dilated_filter(w, dilation):
    """put zeros between the entries"""
    F_, C, HH, WW = w.shape
    if dilation == 1:
        return w
    big = torch.zeros(F_, C, (HH - 1) * dilation + 1, (WW - 1) * dilation + 1).to(w)
    for i in range(HH):
        for j in range(WW):
            big[:, :, i * dilation, j * dilation] = w[:, :, i, j]
    return big


def dilated_conv(x, w, b, stride=1, pad=0, dilation=1):
    big = make_dilated_filter(w, dilation)
    return grouped_conv(x, big, b, stride=stride, pad=pad)


def grouped_conv(x, w, b, stride=1, pad=0, groups=1):
    N, C, H, W = x.shape
    F_, C_g, HH, WW = w.shape
    F_g = F_ // groups
    results = []
    for g in range(groups):
        x_group = x[:, g * C_g:(g + 1) * C_g, :, :]
        w_group = w[g * F_g:(g + 1) * F_g]
        b_group = b[g * F_g:(g + 1) * F_g]
        columns = im2col(x_group, HH, WW, stride, pad)
        matrix = w_group.reshape(F_g, C_g * HH * WW)
        out = matrix.matmul(columns)  # (N, F_g, L)
        for f in range(F_g):
            out[:, f, :] = out[:, f, :] + b_group[f]
        H_new = int((H + 2 * pad - HH) / stride) + 1
        W_new = int((W + 2 * pad - WW) / stride) + 1
        out = out.reshape(N, F_g, H_new, W_new)
        results.append(out)
    final = torch.cat(results, 1)
    return final


def transposed_conv(x, w, b, stride=1, pad=0):
    N, C, H, W = x.shape
    C2, F_, HH, WW = w.shape
    assert C == C2, "channels do not fit"
    big_H = (H - 1) * stride + HH
    big_W = (W - 1) * stride + WW
    out = torch.zeros(N, F_, big_H, big_W).type_as(x)
    for f in range(F_):
        for i in range(H):
            for j in range(W):
                for c in range(C):
                    pixel = x[:, c, i, j].view(N, 1, 1)
                    stamp = pixel * w[c, f]
                    i2 = i * stride
                    j2 = j * stride
                    out[:, f, i2:i2+HH, j2:j2+WW] = out[:, f, i2:i2+HH, j2:j2+WW] + stamp
    # cut off the border
    if pad != 0:
        out = out[:, :, pad:-pad, pad:-pad]
    # the bias
    out = out + b.view(1, F_, 1, 1)
    return out


def conv1d(x, w, b, stride=1, pad=0):
    x_padded = F.pad(x, (pad, pad), "constant", 0)
    # an image with height 1
    x_image = x_padded.unsqueeze(2)
    w_image = w.unsqueeze(2)
    out = grouped_conv(x_image, w_image, b, stride, 0)
    return out.squeeze(2)


def conv3d(x, w, b, stride=1, pad=0):
    N, C, D, H, W = x.shape
    F_, _, DD, HH, WW = w.shape
    D_new = int((D + 2 * pad - DD) / stride) + 1
    x_padded = F.pad(x, (pad, pad, pad, pad, pad, pad), "constant", 0)
    layers = []
    for d in range(D_new):
        # all slices of the depth become channels
        block = x_padded[:, :, d * stride:d * stride + DD]
        block = block.reshape(N, C * DD, H + 2 * pad, W + 2 * pad)
        flat_filter = w.reshape(F_, C * DD, HH, WW)
        layers.append(grouped_conv(block, flat_filter, b, stride, 0))
    return torch.stack(layers, dim=2)


if __name__ == "__main__":
    print(im2col(torch.arange(16.0).reshape(1, 1, 4, 4), 2, 2, 2))
