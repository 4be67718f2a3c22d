"""Names that are off limits in these tasks."""

ANYWHERE = ("torch.nn", "torch.autograd", "torch.func", "helpers", "scipy", ".cuda", ".requires_grad_")
"""What holds layers, works out gradients, or is not for every device."""
CONVOLUTIONS = ("torch.conv1d", "torch.conv2d", "torch.conv3d")
OTHER_CONVOLUTIONS = ("torch.convolution", "torch.mkldnn_convolution", "torch.avg_pool1d")
TRANSPOSED = ("torch.conv_transpose1d", "torch.conv_transpose2d", "torch.conv_transpose3d")
MAXIMA = ("torch.max_pool1d", "torch.max_pool2d", "torch.max_pool2d_with_indices", "torch.max_pool3d")
OTHER_MAXIMA = ("torch.adaptive_max_pool1d", "torch.mkldnn_max_pool2d", "torch.quantized_max_pool2d")
BATCH_NORMS = ("torch.batch_norm", "torch.native_batch_norm", "torch.batch_norm_stats")
OTHER_NORMS = ("torch.layer_norm", "torch.native_layer_norm", "torch.instance_norm", "torch.group_norm")

CONVOLUTION = (*ANYWHERE, *CONVOLUTIONS, *OTHER_CONVOLUTIONS, *TRANSPOSED, *MAXIMA)
POOLING = (*ANYWHERE, *MAXIMA, *OTHER_MAXIMA)
NORMALIZATION = (*ANYWHERE, *BATCH_NORMS, *OTHER_NORMS)
NETWORKS = ("torch.nn", "torch.optim", "torch.autograd", "torch.func", ".cuda", ".requires_grad_")
PADDING = ("torch.nn.functional.pad",)
"""What is allowed although it lies in torch.nn."""
