"""The way one does it at work: PyTorch has all of these."""

import torch
import torch.nn.functional as F


def im2col(x, height, width, stride=1, pad=0):
    return F.unfold(x, (height, width), padding=pad, stride=stride)


def average_pool(x, height, width, stride):
    return F.avg_pool2d(x, (height, width), stride=stride)


def dilated_conv(x, w, b, stride=1, pad=0, dilation=1):
    return F.conv2d(x, w, b, stride=stride, padding=pad, dilation=dilation)


def grouped_conv(x, w, b, stride=1, pad=0, groups=1):
    return F.conv2d(x, w, b, stride=stride, padding=pad, groups=groups)


def transposed_conv(x, w, b, stride=1, pad=0):
    return F.conv_transpose2d(x, w, b, stride=stride, padding=pad)


def conv1d(x, w, b, stride=1, pad=0):
    return torch.conv1d(x, w, b, stride=stride, padding=pad)


def conv3d(x, w, b, stride=1, pad=0):
    return torch.conv3d(x, w, b, stride=stride, padding=pad)
